// A listener that never accepts: connections to it are neither made nor refused.

import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** A TCP listener whose queue is full and stays full: a thread that listens and then never looks at its sockets. */
export async function startDeafListener(): Promise<string> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  const [port] = await once(worker, 'message');
  const target = `127.0.0.1:${port}`;
  // Fill the queue: the kernel accepts until it is full, then lets connections wait.
  for (let waiting = false; !waiting;) {
    const socket = connect({ host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    waiting = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<true>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  return target;
}
