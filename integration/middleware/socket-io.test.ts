// Socket.IO, as it is, attached to an SCGI server, over long polling. Its WebSocket transport is not tested here.

import { createScgiServer, type ScgiServer } from '@scgi/core';
import { Server } from 'socket.io';
import { io as connect, type Socket as Client } from 'socket.io-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { until, within } from '../support/deadline.js';
import { httpRequest } from '../support/http-client.js';
import { startNginx } from '../support/nginx.js';
import { serveFront } from './support/both-ways.js';

interface Scene {
  readonly io: Server;
  readonly url: string;
  client(): Promise<Client>;
}

type Way = (address: string) => Promise<string>;

const throughFront: Way = async (address) => (await serveFront(address)).url;

const throughNginx: Way = async (address) => {
  const nginx = await startNginx({ to: address });
  onTestFinished(nginx.stop);
  return nginx.origin;
};

async function setUp(way: Way): Promise<Scene> {
  const server: ScgiServer = createScgiServer((_req, res) => void res.end('not socket.io'));
  const io = new Server(server, { transports: ['polling'], pingInterval: 300, pingTimeout: 2_000 });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => io.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = await way(`127.0.0.1:${port}`);
  const client = async (): Promise<Client> => {
    const socket = connect(url, { transports: ['polling'], forceNew: true, reconnection: false });
    onTestFinished(() => void socket.disconnect());
    await within(event(socket, 'connect'), 5_000, 'a connection');
    return socket;
  };
  return { io, url, client };
}

function event(socket: Client, name: string): Promise<unknown[]> {
  return new Promise((resolve) => socket.once(name, (...values: unknown[]) => resolve(values)));
}

function describeSocketIo(title: string, way: Way): void {
  describe(title, () => {
    test('connects a client, with the facts of its request', async () => {
      const { io, client } = await setUp(way);
      const socket = await client();
      expect(io.engine.clientsCount).toBe(1);
      const peer = [...io.sockets.sockets.values()][0];
      expect(peer?.id).toBe(socket.id);
      expect(peer?.handshake.address).toBe('127.0.0.1');
      expect(peer?.conn.transport.name).toBe('polling');
    });

    test('acknowledges what a client emits, bytes too', async () => {
      const { io, client } = await setUp(way);
      io.on('connection', (peer) =>
        peer.on('add', (a, b, bytes, reply) => reply(a + b, Buffer.concat([bytes, bytes]))),
      );
      const socket = await client();
      const answer = new Promise((resolve) =>
        socket.emit('add', 20, 22, Buffer.from([0, 255]), (sum: number, bytes: Buffer) => resolve([sum, [...bytes]])),
      );
      expect(await within(answer, 5_000, 'the acknowledgement')).toEqual([42, [0, 255, 0, 255]]);
    });

    test('carries what one client says to the other', async () => {
      const { io, client } = await setUp(way);
      io.on('connection', (peer) => peer.on('say', (what) => peer.broadcast.emit('said', what)));
      const [speaker, listener] = [await client(), await client()];
      let echoes = 0;
      speaker.on('said', () => (echoes += 1));
      const heard = event(listener, 'said');
      speaker.emit('say', { text: 'grüß dich' });
      expect(await within(heard, 5_000, 'the message')).toEqual([{ text: 'grüß dich' }]);
      expect(echoes).toBe(0);
    });

    test('carries a message that is larger than one packet', async () => {
      const { io, client } = await setUp(way);
      io.on('connection', (peer) => peer.on('echo', (text, reply) => reply(text)));
      const socket = await client();
      const large = 'x'.repeat(500_000);
      const answer = new Promise<string>((resolve) => socket.emit('echo', large, resolve));
      expect(await within(answer, 5_000, 'the echo')).toBe(large);
    });

    test('stays connected over several pings', async () => {
      const { io, client } = await setUp(way);
      const socket = await client();
      let pings = 0;
      socket.io.engine.on('ping', () => (pings += 1));
      await until(() => pings >= 3, 5_000, 'three pings');
      expect(socket.connected).toBe(true);
      expect(io.engine.clientsCount).toBe(1);
    });

    test('tells the server when a client leaves, and the client when the server throws it out', async () => {
      const { io, client } = await setUp(way);
      const reasons: string[] = [];
      io.on('connection', (peer) => peer.on('disconnect', (reason) => reasons.push(reason)));
      const leaver = await client();
      leaver.disconnect();
      await until(() => reasons.length > 0, 5_000, 'the end at the server');
      expect(reasons).toEqual(['client namespace disconnect']);
      const guest = await client();
      const gone = event(guest, 'disconnect');
      io.disconnectSockets(true);
      expect((await within(gone, 5_000, 'the end at the client'))[0]).toBe('io server disconnect');
    });

    test('leaves requests that are not its own to the listener, and serves its client script', async () => {
      const { url } = await setUp(way);
      expect((await httpRequest({ origin: url, path: '/other' })).text).toBe('not socket.io');
      const script = await httpRequest({ origin: url, path: '/socket.io/socket.io.js' });
      expect(script.headers['content-type']).toMatch(/javascript/);
      expect(script.body.byteLength).toBeGreaterThan(10_000);
    });
  });
}

describeSocketIo('Socket.IO over SCGI', throughFront);
describeWith('nginx', 'Socket.IO behind nginx', () => describeSocketIo('over long polling', throughNginx));
