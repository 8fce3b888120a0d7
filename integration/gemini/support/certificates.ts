// Certificates that nobody trusts, as all of Gemini has them: one for a server, one for a client.

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireFrontEnd } from '../../support/front-ends.js';

/** Paths of a certificate and its key. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly server: Identity;
  readonly client: Identity;
  /** SHA-256 of the client's certificate in lower-case hexadecimal. */
  readonly clientFingerprint: string;
  remove(): void;
}

/** Makes both, valid for a day, in a folder of their own. */
export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-capsule-'));
  const server = create(folder, 'server', ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']);
  const client = create(folder, 'client', ['-utf8', '-subj', '/CN=Ada Löwe']);
  const { fingerprint256 } = new X509Certificate(readFileSync(client.cert));
  return {
    server,
    client,
    clientFingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function create(folder: string, name: string, subject: readonly string[]): Identity {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', files.key];
  execFileSync(requireFrontEnd('openssl'), ['req', '-x509', '-days', '1', ...subject, ...key, '-out', files.cert], {
    stdio: 'pipe',
  });
  return files;
}
