// Answers of backends as Koa and what wraps the middleware see them.

import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type Koa from 'koa';
import compress from 'koa-compress';
import { describe, expect, test } from 'vitest';
import { ScgiApp, scgiKoa, type ScgiKoaOptions } from '../../src/index.js';
import { answering, type Backend, startBackend } from '../support/backend.js';
import { fetchFrom, RawClient, sendRaw } from '../support/front.js';
import { koaVersions, listen, serveKoa, type KoaScene } from './support.js';

describe.each(koaVersions)('%s', (_, KoaClass) => {
  const serve = (backend: Backend, options?: ScgiKoaOptions, wrap?: Koa.Middleware[]): Promise<KoaScene> =>
    serveKoa(KoaClass, backend, options, wrap);
  describe('an answer', () => {
    test('keeps status, reason, fields and body', async () => {
      const bytes =
        'Status: 418 Short And Stout\r\nContent-Type: text/x-tea\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\ntea';
      const answer = await fetchFrom(await serve(await answering(bytes)), '/api/');
      expect(answer).toMatchObject({ status: 418, reason: 'Short And Stout', body: 'tea' });
      expect(answer.headers).toMatchObject({
        'content-type': 'text/x-tea',
        'x-a': '1, 2',
        'set-cookie': ['a=1', 'b=2'],
      });
    });

    test('without Content-Type gets none from Koa', async () => {
      const answer = await fetchFrom(await serve(await answering('Status: 200 OK\r\n\r\nbytes')), '/api/');
      expect(answer.headers).not.toHaveProperty('content-type');
      expect(answer.body).toBe('bytes');
    });

    test('keeps its Content-Length, and is sent in chunks without one', async () => {
      const known = await serve(await answering('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      expect((await fetchFrom(known, '/api')).headers).toMatchObject({ 'content-length': '2' });
      const unknown = await serve(await answering('Status: 200 OK\r\n\r\nok'));
      expect((await fetchFrom(unknown, '/api')).headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    });

    test('loses fields of the hop and orders to the gateway', async () => {
      const bytes = 'Status: 200 OK\r\nConnection: X-Gone\r\nX-Gone: 1\r\nX-Sendfile: /etc/passwd\r\n\r\n';
      const { headers } = await fetchFrom(await serve(await answering(bytes)), '/api');
      expect(Object.keys(headers)).not.toContain('x-gone');
      expect(Object.keys(headers)).not.toContain('x-sendfile');
    });

    test.each([204, 304])('%i has no body, and the connection is kept', async (status) => {
      const scene = await serve(await answering(`Status: ${status} x\r\nETag: "a"\r\n\r\n`));
      const client = new RawClient(scene);
      client.send('GET /api HTTP/1.1\r\nHost: x\r\n\r\nGET /ours HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await client.closed();
      expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*ETag: "a"[^]*ours: /ours$`, 'i'));
    });

    test('to HEAD keeps its Content-Length', async () => {
      const backend = await answering('Status: 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n');
      const answer = await fetchFrom(await serve(backend), '/api', { method: 'HEAD' });
      expect(answer).toMatchObject({ status: 200, body: '' });
      expect(answer.headers).toMatchObject({ 'content-length': '5', 'content-type': 'text/plain' });
    });

    test('lets its head go before its body, and events one by one', async () => {
      const backend = await startBackend();
      const client = new RawClient(await serve(backend));
      client.send('GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n');
      const { socket } = await backend.connection();
      socket.write('Status: 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
      await client.sees('text/event-stream');
      for (let number = 0; number < 3; number += 1) {
        socket.write(`data: ${number}\n\n`);
        await client.sees(`data: ${number}\n\n`);
      }
      socket.end();
      await client.sees('\r\n0\r\n\r\n');
    });
  });

  describe('middleware around it', () => {
    test('sees the answer and may change it', async () => {
      const log: unknown[] = [];
      const backend = await answering('Status: 201 Made\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody');
      const scene = await serve(backend, {}, [
        async (ctx, next) => {
          ctx.set('X-Before', '1');
          await next();
          log.push([ctx.status, ctx.type, ctx.length, ctx.message]);
          ctx.set('X-After', '1');
        },
      ]);
      const answer = await fetchFrom(scene, '/api');
      expect(log).toEqual([[201, 'text/plain', 4, 'Made']]);
      expect(answer.headers).toMatchObject({ 'x-before': '1', 'x-after': '1' });
    });

    test('compresses it, and what both say of Vary goes out', async () => {
      const page = '<p>again</p>'.repeat(1000);
      const backend = await answering(
        `Status: 200 OK\r\nContent-Type: text/html\r\nVary: Cookie\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
      );
      const scene = await serve(backend, {}, [compress({ threshold: 100 })]);
      const answer = await fetchFrom(scene, '/api', { headers: { 'Accept-Encoding': 'gzip' } });
      expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding, Cookie' });
      expect(answer.headers).not.toHaveProperty('content-length');
      expect(gunzipSync(Buffer.from(answer.body, 'latin1')).toString()).toBe(page);
    });

    test('may answer in its place, and the backend is let go', async () => {
      const backend = await startBackend(({ socket }) => socket.write('Status: 500 Oops\r\n\r\ndetails'));
      const scene = await serve(backend, {}, [
        async (ctx, next) => {
          await next();
          if (ctx.status === 500) ctx.body = 'sorry';
        },
      ]);
      expect(await fetchFrom(scene, '/api')).toMatchObject({ status: 500, body: 'sorry' });
      await backend.connections[0]?.closed();
      expect(scene.errors).toEqual([]);
    });

    test('may answer in its place and take its time: that nobody reads the backend’s answer then is no failure', async () => {
      const backend = await startBackend(({ socket }) => socket.write('Status: 500 Oops\r\nContent-Length: 9\r\n\r\n'));
      const scene = await serve(backend, { idleTimeout: 30 }, [
        async (ctx, next) => {
          await next();
          ctx.body = 'sorry';
          await backend.connections[0]?.closed();
        },
      ]);
      expect(await fetchFrom(scene, '/api')).toMatchObject({ status: 500, body: 'sorry' });
      expect(scene.errors).toEqual([]);
    });

    test('comes first: cookies of both go out', async () => {
      const scene = await serve(await answering('Status: 200 OK\r\nSet-Cookie: b=2\r\n\r\n'), {}, [
        (ctx, next) => {
          ctx.cookies.set('a', '1');
          return next();
        },
      ]);
      const { headers } = await fetchFrom(scene, '/api');
      expect(headers['set-cookie']).toEqual(['a=1; path=/; httponly', 'b=2']);
    });
  });

  test('a local redirect can be followed', async () => {
    const backend = await startBackend(async (connection) => {
      await connection.body();
      const isNew = connection.variables?.get('PATH_INFO') === '/new';
      await connection.answer(
        isNew ? `Status: 200 OK\r\n\r\n${connection.variables?.get('REQUEST_METHOD')}` : 'Location: /api/new\r\n\r\n',
      );
    });
    const scene = await serve(backend, { localRedirect: 'follow' });
    expect((await fetchFrom(scene, '/api/old', { method: 'POST', body: 'x' })).body).toBe('GET');
    const plain = await serve(backend);
    expect(await fetchFrom(plain, '/api/old')).toMatchObject({ status: 302, headers: { location: '/api/new' } });
  });

  test('several requests share a client connection', async () => {
    const scene = await serve(await answering('Status: 200 OK\r\n\r\nok'));
    const bytes = 'GET /api HTTP/1.1\r\nHost: x\r\n\r\nGET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(scene, bytes)).text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

test('files cannot be sent for the backend', () => {
  const options: object = { accelRedirect: { '/files/': '/srv/' } };
  expect(() => scgiKoa('/api', 4000, options)).toThrow(/accelRedirect.*cannot send files/);
});

test('a handler may be mounted in Koa', async () => {
  const [, KoaClass] = koaVersions[1] ?? [];
  if (KoaClass === undefined) throw new Error('no Koa');
  const heard: unknown[] = [];
  const backend = await answering('nonsense\r\n\r\n');
  const handler = new ScgiApp(backend.target, { onError: ({ code }, ctx) => void heard.push([code, ctx.url]) });
  const app = new KoaClass();
  app.use(handler.koa('/app'));
  const front = await listen(createServer(app.callback()));
  expect((await fetchFrom(front, '/app/x')).status).toBe(502);
  expect(heard).toEqual([['ERR_SCGI_RESPONSE_HEAD', '/app/x']]);
});
