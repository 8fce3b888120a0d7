// One nginx with one worker, in a folder of its own, with a location for each thing to measure.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { adopt, end } from './children.js';
import { freePort, waitUntilAccepting } from './ports.js';
import { childrenOf, cpuSeconds } from './proc.js';

/**
 * How nginx passes requests on. `scgi` has the parameters as the distribution ships them, which is what users have;
 * `close` is what `proxy_pass` does by default; `keep-alive` is the set-up that nginx's documentation recommends.
 */
const directives = {
  scgi: (backend) => `include ${stockParameters()}; scgi_pass ${backend};`,
  close: (backend) => `proxy_pass http://${backend};`,
  'keep-alive': (backend) => `proxy_pass http://${backend}; proxy_http_version 1.1; proxy_set_header Connection "";`,
};

/**
 * @param {string} folder an empty one
 * @param {{ path: string, pass: 'scgi' | 'close' | 'keep-alive', to: string, buffering?: boolean }[]} locations
 *   `buffering` is about both directions; default true, as in nginx
 * @returns {Promise<{ port: number, pid: number, workerCpuSeconds: () => number, stop: () => Promise<void> }>}
 */
export async function startNginx(folder, locations) {
  const port = await freePort();
  const file = `${folder}/nginx.conf`;
  writeFileSync(file, configuration(folder, port, locations));
  const child = adopt(
    spawn('nginx', ['-e', `${folder}/error.log`, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  let complaint = '';
  child.stderr.on('data', (text) => (complaint += text));
  child.once('error', (error) => (complaint = `nginx is needed to benchmark: ${error.message}`));
  await waitUntilAccepting(port, child, 'nginx', () => complaint);
  const workerCpuSeconds = () => childrenOf(child.pid).reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  return {
    port,
    pid: child.pid,
    workerCpuSeconds,
    stop: () => end(child),
    log: () => readFileSync(`${folder}/error.log`, 'utf8'),
  };
}

function configuration(folder, port, locations) {
  return `
    ${process.getuid() === 0 ? 'user root;' : ''}
    daemon off;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log warn;
    events { worker_connections 1024; }
    http {
      access_log off;
      client_max_body_size 0;
      # The client's connection must not be what limits: 1000 requests is nginx's default.
      keepalive_requests 10000000;
      client_body_temp_path ${folder}/client_body;
      proxy_temp_path ${folder}/proxy;
      scgi_temp_path ${folder}/scgi;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      ${locations.map(upstream).join('\n')}
      server {
        listen 127.0.0.1:${port};
        ${locations.map(location).join('\n')}
      }
    }`;
}

function upstream({ pass, to }, index) {
  return `upstream backend${index} { server ${to}; ${pass === 'keep-alive' ? 'keepalive 32;' : ''} }`;
}

function location({ path, pass, buffering = true }, index) {
  const kind = pass === 'scgi' ? 'scgi' : 'proxy';
  const unbuffered = `${kind}_buffering off; ${kind}_request_buffering off;`;
  return `location ${path} { ${directives[pass](`backend${index}`)} ${buffering ? '' : unbuffered} }`;
}

function stockParameters() {
  const candidates = ['/etc/nginx', '/usr/local/etc/nginx', '/opt/homebrew/etc/nginx'];
  const found = candidates.map((folder) => `${folder}/scgi_params`).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`no scgi_params in ${candidates.join(', ')}`);
  return found;
}
