// Bodies of 64 MiB through the stand-alone front, at the pace of the slower side: whole, and never more of them on the way
// than a few buffers. More than that, and the memory it takes, is the benchmark's.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { describe, expect } from 'vitest';
import { digestOf, pattern } from '../nginx/apps/pattern.js';
import { test, transports, type Stage } from '../nginx/support/stage.js';
import { combinedWith } from '../support/combinations.js';
import { until, within } from '../support/deadline.js';
import { startFront } from './support/front.js';

const size = 64 << 20;
const whole = digestOf(size);
/** What the kernel's buffers of two loopback connections may take, and a few of ours: far below `size`. */
const onTheWay = 24 << 20;

/** Resolves with the number when it has not grown for a while. */
async function standstill(count: () => number, what: string): Promise<number> {
  let last = -1;
  let still = 0;
  await until(
    () => {
      const now = count();
      still = now === last ? still + 1 : 0;
      last = now;
      return still > 30;
    },
    10_000,
    what,
  );
  return last;
}

async function dial(stage: Stage, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  stage.add(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe.each(combinedWith(0, transports))('over %s', (over) => {
  test('a slow reader holds the application back and gets all of it', async ({ stage }) => {
    let sent = 0;
    const app = await stage.serve(
      async (_request, response) => {
        response.setHeader('Content-Length', size);
        for (const block of pattern(size)) {
          sent += block.length;
          if (!response.write(block)) await once(response, 'drain');
        }
        response.end();
      },
      { over },
    );
    const { port, errors } = await startFront(stage, { to: app.address });
    const socket = await dial(stage, port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await until(() => sent > 0, 5_000, 'the first block');
    expect(await standstill(() => sent, 'an application held back')).toBeLessThan(onTheWay);

    const hash = createHash('sha256');
    let head = '';
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      const start = head.includes('\r\n\r\n') ? 0 : readHead(chunk);
      hash.update(chunk.subarray(start));
      received += chunk.length - start;
      // Every piece is followed by a turn of rest.
      socket.pause();
      setImmediate(() => socket.resume());
    });
    /** Where in the chunk the body begins. */
    function readHead(chunk: Buffer): number {
      const before = head.length;
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      return end === -1 ? chunk.length : end + 4 - before;
    }
    await within(finished(socket.resume(), { writable: false }), 25_000, 'the whole body');
    expect(received).toBe(size);
    expect(hash.digest('hex')).toBe(whole);
    expect(errors).toEqual([]);
  });

  test('a slow application holds the client back and gets all of it', async ({ stage }) => {
    const hash = createHash('sha256');
    let go = (): void => {};
    const mayRead = new Promise<void>((resolve) => (go = resolve));
    const app = await stage.serve(
      async (request, response) => {
        await mayRead;
        for await (const chunk of request) {
          hash.update(chunk);
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end('taken');
      },
      { over },
    );
    const { port, errors } = await startFront(stage, { to: app.address });
    const socket = await dial(stage, port);
    socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    const before = socket.bytesWritten;
    for (const block of pattern(size)) socket.write(block);
    const taken = await standstill(() => socket.bytesWritten - socket.writableLength - before, 'a client held back');
    expect(taken).toBeLessThan(onTheWay);

    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    go();
    await within(once(socket, 'end'), 25_000, 'the answer');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*taken/);
    expect(hash.digest('hex')).toBe(whole);
    expect(errors).toEqual([]);
  });

  test('a body without a length waits in a file, and arrives whole', async ({ stage }) => {
    const app = await stage.serve(
      async (request, response) => {
        const hash = createHash('sha256');
        for await (const chunk of request) hash.update(chunk);
        response.end(`${request.headers['content-length']} ${hash.digest('hex')}`);
      },
      { over },
    );
    const { origin } = await startFront(stage, { to: app.address, maxHeldBody: 100_000, spoolFolder: stage.folder() });
    const blocks = pattern(size);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { value, done } = blocks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    });
    const response = await fetch(origin, { method: 'PUT', body, duplex: 'half' });
    expect(await response.text()).toBe(`${size} ${whole}`);
  });

  test('bodies cross each other piece by piece', async ({ stage }) => {
    const app = await stage.serve((request, response) => void request.pipe(response), { over });
    const { port } = await startFront(stage, { to: app.address });
    const socket = await dial(stage, port);
    socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    let offered = 0;
    for (const block of pattern(size)) {
      offered += block.length;
      if (!socket.write(block)) await within(once(socket, 'drain'), 5_000, `room after ${offered} bytes`);
    }
    await within(once(socket, 'end'), 25_000, 'the end of the echo');
    expect(received).toBeGreaterThan(size);
  });
});
