// Makes a certificate that nobody trusts, for nginx's HTTPS listener.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { requireFrontEnd } from '../../support/front-ends.js';
import type { TlsFiles } from '../../support/nginx-config.js';

/** Writes a key and a self-signed certificate for `localhost`, valid for a day, into `folder`. */
export function createCertificate(folder: string): TlsFiles {
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', files.key];
  const certificate = ['-x509', '-days', '1', '-subj', '/CN=localhost', '-out', files.certificate];
  execFileSync(requireFrontEnd('openssl'), ['req', ...certificate, ...key], { stdio: 'pipe' });
  return files;
}
