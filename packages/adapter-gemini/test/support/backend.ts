// SCGI backends for tests, written byte by byte: what a test does with the socket is what the front sees.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RequestDecoder } from '@scgi/core/protocol';
import { onTestFinished } from 'vitest';
import { within } from './within.js';

/** One request, decoded. */
export interface Received {
  readonly socket: Socket;
  readonly variables: ReadonlyMap<string, string>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

export interface TestBackend {
  readonly target: { readonly host: string; readonly port: number };
  readonly requests: Received[];
  /** The next request that comes, or that has come and was not asked for. */
  next(): Promise<Received>;
}

/** Listens on TCP, where a connection can be reset; `serve` gets every request. */
export async function backend(serve: (request: Received) => void = () => {}): Promise<TestBackend> {
  const requests: Received[] = [];
  const waiting: ((request: Received) => void)[] = [];
  let taken = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()).once('end', () => resolve()));
    socket.on('error', () => {});
    const decoder = new RequestDecoder();
    socket.on('data', (chunk: Buffer) => {
      decoder.receiveData(chunk);
      for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
        if (event.type !== 'head') continue;
        const request = { socket, variables: toMap(event.head.variables), closed };
        requests.push(request);
        waiting.shift()?.(request);
        serve(request);
      }
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const next = async (): Promise<Received> => {
    const here = requests[taken];
    taken += 1;
    return here ?? within('a request', new Promise<Received>((resolve) => waiting.push(resolve)));
  };
  return { target: { host: '127.0.0.1', port }, requests, next };
}

/** A backend that gives every request the same answer. */
export function answering(...pieces: (string | Uint8Array)[]): Promise<TestBackend> {
  return backend(({ socket }) => {
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

/** A listener that accepts nothing, and whose queue is full. */
export async function deafListener(): Promise<{ host: string; port: number }> {
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
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  // The kernel accepts until its queue is full, then lets connections wait.
  for (let waiting = false; !waiting;) {
    const socket = connect({ host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    waiting = await Promise.race([
      new Promise<false>((resolve) => socket.once('connect', () => resolve(false))),
      new Promise<true>((resolve) => setTimeout(resolve, 300, true)),
    ]);
  }
  return { host: '127.0.0.1', port };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-gemini-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function toMap(flat: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) variables.set(flat[index] ?? '', flat[index + 1] ?? '');
  return variables;
}
