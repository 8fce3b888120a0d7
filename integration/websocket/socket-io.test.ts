// Socket.IO, as it is, attached to an SCGI server behind a real nginx: both of its transports, and the way from the one
// to the other. What it does over polling alone is in middleware/socket-io.test.ts.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Server } from 'socket.io';
import { io as connect, type ManagerOptions, type Socket as Client, type SocketOptions } from 'socket.io-client';
import { describe, expect } from 'vitest';
import { test, transports, type Stage, type StagedApp, type Transport } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';

const stepMs = 5_000;

interface Scene {
  readonly io: Server;
  readonly app: StagedApp;
  readonly url: string;
  client(options?: Partial<ManagerOptions & SocketOptions>): Promise<Client>;
}

async function setUp(stage: Stage, over: Transport): Promise<Scene> {
  const app = await stage.serve((_request, response) => void response.end('plain'), { over });
  const io = new Server(app.server);
  stage.add(() => io.disconnectSockets(true));
  const { origin: url } = await stage.nginx({ to: app.address });
  const client: Scene['client'] = async (options) => {
    const socket = connect(url, { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 10, ...options });
    stage.add(() => socket.disconnect());
    await within(event(socket, 'connect'), stepMs, 'a connection');
    return socket;
  };
  return { io, app, url, client };
}

function event(socket: Client, name: string): Promise<unknown[]> {
  return new Promise((resolve) => socket.once(name, (...values: unknown[]) => resolve(values)));
}

/** All that `socket` hears by that name from now on. */
function hearing(socket: Client, name: string): unknown[] {
  const heard: unknown[] = [];
  socket.on(name, (value) => heard.push(value));
  return heard;
}

const kinds = [
  ['polling', { transports: ['polling'] }, 'polling'],
  ['WebSocket', { transports: ['websocket'] }, 'websocket'],
  ['polling that becomes WebSocket', {}, 'websocket'],
] as const;

describeWith('nginx', 'Socket.IO', () => {
  describe.each(transports)('over %s', (over) => {
    describe.each(kinds)(
      'by %s',
      (_kind, { transports: wanted = undefined }: { transports?: readonly string[] }, last) => {
        const options = wanted === undefined ? {} : { transports: [...wanted] };

        test('connects, acknowledges, and carries bytes', async ({ stage }) => {
          const { io, client } = await setUp(stage, over);
          io.on('connection', (peer) =>
            peer.on('add', (a, b, bytes, reply) => reply(a + b, Buffer.concat([bytes, bytes]))),
          );
          const socket = await client(options);
          await until(() => socket.io.engine.transport.name === last, stepMs, `the transport ${last}`);
          const large = Buffer.alloc(100_000, 7);
          const [sum, twice] = await within(
            new Promise<[number, Buffer]>((resolve) =>
              socket.emit('add', 20, 22, large, (...answer: [number, Buffer]) => resolve(answer)),
            ),
            stepMs,
            'the acknowledgement',
          );
          expect(sum).toBe(42);
          expect(twice.equals(Buffer.alloc(200_000, 7))).toBe(true);
          const peer = io.sockets.sockets.get(socket.id ?? '');
          expect(peer?.handshake.address).toBe('127.0.0.1');
          expect(peer?.conn.transport.name).toBe(last);
        });

        test('reaches rooms and nobody else', async ({ stage }) => {
          const { io, client } = await setUp(stage, over);
          io.on('connection', (peer) => peer.on('join', (room, reply) => reply(void peer.join(room))));
          const [red, alsoRed, blue] = [await client(options), await client(options), await client(options)];
          const heard = [red, alsoRed, blue].map((socket) => hearing(socket, 'news'));
          const join = (socket: Client, room: string): Promise<unknown> =>
            socket.timeout(stepMs).emitWithAck('join', room);
          await Promise.all([join(red, 'red'), join(alsoRed, 'red'), join(blue, 'blue')]);
          io.to('red').emit('news', 'red news');
          io.emit('news', 'for all');
          await until(() => heard.every((list) => list.includes('for all')), stepMs, 'the news');
          expect(heard).toEqual([['red news', 'for all'], ['red news', 'for all'], ['for all']]);
        });

        test('comes back after the server has broken the connection', async ({ stage }) => {
          const { io, app, client } = await setUp(stage, over);
          const socket = await client(options);
          await until(() => socket.io.engine.transport.name === last, stepMs, `the transport ${last}`);
          const first = socket.id;
          const again = event(socket, 'connect');
          const gone = event(socket, 'disconnect');
          for (const peer of io.sockets.sockets.values()) peer.conn.close();
          expect((await within(gone, stepMs, 'the end'))[0]).toMatch(/transport (?:close|error)/);
          await within(again, stepMs, 'the next connection');
          expect(socket.id).not.toBe(first);
          expect(io.engine.clientsCount).toBe(1);
          socket.disconnect();
          const nobody = (): boolean => io.engine.clientsCount === 0 && app.server.connectionCount === 0;
          await until(nobody, stepMs, 'the end of all connections');
        });
      },
    );

    test('leaves other requests and other upgrades alone', async ({ stage }) => {
      const { io, app, url, client } = await setUp(stage, over);
      expect((await httpRequest({ origin: url, path: '/other' })).text).toBe('plain');
      const upgraded = once(app.server, 'upgrade');
      await client({ transports: ['websocket'] });
      expect((await within(upgraded, stepMs, 'the upgrade'))[0].url).toMatch(
        /^\/socket\.io\/\?EIO=4&transport=websocket/,
      );
      expect(io.engine.clientsCount).toBe(1);
    });
  });

  describe('in two processes', () => {
    const setUpTwo = async (stage: Stage, balance: string): Promise<string> => {
      const places: string[] = [];
      for (const name of ['one', 'two']) {
        const app = await stage.serve(() => {});
        const io = new Server(app.server);
        stage.add(() => io.disconnectSockets(true));
        io.on('connection', (peer) => peer.on('who', (reply) => reply(name)));
        places.push(`server ${app.address};`);
      }
      const params = ['/etc/nginx', '/usr/local/etc/nginx', '/opt/homebrew/etc/nginx'].find(existsSync);
      const { origin } = await stage.nginx({
        locations: [],
        httpDirectives: [`upstream both { ${balance} ${places.join(' ')} }`],
        serverDirectives: [`location / { include ${params}/scgi_params; scgi_pass both; }`],
      });
      return origin;
    };

    const dial = (stage: Stage, url: string, wanted: string[]): Client => {
      const socket = connect(url, { forceNew: true, reconnection: false, transports: wanted });
      stage.add(() => socket.disconnect());
      return socket;
    };

    test('needs each client at one of them for polling', async ({ stage }) => {
      const spread = dial(stage, await setUpTwo(stage, ''), ['polling']);
      expect(String((await within(event(spread, 'connect_error'), stepMs, 'a failure'))[0])).toMatch(
        /xhr (?:poll|post) error/,
      );
      const kept = dial(stage, await setUpTwo(stage, 'ip_hash;'), ['polling', 'websocket']);
      expect(['one', 'two']).toContain(await kept.timeout(stepMs).emitWithAck('who'));
    });

    test('needs nothing for WebSocket alone', async ({ stage }) => {
      const url = await setUpTwo(stage, '');
      const clients = [dial(stage, url, ['websocket']), dial(stage, url, ['websocket'])];
      const names = await Promise.all(clients.map((client) => client.timeout(stepMs).emitWithAck('who')));
      expect(names.toSorted()).toEqual(['one', 'two']);
    });
  });
});
