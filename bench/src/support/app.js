// Starts an application in a process of its own, so that its CPU time and memory are nobody else's.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt, end } from './children.js';
import { within } from './deadline.js';

/**
 * @param {string} name of the file in `apps/`, without suffix
 * @param {string} [path] of the Unix socket to listen on. Default: a free TCP port of 127.0.0.1.
 * @param {string} [backend] for a front: the address to pass requests on to
 * @returns {Promise<{ pid: number, child: import('node:child_process').ChildProcess, address: string, connectTo: object, stop: () => Promise<void> }>} `address` as nginx
 *   writes it, `connectTo` as `net.connect` takes it
 */
export async function startApp(name, path, backend = '') {
  const file = fileURLToPath(new URL(`../apps/${name}.js`, import.meta.url));
  const child = adopt(
    fork(file, path === undefined ? [] : [path], { env: { ...process.env, NODE_ENV: 'production', BACKEND: backend } }),
  );
  const port = await within(
    10_000,
    `start of ${name}`,
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`${name} ended with code ${code} before it listened`)));
    }),
  );
  return {
    pid: child.pid,
    child,
    address: path === undefined ? `127.0.0.1:${port}` : `unix:${path}`,
    connectTo: path === undefined ? { host: '127.0.0.1', port } : { path },
    stop: () => end(child),
  };
}
