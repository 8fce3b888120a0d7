// Requests as they reach a backend through Koa: place, client, body.

import { createServer } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { text } from 'node:stream/consumers';
import type Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { scgiKoa, type ScgiKoaContext, type ScgiKoaOptions } from '../../src/index.js';
import { type Backend, startBackend, telling } from '../support/backend.js';
import { fetchFrom, open, RawClient, responseTo } from '../support/front.js';
import { until, within } from '../support/within.js';
import { koaVersions, listen, serveKoa, type KoaScene } from './support.js';

describe.each(koaVersions)('%s', (_, KoaClass) => {
  const serve = (backend: Backend, options?: ScgiKoaOptions, wrap?: Koa.Middleware[]): Promise<KoaScene> =>
    serveKoa(KoaClass, backend, options, wrap);

  describe('a path', () => {
    const place = ['SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI'];

    test('outside of the prefix is the next middleware’s', async () => {
      const backend = await startBackend();
      const scene = await serve(backend);
      expect((await fetchFrom(scene, '/apis')).body).toBe('ours: /apis');
      expect(backend.connections).toHaveLength(0);
    });

    test('below it is PATH_INFO', async () => {
      const scene = await serve(await telling(...place));
      expect(JSON.parse((await fetchFrom(scene, '/api/a%20b?x=1')).body)).toEqual([
        '/api',
        '/a b',
        'x=1',
        '/api/a%20b?x=1',
      ]);
    });

    test('that a router has taken off belongs to SCRIPT_NAME', async () => {
      // As koa-mount does it.
      const mount: Koa.Middleware = async (ctx, next) => {
        const { path } = ctx;
        ctx.path = path.slice('/outer'.length) || '/';
        await next();
        ctx.path = path;
      };
      const scene = await serve(await telling(...place), {}, [mount]);
      const asked = JSON.parse((await fetchFrom(scene, '/outer/api/x?y')).body);
      expect(asked).toEqual(['/outer/api', '/x', 'y', '/outer/api/x?y']);
    });

    test('that Express has taken off does, too', async () => {
      const app = new KoaClass();
      const { target } = await telling(...place);
      app.use(scgiKoa('/api', target));
      const callback = app.callback();
      const front = await listen(
        createServer((request, response) => {
          Object.assign(request, { originalUrl: request.url });
          request.url = request.url?.slice('/express'.length) ?? '';
          void callback(request, response);
        }),
      );
      const asked = JSON.parse((await fetchFrom(front, '/express/api/x')).body);
      expect(asked).toEqual(['/express/api', '/x', '', '/express/api/x']);
    });
  });

  describe('variables', () => {
    test('hold the client, and what the env function makes of ctx', async () => {
      const env = (ctx: ScgiKoaContext): { REMOTE_USER: string } => ({
        REMOTE_USER: 'state' in ctx ? String(Reflect.get(Object(ctx.state), 'user')) : 'nobody',
      });
      const scene = await serve(await telling('REMOTE_ADDR', 'REMOTE_USER'), { env }, [
        (ctx, next) => {
          ctx.state.user = 'ada';
          return next();
        },
      ]);
      expect(JSON.parse((await fetchFrom(scene, '/api')).body)).toEqual(['127.0.0.1', 'ada']);
    });

    test('come from HTTP/2 as well', async () => {
      const app = new KoaClass();
      const { target } = await telling('HTTP_HOST', 'SERVER_PROTOCOL', 'REQUEST_METHOD', 'CONTENT_LENGTH', 'HTTP_X_A');
      app.use(scgiKoa(target));
      const server = createHttp2Server(app.callback());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      onTestFinished(() => {
        session.destroy();
        server.close();
      });
      const ask = async (body: string): Promise<unknown> => {
        const method = body === '' ? 'GET' : 'POST';
        const stream = session.request({ ':path': '/', ':method': method, 'x-a': '1' });
        if (body !== '') stream.end(body);
        return JSON.parse(await within('the answer', text(stream)));
      };
      expect(await ask('')).toEqual([`127.0.0.1:${port}`, 'HTTP/2.0', 'GET', '0', '1']);
      expect(await ask('four')).toEqual([`127.0.0.1:${port}`, 'HTTP/2.0', 'POST', '4', '1']);
    });
  });

  describe('a request body', () => {
    const echo = (): Promise<Backend> =>
      startBackend(async (connection) => {
        const body = await connection.body();
        await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('CONTENT_LENGTH')} ${body}`);
      });

    test('of known length is streamed', async () => {
      const backend = await startBackend();
      const client = new RawClient(await serve(backend));
      client.send('POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc');
      const connection = await backend.connection();
      await until('the first half has come', () => connection.bodyBytes === 3);
      client.send('def');
      await connection.answer('Status: 200 OK\r\n\r\nwhole');
      await client.sees('whole');
    });

    test('in chunks is kept until its length is known', async () => {
      const scene = await serve(await echo(), { maxHeldBody: 4 });
      const request = open(scene, { path: '/api', method: 'POST' });
      request.write('abcd');
      request.end('efgh');
      expect(await text(await responseTo(request))).toBe('8 abcdefgh');
    });

    test('in chunks beyond maxSpooledBody is a 411', async () => {
      const scene = await serve(await startBackend(), { maxHeldBody: 4, maxSpooledBody: 8 });
      const request = open(scene, { path: '/api', method: 'POST' });
      request.write('x'.repeat(10));
      expect((await responseTo(request)).statusCode).toBe(411);
    });

    test('that comes on behind an early answer is let by, and the connection is kept', async () => {
      const backend = await startBackend(({ socket }) => socket.end('Status: 413 No\r\nContent-Length: 2\r\n\r\nno'), {
        readBody: false,
      });
      const scene = await serve(backend);
      const client = new RawClient(scene);
      client.send('POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n');
      await client.sees('HTTP/1.1 413 No');
      client.send('x'.repeat(2_000_000));
      client.send('GET /ours HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.sees('ours: /ours');
    });

    test('is not read faster than the backend takes it', async () => {
      const backend = await startBackend(undefined, { readBody: false });
      const client = new RawClient(await serve(backend));
      const size = 64 << 20;
      client.send(`POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
      const connection = await backend.connection();
      const piece = Buffer.alloc(1 << 20);
      for (let offered = 0; offered < size; offered += piece.length) client.send(piece);
      let taken = -1;
      for (let still = 0; still < 200;) {
        await new Promise((resolve) => setImmediate(resolve));
        const now = client.socket.bytesWritten - client.socket.writableLength;
        still = now === taken ? still + 1 : 0;
        taken = now;
      }
      expect(taken).toBeLessThan(24 << 20);
      connection.socket.resume();
      await until('the backend has it all', () => connection.bodyBytes === size, 20_000);
    });
  });
});
