// An address whose queue of connections is full and that accepts none. The listener lives in a thread that sleeps:
// Node.js accepts whatever comes as long as its event loop turns.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MockListener } from './listener.js';

/** As text, so that it needs no file of its own beside the built package. */
const sleeper = `
  const { workerData, parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen(workerData.listen, () => {
    parentPort.postMessage(server.address());
    // Once the message is out: sleeping here and now would keep it back.
    setImmediate(() => {
      Atomics.wait(new Int32Array(workerData.shared), 0, 0);
      server.close();
      process.exit();
    });
  });
`;

/** What the kernel takes beyond a backlog of 1 before it lets others wait. */
const QUEUE_LENGTH = 2;

/** Listens with a full queue. */
export async function fullListener(transport: 'tcp' | 'unix'): Promise<MockListener> {
  const folder = transport === 'unix' ? await mkdtemp(join(tmpdir(), 'scgi-mock-')) : undefined;
  const place = folder === undefined ? { host: '127.0.0.1', port: 0 } : { path: join(folder, 'backend.sock') };
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(sleeper, { eval: true, workerData: { listen: { ...place, backlog: 1 }, shared } });
  const [address]: unknown[] = await once(worker, 'message');
  const where = 'path' in place ? place : { host: place.host, port: portOf(address) };
  const queued: Socket[] = [];
  for (let index = 0; index < QUEUE_LENGTH; index += 1) {
    const socket = connect(where);
    queued.push(socket);
    await once(socket, 'connect');
    socket.on('error', () => {});
  }
  const close = async (): Promise<void> => {
    for (const socket of queued) socket.destroy();
    const exited = once(worker, 'exit');
    Atomics.store(new Int32Array(shared), 0, 1);
    Atomics.notify(new Int32Array(shared), 0);
    await exited;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  return {
    target: 'path' in where ? `unix:${where.path}` : `${where.host}:${where.port}`,
    listen: async () => {},
    refuse: async () => {},
    unlisten: () => {},
    close,
  };
}

function portOf(address: unknown): number {
  const port: unknown = typeof address === 'object' && address !== null && 'port' in address ? address.port : 0;
  return typeof port === 'number' ? port : 0;
}
