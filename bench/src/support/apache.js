// One Apache with mod_cgid, in a folder of its own, for a folder of CGI programs.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { adopt, end } from './children.js';
import { freePort, waitUntilAccepting } from './ports.js';

const modules = ['mpm_event', 'authz_core', 'alias', 'cgid'];

/**
 * @param {string} folder an empty one
 * @param {string} programs the folder of the programs, which are below `/cgi-bin/`
 * @returns {Promise<{ port: number, pid: number, stop: () => Promise<void> }>}
 */
export async function startApache(folder, programs) {
  const port = await freePort();
  const file = `${folder}/httpd.conf`;
  chmodSync(folder, 0o755);
  writeFileSync(file, configuration(folder, port, programs));
  const child = adopt(spawn('apache2', ['-d', folder, '-f', file, '-DFOREGROUND'], { stdio: 'ignore' }));
  await waitUntilAccepting(port, child, 'Apache');
  return { port, pid: child.pid, stop: () => end(child) };
}

function configuration(folder, port, programs) {
  const path = '/usr/lib/apache2/modules';
  return `
    ServerRoot ${folder}
    DefaultRuntimeDir ${folder}
    PidFile ${folder}/httpd.pid
    Mutex file:${folder}
    ErrorLog ${folder}/error.log
    ServerName localhost
    Listen 127.0.0.1:${port}
    ${modules.map((name) => `LoadModule ${name}_module ${path}/mod_${name}.so`).join('\n')}
    ${process.getuid() === 0 && existsSync('/etc/debian_version') ? 'User www-data\nGroup www-data' : ''}
    ScriptSock ${folder}/cgid.sock
    ScriptAlias /cgi-bin/ ${programs}/
    DocumentRoot ${programs}
    # As nginx in the other cells; Apache's own default closes a connection after 100 requests.
    MaxKeepAliveRequests 0
  `;
}
