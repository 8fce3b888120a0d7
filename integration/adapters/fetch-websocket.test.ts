// WebSockets of Fetch handlers, through a real nginx that has nothing configured for them, with the client of `ws`.

import { once } from 'node:events';
import {
  serveScgi,
  upgradeWebSocket,
  type FetchHandler,
  type ServerWebSocket,
  type ServeOptions,
} from '@scgi/adapter-fetch';
import { Hono } from 'hono';
import { defineWebSocketHelper, WSContext } from 'hono/ws';
import { describe, expect } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { test, transports, type Stage } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';

describeWith('nginx', 'WebSockets of Fetch handlers behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    async function start(
      stage: Stage,
      handler: FetchHandler,
      options: ServeOptions = {},
    ): Promise<{ origin: string; close: () => Promise<void> }> {
      const running = stage.adopt(await serveScgi(handler, { bind: stage.freeAddress(over), ...options }));
      const { origin } = await stage.nginx({ to: running.address });
      return { origin, close: running.close };
    }

    async function connect(
      stage: Stage,
      origin: string,
      protocols: string[] = [],
      options: ClientOptions = {},
    ): Promise<WebSocket> {
      const socket = new WebSocket(origin.replace('http', 'ws'), protocols, options);
      stage.add(() => socket.terminate());
      await within(once(socket, 'open'), 2_000, 'the opening');
      return socket;
    }

    test('carry text and bytes of every size, both ways', async ({ stage }) => {
      const { origin } = await start(stage, (request) =>
        upgradeWebSocket(request, { message: (socket, data) => socket.send(data) }),
      );
      const socket = await connect(stage, origin);
      for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
        const sent = Buffer.alloc(size, 'abc');
        const echoed = once(socket, 'message');
        socket.send(size % 2 === 0 ? sent : sent.toString());
        const [data, isBinary] = await within(echoed, 2_000, `the echo of ${size} bytes`);
        expect([isBinary, sent.equals(data)]).toEqual([size % 2 === 0, true]);
      }
    });

    test('agree on a protocol, carry a cookie, and close with code and reason', async ({ stage }) => {
      const closed: unknown[] = [];
      const { origin } = await start(stage, (request) => {
        const offered = request.headers.get('sec-websocket-protocol')?.split(/, */) ?? [];
        const response = upgradeWebSocket(request, {
          protocol: offered.find((name) => name === 'chat'),
          open: (socket) => socket.send(socket.protocol),
          close: (_socket, code, reason) => void closed.push(code, reason),
        });
        response.headers.set('set-cookie', 'seen=1');
        return response;
      });
      const socket = new WebSocket(origin.replace('http', 'ws'), ['other', 'chat']);
      stage.add(() => socket.terminate());
      const upgraded = once(socket, 'upgrade');
      const greeted = once(socket, 'message');
      const [response] = await within(upgraded, 2_000, 'the handshake');
      expect(response.headers['set-cookie']).toEqual(['seen=1']);
      const [greeting] = await within(greeted, 2_000, 'the greeting');
      expect([`${greeting}`, socket.protocol]).toEqual(['chat', 'chat']);
      socket.close(4001, 'enough');
      await within(once(socket, 'close'), 2_000, 'the close');
      await until(() => closed.length > 0, 1_000, 'the close at the server');
      expect(closed).toEqual([4001, 'enough']);
    });

    test('hear of a client that is gone, and of a server that stops', async ({ stage }) => {
      const codes: number[] = [];
      const sockets: ServerWebSocket[] = [];
      const { origin, close } = await start(stage, (request) =>
        upgradeWebSocket(request, {
          open: (socket) => void sockets.push(socket),
          close: (_socket, code) => void codes.push(code),
        }),
      );
      const leaving = await connect(stage, origin);
      const staying = await connect(stage, origin);
      leaving.terminate();
      await until(() => codes.length === 1, 1_000, 'the end of the first');
      expect(codes).toEqual([1006]);
      const ended = once(staying, 'close');
      await within(close(), 5_000, 'the end of the server');
      expect((await within(ended, 1_000, 'the close'))[0]).toBe(1001);
      await until(() => sockets.every(({ readyState }) => readyState === 3), 1_000, 'the end of both');
      expect(sockets).toHaveLength(2);
    });

    test('are refused like other requests, and their address answers those', async ({ stage }) => {
      const { origin } = await start(stage, (request) =>
        new URL(request.url).searchParams.has('key')
          ? upgradeWebSocket(request, {})
          : new Response('no', { status: 403 }),
      );
      const refused = new WebSocket(origin.replace('http', 'ws'));
      const [, response] = await within(once(refused, 'unexpected-response'), 2_000, 'the refusal');
      expect(response.statusCode).toBe(403);
      response.resume();
      refused.on('error', () => {});
      refused.terminate();
      expect((await httpRequest({ origin, path: '/?key' })).status).toBe(426);
      (await connect(stage, `${origin}/?key`)).close();
    });

    test('are Hono’s too', async ({ stage }) => {
      const upgrade = defineWebSocketHelper<ServerWebSocket>((c, events) => {
        if (c.req.header('upgrade') !== 'websocket') return;
        const contextOf = (socket: ServerWebSocket): WSContext<ServerWebSocket> =>
          new WSContext<ServerWebSocket>({
            raw: socket,
            readyState: 1,
            send: (data) => socket.send(typeof data === 'string' ? data : new Uint8Array(data)),
            close: (code, reason) => socket.close(code, reason),
          });
        return upgradeWebSocket(c.req.raw, {
          open: (socket) => events.onOpen?.(new Event('open'), contextOf(socket)),
          message: (socket, data) =>
            events.onMessage?.(
              new MessageEvent('message', { data: typeof data === 'string' ? data : new Blob([Buffer.from(data)]) }),
              contextOf(socket),
            ),
        });
      });
      const app = new Hono();
      app.use(async (c, next) => {
        await next();
        c.header('x-by', 'middleware');
      });
      app.get(
        '/',
        upgrade(() => ({ onMessage: (event, ws) => ws.send(`you said ${event.data}`) })),
        (c) => c.text('no WebSocket'),
      );
      const { origin } = await start(stage, app.fetch);
      const socket = await connect(stage, origin);
      const answered = once(socket, 'message');
      socket.send('hello');
      expect(`${(await within(answered, 2_000, 'the answer'))[0]}`).toBe('you said hello');
      expect((await httpRequest({ origin })).text).toBe('no WebSocket');
    });
  });
});
