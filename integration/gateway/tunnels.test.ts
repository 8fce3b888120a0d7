// WebSockets through the stand-alone front: the packages ws and Socket.IO as they are, on both ends.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server as SocketIo } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';
import { describe, expect } from 'vitest';
import { createHttpFront } from '@scgi/gateway';
import { test, transports, type Stage, type Transport } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { Peer, refusal, stepMs } from '../websocket/support/peer.js';
import { echoAll } from '../websocket/support/scene.js';
import { startFront } from './support/front.js';

interface Scene {
  readonly webSockets: WebSocketServer;
  readonly origin: string;
  readonly errors: readonly unknown[];
  dial(options?: ClientOptions): Peer;
}

async function setUp(stage: Stage, over: Transport): Promise<Scene> {
  const app = await stage.serve((_request, response) => void response.end('plain'), { over });
  const webSockets = new WebSocketServer({ server: app.server, perMessageDeflate: { threshold: 0 } });
  const { origin, errors } = await startFront(stage, { to: app.address });
  const dial = (options: ClientOptions = {}): Peer => {
    const socket = new WebSocket(origin.replace('http', 'ws'), options);
    stage.add(() => socket.terminate());
    return new Peer(socket);
  };
  return { webSockets, origin, errors, dial };
}

describe.each(transports)('a WebSocket over %s', (over) => {
  test.for([0, 125, 65_536, 3_000_000])('echoes %i octets', async (size, { stage }) => {
    const { webSockets, dial } = await setUp(stage, over);
    echoAll(webSockets);
    const client = await dial({ perMessageDeflate: false }).opened();
    const bytes = randomBytes(size);
    expect(bytes.equals(Buffer.from(await client.ask(bytes)))).toBe(true);
    expect(await client.ask('grüß')).toBe('grüß');
  });

  test('may compress', async ({ stage }) => {
    const { webSockets, dial } = await setUp(stage, over);
    echoAll(webSockets);
    const client = await dial({ perMessageDeflate: { threshold: 0 } }).opened();
    expect(client.socket.extensions).toBe('permessage-deflate');
    expect(await client.ask('again '.repeat(10_000))).toBe('again '.repeat(10_000));
  });

  test('keeps 2,000 messages in order, both ways at once', async ({ stage }) => {
    const { webSockets, dial } = await setUp(stage, over);
    const met = once(webSockets, 'connection').then(([socket]) => new Peer(socket));
    const client = await dial().opened();
    const server = await within(met, stepMs, 'the connection at the server');
    const numbers = Array.from({ length: 2_000 }, (_, index) => `${index}`);
    for (const number of numbers) {
      client.socket.send(number);
      server.socket.send(number);
    }
    for (const end of [client, server]) {
      const seen: unknown[] = [];
      while (seen.length < numbers.length) seen.push(await end.next());
      expect(seen).toEqual(numbers);
    }
  });

  test('closes with its code from either side, and nothing stays open', async ({ stage }) => {
    const { webSockets, dial, errors } = await setUp(stage, over);
    const before = openDescriptors();
    webSockets.on('connection', (socket) => {
      socket.on('message', () => socket.close(4001, 'enough'));
      socket.on('error', () => {});
    });
    const left = await dial().opened();
    left.socket.send('close');
    expect(await left.ended()).toEqual({ code: 4001, reason: 'enough' });
    const leaver = await dial().opened();
    const [server] = webSockets.clients;
    const heard = server && new Peer(server).closed;
    leaver.socket.close(4002, 'bye');
    expect(await leaver.ended()).toEqual({ code: 4002, reason: 'bye' });
    expect(await within(heard ?? Promise.reject(new Error('no server side')), stepMs, 'the close')).toEqual({
      code: 4002,
      reason: 'bye',
    });
    const breaker = await dial().opened();
    breaker.socket.terminate();
    await until(() => webSockets.clients.size === 0, stepMs, 'the server hearing of the break');
    await expectNoLeaks(before);
    expect(errors).toEqual([]);
  });

  test('that the server refuses gets its answer', async ({ stage }) => {
    const { webSockets, dial } = await setUp(stage, over);
    webSockets.options.verifyClient = (_info, answer) => answer(false, 401, 'who are you');
    const { response, text } = await refusal(dial().socket);
    expect([response.statusCode, text]).toEqual([401, 'who are you']);
  });
});

