// At the limits of the machine: no descriptors left, bodies larger than memory.

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks } from '../support/leaks.js';
import { answerOf, ask, deadlineMs, greeting, head, inParallel, open } from './support/client.js';
import { startServerProcess } from './support/server-process.js';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const block = Buffer.alloc(MiB, 'scgi');

describe('a server without a free descriptor', () => {
  const maxDescriptors = 64;

  it('goes on with the connections that it has, and takes new ones when some are closed', async () => {
    const server = await startServerProcess({ maxDescriptors });
    expect(await ask(server.port)).toBe(greeting);
    const before = server.descriptors();

    // One that was there before, in the middle of a request.
    const early = await open(server.port);
    const earlyAnswer = answerOf(early);
    early.write(head().slice(0, 20));
    await until(async () => (await server.facts()).connections === 1, deadlineMs, 'the early connection');

    const crowd: Socket[] = [];
    await inParallel(3 * maxDescriptors, 32, async () => void crowd.push(await open(server.port)));
    await until(() => server.descriptors().length > maxDescriptors - 8, deadlineMs, 'the descriptors running out');

    early.write(head().slice(20));
    expect(await earlyAnswer).toBe(greeting);
    for (const socket of crowd) socket.destroy();
    // libuv keeps a spare descriptor to refuse connections with: now on /, at first on /dev/null.
    await expectNoLeaks([...before, '/'], server.pid);
    for (let request = 0; request < 20; request += 1) expect(await ask(server.port)).toBe(greeting);
    expect(await server.facts()).toMatchObject({ requests: 22, unhandled: [] });
  });

  it('leaves nobody of a crowd waiting for ever: each is served, answered or closed', async () => {
    const server = await startServerProcess({ options: { headersTimeout: 300 }, maxDescriptors });
    const answers = new Map<string, number>();
    await inParallel(256, 256, async (index) => {
      const answer = await ask(server.port, index % 2 === 0 ? head() : '1');
      const status = answer.slice(0, 'Status: 200'.length);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    });
    const {
      '': closed = 0,
      'Status: 200': served = 0,
      'Status: 408': late = 0,
      ...other
    } = Object.fromEntries(answers);
    expect(other).toEqual({});
    expect(closed + served + late).toBe(256);
    expect(served).toBeGreaterThan(0);
    expect(await ask(server.port)).toBe(greeting);
    expect((await server.facts()).unhandled).toEqual([]);
  });
});

describe('1 GiB through a process that may use 64 MiB of heap', () => {
  const nodeArguments = ['--max-old-space-size=64'];
  const transferMs = 50_000;

  it('uploaded arrives whole and is never held', async () => {
    const server = await startServerProcess({ nodeArguments });
    await ask(server.port);
    const held = server.memory('VmRSS');
    const socket = await open(server.port);
    const answer = answerOf(socket, transferMs);
    socket.write(head({ REQUEST_METHOD: 'POST', REQUEST_URI: '/digest', CONTENT_LENGTH: String(GiB) }));
    const hash = createHash('sha256');
    for (let sent = 0; sent < GiB; sent += block.length) {
      hash.update(block);
      if (!socket.write(block))
        await within(new Promise((resolve) => socket.once('drain', resolve)), deadlineMs, 'drain');
    }
    expect(await answer).toMatch(new RegExp(`\\r\\n\\r\\n${GiB} ${hash.digest('hex')}$`));
    expect(server.memory('VmHWM') - held).toBeLessThan(64 * MiB);
  }, 60_000);

  it('downloaded arrives whole and is never held', async () => {
    const server = await startServerProcess({ nodeArguments });
    await ask(server.port);
    const held = server.memory('VmRSS');
    const socket = await open(server.port);
    let received = 0;
    let start = '';
    socket.on('data', (chunk: Buffer) => {
      if (received === 0) start = chunk.toString('latin1');
      received += chunk.length;
    });
    const ended = new Promise((resolve) => socket.once('end', resolve));
    socket.write(head({ REQUEST_URI: `/bytes?size=${GiB}` }));
    await within(ended, transferMs, 'the end of the response');
    expect(received - (start.indexOf('\r\n\r\n') + 4)).toBe(GiB);
    expect(server.memory('VmHWM') - held).toBeLessThan(64 * MiB);
    socket.destroy();
  }, 60_000);
});
