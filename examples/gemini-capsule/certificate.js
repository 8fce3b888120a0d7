import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Key and certificate in this folder; made at the first start, for clients remember it. */
export function certificateIn(folder) {
  const files = { key: `${folder}/key.pem`, cert: `${folder}/certificate.pem` };
  if (!existsSync(files.cert)) {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '3650'];
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const request = ['req', '-x509', ...kind, ...name, '-keyout', files.key, '-out', files.cert];
    execFileSync('openssl', request, { stdio: 'pipe' });
  }
  return { key: readFileSync(files.key), cert: readFileSync(files.cert) };
}
