// The WebSocket handshake through a real nginx: what the application learns of the client, and how it refuses.

import { serveScgi } from '@scgi/adapter-express';
import express from 'express';
import type { IncomingMessage } from 'node:http';
import { describe, expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { createCertificate } from '../nginx/support/certificate.js';
import { test, transports } from '../nginx/support/stage.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { refusal, stepMs } from './support/peer.js';
import { echoAll, putNginxBefore, setUpScene } from './support/scene.js';

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

describeWith('nginx', 'the WebSocket handshake', () => {
  describe.each(transports)('over %s', (over) => {
    test('tells the application who asks for what', async ({ stage }) => {
      const { meet } = await setUpScene(stage, { over });
      const headers = { Host: 'chat.test', Cookie: 'session=abc; theme=dark', 'X-Forwarded-For': '198.51.100.66' };
      const { request } = await meet({ path: '/room%2F1?as=me', origin: 'http://example.test', headers });
      expect(request).toMatchObject({ method: 'GET', url: '/room%2F1?as=me', httpVersion: '1.1', upgrade: true });
      expect(request.headers).toMatchObject({
        host: 'chat.test',
        origin: 'http://example.test',
        cookie: 'session=abc; theme=dark',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
      });
      expect(request.socket).toMatchObject({ remoteAddress: '127.0.0.1', remoteFamily: 'IPv4' });
      expect(request.socket.remotePort).toBeGreaterThan(0);
      expect(request.socket.remotePort).toBe(Number(request.scgi.env['REMOTE_PORT']));
      expect('encrypted' in request.socket).toBe(false);
    });

    test('can be refused with an answer that the client reads', async ({ stage }) => {
      const { dial, webSockets } = await setUpScene(stage, {
        over,
        webSocket: {
          verifyClient({ req }, decide) {
            if (req.headers.authorization === 'Bearer good') decide(true);
            else if (req.headers.authorization === undefined)
              decide(false, 401, 'who are you?', { 'WWW-Authenticate': 'Bearer' });
            else decide(false, 403, 'not you');
          },
        },
      });
      echoAll(webSockets);
      const stranger = await refusal(dial().socket);
      expect(stranger.response).toMatchObject({ statusCode: 401, statusMessage: 'Unauthorized' });
      expect(stranger.response.headers['www-authenticate']).toBe('Bearer');
      expect(stranger.text).toBe('who are you?');
      const liar = await refusal(dial({ headers: { Authorization: 'Bearer bad' } }).socket);
      expect(liar).toMatchObject({ response: { statusCode: 403 }, text: 'not you' });
      const friend = await dial({ headers: { Authorization: 'Bearer good' } }).opened();
      expect(await friend.ask('hello')).toBe('hello');
    });

    test('is routed by its path where the application does it itself', async ({ stage }) => {
      const app = await stage.serve((_request, response) => void response.end('plain'), { over });
      const rooms = new Map(['/a', '/b'].map((path) => [path, new WebSocketServer({ noServer: true })]));
      app.server.on('upgrade', (request, socket, head) => {
        const room = rooms.get(request.url ?? '');
        if (room === undefined) return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno room\n');
        return room.handleUpgrade(request, socket, head, (webSocket) => room.emit('connection', webSocket, request));
      });
      for (const [path, room] of rooms) room.on('connection', (socket) => socket.send(`room ${path}`));
      const { dial } = await putNginxBefore(stage, app, new WebSocketServer({ noServer: true }));
      for (const path of ['/a', '/b', '/a']) expect(await dial({ path }).next()).toBe(`room ${path}`);
      expect(await refusal(dial({ path: '/c' }).socket)).toMatchObject({
        response: { statusCode: 404, statusMessage: 'Not Found' },
        text: 'no room\n',
      });
    });

    test('that the application hangs up on is a 502 of nginx', async ({ stage }) => {
      const app = await stage.serve(() => {}, { over });
      app.server.on('upgrade', (_request, socket) => socket.destroy());
      const { dial } = await putNginxBefore(stage, app, new WebSocketServer({ noServer: true }));
      expect((await refusal(dial().socket)).response.statusCode).toBe(502);
    });

    test('is a normal request where nobody listens for upgrade', async ({ stage }) => {
      const seen: IncomingMessage[] = [];
      const app = await stage.serve((request, response) => (seen.push(request), response.end('plain')), { over });
      const { dial } = await putNginxBefore(stage, app, new WebSocketServer({ noServer: true }));
      const { response, text } = await refusal(dial({ path: '/x' }).socket);
      expect({ status: response.statusCode, text }).toEqual({ status: 200, text: 'plain' });
      expect(response.headers).not.toHaveProperty('upgrade');
      expect(seen[0]).toMatchObject({ url: '/x', headers: { upgrade: 'websocket' } });
    });
  });

  test('agrees on a subprotocol', async ({ stage }) => {
    const { meet } = await setUpScene(stage, {
      webSocket: { handleProtocols: (offered) => [...offered].find((name) => name.startsWith('v2')) ?? false },
    });
    const { client, server, request } = await meet({ protocols: ['v1.chat', 'v2.chat', 'v2.other'] });
    expect([client.socket.protocol, server.socket.protocol]).toEqual(['v2.chat', 'v2.chat']);
    expect(request.headers['sec-websocket-protocol']).toBe('v1.chat,v2.chat,v2.other');
  });

  test('is refused by ws where it is not in order', async ({ stage }) => {
    const { nginx } = await setUpScene(stage);
    const { origin } = nginx;
    const keyless = await httpRequest({ origin, headers: { ...handshake, 'Sec-WebSocket-Key': 'short' } });
    expect(keyless).toMatchObject({ status: 400, text: 'Missing or invalid Sec-WebSocket-Key header' });
    const old = await httpRequest({ origin, headers: { ...handshake, 'Sec-WebSocket-Version': '7' } });
    expect(old).toMatchObject({ status: 400, headers: { 'sec-websocket-version': '13, 8' } });
    const posted = await httpRequest({ origin, method: 'POST', headers: handshake });
    expect(posted).toMatchObject({ status: 405, text: 'Invalid HTTP method' });
  });

  test('leaves a path that is not its own to nobody, as ws does', async ({ stage }) => {
    const { dial, webSockets } = await setUpScene(stage, { webSocket: { path: '/live' } });
    echoAll(webSockets);
    expect((await refusal(dial({ path: '/other' }).socket)).response.statusCode).toBe(400);
    expect(await (await dial({ path: '/live?x' }).opened()).ask('here')).toBe('here');
  });

  test('can be bound to pages of its own origin', async ({ stage }) => {
    const { dial, webSockets } = await setUpScene(stage, {
      webSocket: { verifyClient: ({ origin }: { origin?: string }) => origin === 'https://chat.test' },
    });
    echoAll(webSockets);
    // No browser: no Origin.
    for (const origin of ['http://evil.test', 'https://chat.test.evil.test', 'null', undefined]) {
      const { socket } = dial(origin === undefined ? {} : { origin });
      expect((await refusal(socket)).response.statusCode).toBe(401);
    }
    const page = await dial({ origin: 'https://chat.test' }).opened();
    expect(await page.ask('welcome')).toBe('welcome');
  });

  test('knows that the client came over TLS', async ({ stage }) => {
    const { meet, webSockets } = await setUpScene(stage, { front: { tls: createCertificate(stage.folder()) } });
    echoAll(webSockets);
    const { client, request } = await meet();
    expect(client.socket.url).toMatch(/^wss:/);
    expect(request.socket).toMatchObject({ encrypted: true, remoteAddress: '127.0.0.1' });
    expect(await client.ask('secret')).toBe('secret');
  });

  test('below a prefix sees the target without it', async ({ stage }) => {
    const { meet, dial } = await setUpScene(stage, { basePath: '/app' });
    const { request } = await meet({ path: '/app/live?x' });
    expect(request).toMatchObject({ url: '/live?x', originalUrl: '/app/live?x' });
    expect((await refusal(dial({ path: '/other' }).socket)).response.statusCode).toBe(404);
  });

  test('leaves the other requests to an Express application on the same server', async ({ stage }) => {
    const application = express();
    application.get('/hello', (request, response) => void response.send(`Hello ${request.ip}`));
    const app = stage.adopt(await serveScgi(application, { bind: stage.freeAddress('unix') }));
    const webSockets = new WebSocketServer({ server: app.server, path: '/live' });
    const { dial, nginx } = await putNginxBefore(stage, app, webSockets);
    echoAll(webSockets);
    const client = await dial({ path: '/live' }).opened();
    const { status, text } = await httpRequest({ origin: nginx.origin, path: '/hello' });
    expect({ status, text }).toEqual({ status: 200, text: 'Hello 127.0.0.1' });
    expect((await httpRequest({ origin: nginx.origin, path: '/live' })).status).toBe(404);
    expect(await client.ask('still here')).toBe('still here');
  });

  test('without Connection is a normal request', async ({ stage }) => {
    const { nginx } = await setUpScene(stage);
    const { Connection: _, ...headers } = handshake;
    expect((await httpRequest({ origin: nginx.origin, headers })).text).toBe('plain');
  });

  test('comes to nothing when the client leaves while the application decides', async ({ stage }) => {
    const decisions: ((accepted: boolean) => void)[] = [];
    const { app, dial, webSockets } = await setUpScene(stage, {
      webSocket: { verifyClient: (_info, decide) => void decisions.push(decide) },
    });
    const client = dial();
    await until(() => decisions.length === 1, stepMs, 'the handshake at the server');
    client.socket.terminate();
    await client.ended();
    // Nobody reads the socket yet, so nobody sees its end: as over HTTP.
    decisions[0]?.(true);
    await until(() => app.server.connectionCount === 0, 1_000, 'the end of the connection');
    await until(() => webSockets.clients.size === 0, 1_000, 'the end of the WebSocket');
  });
});
