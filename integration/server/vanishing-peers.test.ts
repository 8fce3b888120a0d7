// Peers that vanish, in order (FIN) or not (RST), at every stage of a request and of its response. None of them costs a
// descriptor, an unhandled error or the next client's answer.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks } from '../support/leaks.js';
import { ask, deadlineMs, greeting, head, inParallel, open } from './support/client.js';
import { startServerProcess, type ServerProcess } from './support/server-process.js';

const upload = head({ REQUEST_METHOD: 'POST', REQUEST_URI: '/digest', CONTENT_LENGTH: '100000' });

interface Stage {
  readonly name: string;
  readonly bytes: string;
  /** How the client sees that the server has come so far; without, that the bytes are sent. */
  readonly reached?: (socket: Socket) => Promise<unknown>;
  /** Requests that reach the application, and how many of them end without a whole response. */
  readonly requests: number;
  readonly aborted: number;
}

const firstBytes = (socket: Socket): Promise<unknown> => once(socket, 'data');

const stages: readonly Stage[] = [
  { name: 'before the first byte', bytes: '', requests: 0, aborted: 0 },
  { name: 'inside the length', bytes: '7', requests: 0, aborted: 0 },
  { name: 'inside the head', bytes: head().slice(0, 30), requests: 0, aborted: 0 },
  { name: 'one byte before the end of the head', bytes: head().slice(0, -1), requests: 0, aborted: 0 },
  { name: 'after the head, before the body', bytes: upload, requests: 1, aborted: 1 },
  { name: 'inside the body', bytes: upload + 'x'.repeat(50_000), requests: 1, aborted: 1 },
  {
    name: 'inside the response, the rest of which is to come',
    bytes: head({ REQUEST_URI: '/half' }),
    reached: firstBytes,
    requests: 1,
    aborted: 1,
  },
  {
    name: 'inside a response that does not fit into the socket',
    bytes: head({ REQUEST_URI: '/bytes?size=50000000' }),
    reached: firstBytes,
    requests: 1,
    aborted: 1,
  },
  { name: 'after the response', bytes: head(), reached: firstBytes, requests: 1, aborted: 0 },
  {
    name: 'after the answer to half a body',
    bytes: `${head({ CONTENT_LENGTH: '100000' })}half`,
    reached: firstBytes,
    requests: 1,
    aborted: 0,
  },
  {
    name: 'after an error was answered',
    bytes: 'GET / HTTP/1.1\r\n\r\n',
    reached: firstBytes,
    requests: 0,
    aborted: 0,
  },
];

/** Brings one peer to the stage and lets it go: with a reset, or with a FIN and not a sign of life after it. */
async function vanish(server: ServerProcess, stage: Stage, how: 'FIN' | 'RST'): Promise<Socket> {
  const socket = await open(server.port);
  const reached = stage.reached?.(socket);
  if (stage.bytes !== '') await within(new Promise((sent) => socket.write(stage.bytes, sent)), deadlineMs, 'sending');
  await within(reached ?? Promise.resolve(), deadlineMs, `the stage ${stage.name}`);
  socket.pause();
  // An EOF right behind the request would be a half-close and no good-bye: each round trip takes the server a turn.
  for (let turn = 0; turn < 3; turn += 1) await server.facts();
  if (how === 'FIN') socket.end();
  else socket.resetAndDestroy();
  return socket;
}

describe('a peer that vanishes', () => {
  const times = 20;

  describe.each(['FIN', 'RST'] as const)('with a %s', (how) => {
    it.each(stages.map((stage) => [stage.name, stage] as const))('%s leaves nothing behind', async (_name, stage) => {
      const server = await startServerProcess();
      await ask(server.port);
      const before = server.descriptors();
      const peers = await Promise.all(Array.from({ length: times }, () => vanish(server, stage, how)));
      await expectNoLeaks(before, server.pid);
      for (const peer of peers) peer.destroy();
      expect(await ask(server.port)).toBe(greeting);
      const { requests, aborted, connections, unhandled } = await server.facts();
      expect(unhandled).toEqual([]);
      expect(connections).toBe(0);
      // A reset may overtake what was sent before it, so not every request need arrive.
      if (how === 'FIN')
        expect({ requests, aborted }).toEqual({ requests: 2 + times * stage.requests, aborted: times * stage.aborted });
      else expect(aborted).toBeLessThanOrEqual(times * stage.requests);
    });
  });

  it('while the application thinks is noticed, before the application answers', async () => {
    const server = await startServerProcess();
    const socket = await open(server.port);
    socket.write(head({ REQUEST_URI: '/never' }));
    await until(async () => (await server.facts()).requests === 1, deadlineMs, 'the request');
    socket.destroy();
    await until(async () => (await server.facts()).aborted === 1, deadlineMs, 'the abort');
    expect(await server.facts()).toMatchObject({ connections: 0, unhandled: [] });
  });
});

describe('200 peers that reset in the middle of a large response', () => {
  it('cost nothing but their own responses', async () => {
    const server = await startServerProcess();
    await ask(server.port);
    const before = server.descriptors();
    const sockets: Socket[] = [];
    await inParallel(200, 50, async () => {
      const socket = await open(server.port);
      const begun = firstBytes(socket);
      socket.write(head({ REQUEST_URI: '/bytes?size=100000000' }));
      await within(begun, deadlineMs, 'the first bytes');
      socket.pause();
      sockets.push(socket);
    });
    expect((await server.facts()).connections).toBe(200);
    for (const socket of sockets) socket.resetAndDestroy();
    expect(await ask(server.port)).toBe(greeting);
    await expectNoLeaks(before, server.pid);
    expect(await server.facts()).toMatchObject({ requests: 202, aborted: 200, connections: 0, unhandled: [] });
  });
});
