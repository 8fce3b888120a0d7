// Much at once: readers that do not keep up, in both directions, and many WebSockets at a time.

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect } from 'vitest';
import { createWebSocketStream } from 'ws';
import { test, transports } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { combinedWith } from '../support/combinations.js';
import { describeWith } from '../support/front-ends.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Peer } from './support/peer.js';
import { echoAll, setUpScene } from './support/scene.js';

const chunkBytes = 256 * 1024;
const chunks = 256; // 64 MiB in all
const allMs = 25_000;

describeWith('nginx', 'WebSockets under load', () => {
  describe.each(combinedWith(0, transports))('over %s', (over) => {
    test('hold 64 MiB back while the client does not read', async ({ stage }) => {
      const { meet } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      client.socket.pause();
      const sending = sendAll(server);
      await sending.stalled();
      // What the kernel and nginx hold on the way is little.
      expect(sending.sentBytes()).toBeLessThan(24 * 1024 * 1024);
      expect(sending.mostBuffered()).toBeLessThanOrEqual(2 * chunkBytes + 1024);
      const received = receiveAll(client);
      client.socket.resume();
      await within(sending.done, allMs, 'sending');
      expect(await within(received, allMs, 'receiving')).toBe(sending.digest());
      expect(server.socket.bufferedAmount).toBe(0);
    });

    test('let the client feel that the server does not read', async ({ stage }) => {
      const { meet, app } = await setUpScene(stage, { over });
      const sockets: Socket[] = [];
      app.server.on('connection', (socket: Socket) => sockets.push(socket));
      const { client, server } = await meet();
      server.socket.pause();
      const sending = sendAll(client);
      await sending.stalled();
      expect(sending.sentBytes()).toBeLessThan(24 * 1024 * 1024);
      expect(sockets[0]?.readableLength).toBeLessThanOrEqual(256 * 1024);
      const received = receiveAll(server);
      server.socket.resume();
      await within(sending.done, allMs, 'sending');
      expect(await within(received, allMs, 'receiving')).toBe(sending.digest());
    });

    test('carry a stream with back-pressure at both ends', async ({ stage }) => {
      const { webSockets, meet } = await setUpScene(stage, { over });
      webSockets.on('connection', (socket) => {
        const stream = createWebSocketStream(socket);
        void pipeline(stream, stream).catch(() => {});
      });
      const { client } = await meet();
      const stream = createWebSocketStream(client.socket);
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        received.update(chunk);
        bytes += chunk.length;
        if (bytes === 64 * chunkBytes) stream.end();
      });
      const source = Readable.from(numberedChunks(64, (chunk) => sent.update(chunk)));
      source.pipe(stream, { end: false });
      await within(client.closed, allMs, 'the end of the stream');
      expect(bytes).toBe(64 * chunkBytes);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    });

    test('are served 200 at once, and nothing stays of them', async ({ stage }) => {
      const { webSockets, app, meet, dial } = await setUpScene(stage, { over });
      echoAll(webSockets);
      await (await meet()).client.ask('warm');
      await until(() => app.server.connectionCount === 1, 1_000, 'one connection');
      const before = openDescriptors();
      const clients = await Promise.all(Array.from({ length: 200 }, () => dial().opened()));
      expect(app.server.connectionCount).toBe(201);
      expect(webSockets.clients.size).toBe(201);
      for (let round = 0; round < 3; round += 1) {
        const echoes = await Promise.all(clients.map((client, index) => client.ask(`${round} for ${index}`)));
        expect(echoes).toEqual(clients.map((_, index) => `${round} for ${index}`));
      }
      for (const [index, { socket }] of clients.entries()) {
        if (index % 2 === 0) socket.close();
        else socket.terminate();
      }
      await until(() => webSockets.clients.size === 1, 5_000, 'the end of the WebSockets');
      await until(() => app.server.connectionCount === 1, 5_000, 'the end of the connections');
      await expectNoLeaks(before);
    });
  });
});

interface Sending {
  /** Resolves when nothing has moved for a while. */
  stalled(): Promise<void>;
  /** What the socket has taken. */
  sentBytes(): number;
  mostBuffered(): number;
  digest(): string;
  readonly done: Promise<void>;
}

/** Sends 64 MiB as an application should: no more while two chunks wait. */
function sendAll({ socket }: Peer): Sending {
  const hash = createHash('sha256');
  let sent = 0;
  let most = 0;
  let progress = (): void => {};
  const send = async (): Promise<void> => {
    for (const chunk of numberedChunks(chunks, (each) => hash.update(each))) {
      socket.send(chunk, () => {
        sent += chunk.length;
        progress();
      });
      most = Math.max(most, socket.bufferedAmount);
      while (socket.bufferedAmount > chunkBytes) await new Promise<void>((resolve) => (progress = resolve));
    }
    while (socket.bufferedAmount > 0) await new Promise<void>((resolve) => (progress = resolve));
  };
  const stalled = async (): Promise<void> => {
    let [last, since] = [-1, 0];
    const isStill = (): boolean => {
      if (sent !== last) [last, since] = [sent, performance.now()];
      return sent > 0 && socket.bufferedAmount > 0 && performance.now() - since > 300;
    };
    await until(isStill, allMs, 'a standstill');
  };
  return {
    stalled,
    sentBytes: () => sent,
    mostBuffered: () => most,
    digest: () => hash.copy().digest('hex'),
    done: send(),
  };
}

/** The digest of all 64 MiB. */
async function receiveAll(peer: Peer): Promise<string> {
  const hash = createHash('sha256');
  for (let count = 0; count < chunks; count += 1) hash.update(await peer.next());
  return hash.digest('hex');
}

function* numberedChunks(count: number, each: (chunk: Buffer) => void): Generator<Buffer> {
  for (let index = 0; index < count; index += 1) {
    const chunk = Buffer.alloc(chunkBytes, index);
    each(chunk);
    yield chunk;
  }
}
