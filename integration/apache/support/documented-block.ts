// Starts Apache with a block of the documentation: its places are replaced by ones of the test, the rest stays.

import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificate } from '../../nginx/support/certificate.js';
import { loadModules, userLines } from '../../support/apache-config.js';
import type { ServerPlace } from '../../support/server-process.js';
import { startApacheWith, type Apache } from '../../support/apache.js';
import { mirror } from './mirror.js';
import type { ApacheStage } from './stage.js';

/** What the blocks of the page need besides what Debian has built in. */
const modules = [
  'mpm_event',
  'authz_core',
  'authz_user',
  'authn_core',
  'authn_file',
  'auth_basic',
  'alias',
  'allowmethods',
  'env',
  'http2',
  'proxy',
  'proxy_http',
  'proxy_scgi',
  'proxy_balancer',
  'slotmem_shm',
  'lbmethod_byrequests',
  'remoteip',
  'setenvif',
  'ssl',
];
/** Those only for the blocks that name one of their directives: mod_cgid has a process of its own. */
const rareModules = { cgid: /ScriptAlias/, env: /SetEnv /, headers: /RequestHeader/, proxy_fcgi: /fcgi:/ };

/** A block of the documentation, moved to a folder of a test. */
export interface Setting {
  readonly folder: string;
  readonly format: (place: ServerPlace) => string;
}

/** A folder that stands for /run, /etc/ssl and /srv, and a block of the documentation moved there. */
export function prepare(stage: ApacheStage, code: string, tcpBackend = '127.0.0.1:1'): Setting {
  const folder = stage.folder();
  chmodSync(folder, 0o755);
  for (const name of ['run/app', 'ssl', 'srv/app/assets']) mkdirSync(join(folder, name), { recursive: true });
  const { certificate, key } = createCertificate(join(folder, 'ssl'));
  copyFileSync(certificate, join(folder, 'ssl/example.com.pem'));
  copyFileSync(key, join(folder, 'ssl/example.com.key'));
  // SHA-1 of "secret", as htpasswd -s writes it.
  writeFileSync(join(folder, 'ssl/admin.htpasswd'), 'ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n', { mode: 0o644 });
  const format = (place: ServerPlace): string => {
    const block = code
      .replaceAll('/run/', `${folder}/run/`)
      .replaceAll('/etc/ssl/', `${folder}/ssl/`)
      .replaceAll('/srv/', `${folder}/srv/`)
      .replaceAll('10.0.0.7:4000', tcpBackend)
      .replaceAll('*:443', `127.0.0.1:${place.tlsPort}`)
      .replaceAll('*:80', `127.0.0.1:${place.port}`);
    const isWhole = /<VirtualHost|<Proxy /.test(code);
    return `
      ServerRoot ${place.folder}
      DefaultRuntimeDir ${place.folder}
      PidFile ${place.folder}/httpd.pid
      Mutex file:${place.folder}
      ErrorLog ${place.folder}/error.log
      LogLevel info
      ServerName localhost
      DocumentRoot ${folder}/srv
      Listen 127.0.0.1:${place.port}
      Listen 127.0.0.1:${place.tlsPort}
      ${loadModules([...modules, ...rareModulesOf(code)])}
      ${userLines().join('\n')}
      ${isWhole ? block : `<VirtualHost 127.0.0.1:${place.port}>\n${block}\n</VirtualHost>`}
    `;
  };
  return { folder, format };
}

/** Starts Apache with it. */
export async function startSetting(stage: ApacheStage, { format }: Setting): Promise<Apache> {
  const apache = await startApacheWith(format);
  stage.add(apache.stop);
  return apache;
}

export interface StartedBlock {
  readonly apache: Apache;
  readonly folder: string;
  readonly isTls: boolean;
}

/** Starts Apache with a block of the documentation, and an application wherever the block looks for one. */
export async function startBlock(stage: ApacheStage, code: string, listener = mirror): Promise<StartedBlock> {
  const tcp = code.includes('10.0.0.7:4000') ? await stage.serve(listener, { over: 'tcp' }) : undefined;
  const setting = prepare(stage, code, tcp?.address);
  for (const [name] of code.matchAll(/\w+\.sock/g)) {
    const bind = `unix:${setting.folder}/run/app/${name}?mode=0666`;
    if (!existsSync(join(setting.folder, 'run/app', name))) await stage.serve(listener, { bind });
  }
  const apache = await startSetting(stage, setting);
  return { apache, folder: setting.folder, isTls: code.includes('*:443') };
}

function rareModulesOf(code: string): string[] {
  return Object.entries(rareModules).flatMap(([name, directive]) => (directive.test(code) ? [name] : []));
}
