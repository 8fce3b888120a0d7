// Ports of servers that cannot choose one themselves.

import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Waits until somebody accepts connections; five seconds at most.
 * @param {import('node:child_process').ChildProcess} child the server
 * @throws {Error} if it has ended, or does not accept
 */
export async function waitUntilAccepting(port, child, name, complaint = () => '') {
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (child.pid === undefined || child.exitCode !== null || tries === 200) {
      throw new Error(`${name} did not start. ${complaint()}`);
    }
    await delay(25);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
