// The load generator as the benchmark sees it: one child process for the whole run, one job at a time.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { adopt, end } from './children.js';
import { within } from './deadline.js';

/** Requests under way at a time. More than nginx's `keepalive 32` would mix both kinds of connections in one cell. */
const CONNECTIONS = 32;

/** @returns a generator whose `run(url, requests)` resolves to the seconds it took; rejects if a request failed. */
export function startLoad() {
  const child = adopt(fork(fileURLToPath(new URL('load-process.js', import.meta.url))));
  return {
    async run(url, requests, reconnect = false, limit = CONNECTIONS) {
      child.send({ url, amount: requests, connections: Math.min(limit, requests), reconnect });
      const [{ seconds, failed }] = await within(120_000, `${requests} requests to ${url}`, once(child, 'message'));
      if (failed > 0) throw new Error(`${failed} of ${requests} requests to ${url} failed`);
      return seconds;
    },
    stop: () => end(child),
  };
}