test('the server that closes ends the WebSockets through its front', async ({ stage }) => {
  const app = await stage.serve((_request, response) => void response.end());
  const webSockets = new WebSocketServer({ server: app.server });
  const { origin } = await startFront(stage, { to: app.address });
  const client = await new Peer(new WebSocket(origin.replace('http', 'ws'))).opened();
  for (const socket of webSockets.clients) socket.close(1001);
  expect(await client.ended()).toMatchObject({ code: 1001 });
});

test('a front that closes breaks its WebSockets in time, and the backend hears of it', async ({ stage }) => {
  const app = await stage.serve((_request, response) => void response.end());
  const webSockets = new WebSocketServer({ server: app.server });
  const front = createHttpFront({ to: app.address, closeTimeout: 50 });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const address = front.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = await new Peer(new WebSocket(`ws://127.0.0.1:${port}`)).opened();
  const closed = once(front, 'close');
  front.close();
  await within(closed, 2_000, 'the close of the front');
  expect(await client.ended()).toMatchObject({ code: 1006 });
  await until(() => webSockets.clients.size === 0, stepMs, 'the server hearing of it');
});

test('a hundred WebSockets at once each get what is theirs', async ({ stage }) => {
  const { webSockets, dial } = await setUp(stage, 'unix');
  echoAll(webSockets);
  const clients = await Promise.all(Array.from({ length: 100 }, () => dial().opened()));
  const answers = await Promise.all(clients.map((client, index) => client.ask(`${index}`)));
  expect(answers).toEqual(clients.map((_, index) => `${index}`));
});

test('a WebSocket that is not read holds its sender back', async ({ stage }) => {
  const { webSockets, dial } = await setUp(stage, 'unix');
  const met = once(webSockets, 'connection').then(([socket]) => new Peer(socket));
  const client = await dial({ perMessageDeflate: false }).opened();
  const server = await within(met, stepMs, 'the connection at the server');
  client.socket.pause();
  const piece = Buffer.alloc(1 << 20);
  for (let sent = 0; sent < 64; sent += 1) server.socket.send(piece, { compress: false });
  let held = -1;
  await until(() => held === (held = server.socket.bufferedAmount), stepMs, 'a standstill');
  expect(held).toBeGreaterThan(32 << 20);
  client.socket.resume();
  for (let received = 0; received < 64; received += 1) expect((await client.next()).length).toBe(piece.length);
});

describe('Socket.IO', () => {
  test.for([['websocket'], ['polling'], ['polling', 'websocket']])('over %j', async (transports, { stage }) => {
    const app = await stage.serve((_request, response) => void response.end('plain'));
    const io = new SocketIo(app.server);
    stage.add(() => io.close());
    io.on('connection', (peer) => peer.on('twice', (bytes, reply) => reply(Buffer.concat([bytes, bytes]))));
    const { origin } = await startFront(stage, { to: app.address });
    const client = connect(origin, { transports, forceNew: true, reconnection: false });
    stage.add(() => client.disconnect());
    await within(new Promise((resolve) => client.once('connect', () => resolve(null))), stepMs, 'a connection');
    const wanted = transports.at(-1);
    await until(() => client.io.engine.transport.name === wanted, stepMs, `the transport ${wanted}`);
    const answer = new Promise((resolve) => client.emit('twice', Buffer.from([1, 255]), resolve));
    expect([...((await within(answer, stepMs, 'the reply')) as Buffer)]).toEqual([1, 255, 1, 255]);
  });
});

test('a front may hang on a server that somebody else has made', async ({ stage }) => {
  const app = await stage.serve((_request, response) => void response.end('plain'));
  const webSockets = new WebSocketServer({ server: app.server });
  echoAll(webSockets);
  const front = createHttpFront({ to: app.address });
  const server = createServer();
  for (const event of ['request', 'upgrade']) server.on(event, (...values) => void front.emit(event, ...values));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.add(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('plain');
  const client = await new Peer(new WebSocket(`ws://127.0.0.1:${port}`)).opened();
  stage.add(() => client.socket.terminate());
  expect(await client.ask('through')).toBe('through');
});
