// What a Fetch application holds of large bodies: next to nothing, however slow the reader is.

import { connect } from 'node:net';
import { encodeRequest } from '@scgi/core/protocol';
import { describe, expect } from 'vitest';
import type { AppProcess } from '../nginx/support/app-process.js';
import { test, transports, type Stage, type Transport } from '../nginx/support/stage.js';
import { standstill } from '../nginx/support/standstill.js';
import { until, within } from '../support/deadline.js';

const size = 200 << 20;
const allowedBytes = 64 << 20;

describe.each(transports)('over %s', (over) => {
  test('an upload of 200 MB to a slow reader is held by the client', { timeout: 60_000 }, async ({ stage }) => {
    const app = await startApp(stage, over);
    const before = await app.facts();
    const socket = open(stage, app, '/upload', size);
    const chunk = Buffer.alloc(1 << 20);
    let written = 0;
    const push = (): void => {
      while (written < size) {
        written += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on('drain', push);
    push();
    expect(await standsStill(() => socket.bytesWritten - socket.writableLength)).toBeLessThan(size / 4);
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => (text += data)).on('close', () => resolve(text));
    });
    await app.ask('release');
    expect(await within(answered, 30_000, 'the answer')).toContain(`{"size":${size}}`);
    expect((await app.facts()).peakRssBytes - before.rssBytes).toBeLessThan(allowedBytes);
  });

  test('a response of 200 MB to a slow client is made as it takes it', { timeout: 60_000 }, async ({ stage }) => {
    const app = await startApp(stage, over);
    const before = await app.facts();
    const socket = open(stage, app, `/bytes?size=${size}`, 0);
    let received = 0;
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('data', (data) => (received += data.length));
    socket.pause();
    expect(await standsStill(async () => sentBytes(await app.ask('moved')))).toBeLessThan(size / 4);
    socket.resume();
    await within(ended, 30_000, 'the end');
    expect(received).toBeGreaterThan(size);
    expect((await app.facts()).peakRssBytes - before.rssBytes).toBeLessThan(allowedBytes);
  });
});

async function startApp(stage: Stage, over: Transport): Promise<AppProcess> {
  return stage.fork('../../adapters/support/fetch-app.js', { over });
}

function open(stage: Stage, app: AppProcess, target: string, length: number): ReturnType<typeof connect> {
  const [host, port] = app.address.split(':');
  const socket = app.address.startsWith('unix:')
    ? connect(app.address.slice('unix:'.length))
    : connect(Number(port), host);
  stage.add(() => socket.destroy());
  const method = length > 0 ? 'POST' : 'GET';
  socket.write(encodeRequest(['REQUEST_METHOD', method, 'REQUEST_URI', target, 'HTTP_HOST', 'a.test'], length));
  return socket;
}

function sentBytes(moved: unknown): number {
  return typeof moved === 'object' && moved !== null && 'sent' in moved ? Number(moved.sent) : NaN;
}

/** Waits until a count has begun to rise and rises no more. Returns it. */
async function standsStill(count: () => number | Promise<number>): Promise<number> {
  await until(async () => (await count()) > 0, 5_000, 'the first bytes');
  return standstill(count);
}
