// Peers that come and do nothing, or next to nothing. Their number must not matter to others, and there is an end to
// each of them.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks } from '../support/leaks.js';
import { answerOf, ask, deadlineMs, greeting, head, inParallel, open } from './support/client.js';
import { startServerProcess } from './support/server-process.js';

const MiB = 1024 * 1024;

/** Sends `bytes` one by one, a byte each `everyMs`, until the connection ends; then begins again. */
function drip(socket: Socket, bytes: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes[at % bytes.length] ?? '', 'latin1');
    at += 1;
  }, everyMs);
  socket.on('end', () => clearInterval(timer)).on('close', () => clearInterval(timer));
}

/** Milliseconds until `promise` settles. */
async function timeOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise;
  return performance.now() - start;
}

describe('a slow request', () => {
  const headersTimeout = 400;

  it.each([
    ['nothing at all', ''],
    ['a length and nothing more', '70:'],
    ['half of a head', head().slice(0, 40)],
  ])('of %s is answered 408 after headersTimeout', async (_name, bytes) => {
    const { port } = await startServerProcess({ options: { headersTimeout } });
    const socket = await open(port);
    socket.write(bytes);
    const answer = answerOf(socket);
    // The server began to count a little earlier: when it accepted.
    expect(await timeOf(answer)).toBeGreaterThan(headersTimeout * 0.7);
    expect(await answer).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_HEAD_TIMEOUT/);
  });

  it('whose head drips on without an end is answered 408 after headersTimeout all the same', async () => {
    const { port } = await startServerProcess({ options: { headersTimeout } });
    const socket = await open(port);
    drip(socket, `100000:${'A'.repeat(1000)}`, 10);
    expect(await answerOf(socket)).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_HEAD_TIMEOUT/);
  });

  it('whose head drips in time is served', async () => {
    const { port } = await startServerProcess();
    const socket = await open(port);
    const answer = answerOf(socket);
    for (const byte of head()) await new Promise((sent) => socket.write(byte, 'latin1', sent));
    expect(await answer).toBe(greeting);
  });

  it('whose body never comes is answered 408 after idleTimeout', async () => {
    const { port } = await startServerProcess({ options: { idleTimeout: 400 } });
    const bytes = head({ REQUEST_URI: '/digest', CONTENT_LENGTH: '1000' });
    expect(await ask(port, bytes)).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_IDLE_TIMEOUT/);
  });

  it('whose body drips without an end is answered 408 after requestTimeout', async () => {
    const { port } = await startServerProcess({ options: { headersTimeout, requestTimeout: 800 } });
    const socket = await open(port);
    socket.write(head({ REQUEST_URI: '/digest', CONTENT_LENGTH: '1000000' }));
    drip(socket, 'x', 10);
    expect(await answerOf(socket)).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_REQUEST_TIMEOUT/);
  });
});

describe('a peer that does not go', () => {
  it.each([
    ['is silent', false],
    ['drips on', true],
  ])('after it was answered 408 and %s is cut off within the linger bound', async (_name, drips) => {
    const server = await startServerProcess({ options: { headersTimeout: 200, lingerTimeout: 200 } });
    await ask(server.port);
    const before = server.descriptors();
    const socket = await open(server.port);
    if (drips) drip(socket, '1', 20);
    // It reads the answer and its end, and keeps its own side open.
    const answered = new Promise((resolve) => socket.once('end', resolve));
    socket.resume();
    await within(answered, deadlineMs, 'the answer');
    await expectNoLeaks(before, server.pid, 5000);
    socket.destroy();
  });

  it('but asks for a large response and never reads is cut off after idleTimeout, and little is held for it', async () => {
    const server = await startServerProcess({ options: { idleTimeout: 300 } });
    await ask(server.port);
    const before = server.descriptors();
    const held = server.memory('VmRSS');
    const socket = await open(server.port);
    socket.pause();
    socket.write(head({ REQUEST_URI: '/bytes?size=200000000' }));
    await until(async () => (await server.facts()).aborted === 1, deadlineMs, 'the end of the response');
    await expectNoLeaks(before, server.pid);
    expect(server.memory('VmHWM') - held).toBeLessThan(32 * MiB);
    expect(await server.facts()).toMatchObject({ connections: 0, unhandled: [] });
    socket.destroy();
  });

  it('but waits for a slow application is left alone, however long that takes', async () => {
    const server = await startServerProcess({ options: { idleTimeout: 100, headersTimeout: 800 } });
    const socket = await open(server.port);
    const begun = once(socket, 'data');
    socket.write(head({ REQUEST_URI: '/half' }));
    await within(begun, deadlineMs, 'the first half');
    // Another one runs into a later deadline meanwhile.
    expect(await ask(server.port, '')).toContain('ERR_SCGI_HEAD_TIMEOUT');
    expect(await server.facts()).toMatchObject({ aborted: 0 });
    expect(socket.readableEnded || socket.destroyed).toBe(false);
    socket.destroy();
    await until(async () => (await server.facts()).aborted === 1, deadlineMs, 'the abort');
  });
});

describe('2,000 idle peers and 500 that drip', () => {
  // The defaults: 10 s, and a sweep each second.
  const headersTimeout = 10_000;
  const sweepMs = 1000;
  /** What a busy machine may add. */
  const slackMs = 4000;

  it('are all gone within headersTimeout and a sweep, while others are served', async () => {
    const server = await startServerProcess();
    for (let warm = 0; warm < 50; warm += 1) await ask(server.port);
    const before = server.descriptors();
    const held = server.memory('VmRSS');

    const answers = new Map<string, number>();
    let longest = 0;
    const ended: Promise<unknown>[] = [];
    await inParallel(2500, 100, async (index) => {
      const socket = await open(server.port);
      const start = performance.now();
      if (index % 5 === 4) drip(socket, `9999:${'A'.repeat(1000)}`, 500);
      const end = answerOf(socket, headersTimeout + deadlineMs).then((text) => {
        longest = Math.max(longest, performance.now() - start);
        const status = text.slice(0, 'Status: 408'.length);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      });
      ended.push(end);
    });
    let goodOnes = 0;
    let over = false;
    const all = Promise.all(ended).finally(() => (over = true));
    while (!over) {
      expect(await ask(server.port)).toBe(greeting);
      goodOnes += 1;
    }
    await all;

    expect(goodOnes).toBeGreaterThan(20);
    expect(Object.fromEntries(answers)).toEqual({ 'Status: 408': 2500 });
    expect(longest).toBeLessThan(headersTimeout + sweepMs + slackMs);
    const grown = server.memory('VmHWM') - held;
    // Measured: 21 KiB for each, most of it the objects of Node's sockets.
    expect(grown).toBeLessThan(2500 * 64 * 1024);
    expect((await server.facts()).unhandled).toEqual([]);
    await expectNoLeaks(before, server.pid);
  }, 60_000);
});
