// What goes wrong on the way through Koa, at every stage.

import { text } from 'node:stream/consumers';
import Koa from 'koa';
import compress from 'koa-compress';
import { describe, expect, test } from 'vitest';
import type { ScgiError } from '@scgi/core';
import { type ScgiKoaContext, type ScgiKoaOptions } from '../../src/index.js';
import { answering, type Backend, startBackend } from '../support/backend.js';
import { fetchFrom, open, RawClient, responseTo } from '../support/front.js';
import { until } from '../support/within.js';
import { koaVersions, serveKoa, type KoaScene } from './support.js';

describe.each(koaVersions)('%s', (_, KoaClass) => {
  const serve = (backend: Backend, options?: ScgiKoaOptions, wrap?: Koa.Middleware[]): Promise<KoaScene> =>
    serveKoa(KoaClass, backend, options, wrap);

  describe('a failure before the head', () => {
    test.each([
      ['502 for a head that is none', 'nonsense\r\n\r\n', 502, 'Bad Gateway', 'ERR_SCGI_RESPONSE_HEAD'],
      ['502 for no answer at all', '', 502, 'Bad Gateway', 'ERR_SCGI_RESPONSE_EMPTY'],
    ])('is a %s', async (_name, bytes, status, phrase, code) => {
      const log: number[] = [];
      const scene = await serve(await answering(bytes), {}, [
        async (ctx, next) => {
          await next();
          log.push(ctx.status);
        },
      ]);
      const answer = await fetchFrom(scene, '/api');
      expect(answer).toMatchObject({ status, reason: phrase, body: `${status} ${phrase}\n` });
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
      expect([log, scene.errors]).toMatchObject([[status], [{ code }]]);
      expect(scene.reported).toEqual([]);
    });

    test('is a 504 for a silent backend, and the hook gets ctx', async () => {
      const heard: unknown[] = [];
      const onError = ({ code }: ScgiError, ctx: ScgiKoaContext): void => void heard.push([code, ctx.originalUrl]);
      const scene = await serve(await startBackend(), { timeout: 30, onError });
      expect((await fetchFrom(scene, '/api/x')).status).toBe(504);
      expect(heard).toEqual([['ERR_SCGI_BACKEND_TIMEOUT', '/api/x']]);
    });

    test('is a 503 for a busy one', async () => {
      const backend = await startBackend();
      const scene = await serve(backend, { maxConcurrent: 1, maxQueued: 0 });
      open(scene, { path: '/api' }).end();
      await backend.connection();
      expect((await fetchFrom(scene, '/api')).status).toBe(503);
    });

    test('is a 500 when a body parser came first', async () => {
      const scene = await serve(await startBackend(), {}, [
        async (ctx, next) => {
          await text(ctx.req);
          return next();
        },
      ]);
      expect((await fetchFrom(scene, '/api', { method: 'POST', body: 'x' })).status).toBe(500);
      expect(scene.errors).toMatchObject([{ code: 'ERR_SCGI_BODY_USED' }]);
    });
  });

  describe('a body that breaks off', () => {
    test('breaks the client’s connection, known or unknown its length', async () => {
      for (const length of ['Content-Length: 100\r\n', '']) {
        const backend = await startBackend(undefined, { tcp: true });
        const scene = await serve(backend);
        const client = new RawClient(scene);
        client.send('GET /api HTTP/1.1\r\nHost: x\r\n\r\n');
        const { socket } = await backend.connection();
        socket.write(`Status: 200 OK\r\n${length}\r\nshort`);
        await client.sees('short');
        socket.resetAndDestroy();
        await client.closed();
        expect(client.text).not.toContain('\r\n0\r\n');
        expect(scene.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET' }]);
      }
    });

    test('resets a client of HTTP/1.0, to whom it would look whole', async () => {
      const backend = await startBackend(undefined, { tcp: true });
      const client = new RawClient(await serve(backend));
      client.send('GET /api HTTP/1.0\r\n\r\n');
      const { socket } = await backend.connection();
      socket.write('Status: 200 OK\r\n\r\nshort');
      await client.sees('short');
      socket.resetAndDestroy();
      expect(await client.closed()).toBe('reset');
    });

    test('breaks it behind a compressor, too', async () => {
      const backend = await startBackend(undefined, { tcp: true });
      const scene = await serve(backend, {}, [compress({ threshold: 0 })]);
      const client = new RawClient(scene);
      client.send('GET /api HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n');
      const { socket } = await backend.connection();
      socket.write(`Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n${'x'.repeat(100)}`);
      await client.sees('gzip');
      socket.resetAndDestroy();
      await client.closed();
      expect(client.text).not.toContain('\r\n0\r\n');
      expect(scene.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET' }]);
    });

    test('before the first byte has left is a 502 yet', async () => {
      const backend = await startBackend(undefined, { tcp: true });
      let go = (): void => {};
      const waiting = new Promise<void>((resolve) => (go = resolve));
      const scene = await serve(backend, {}, [
        async (ctx, next) => {
          await next();
          ctx.set('X-Late', '1');
          await waiting;
        },
      ]);
      const answer = fetchFrom(scene, '/api');
      const { socket } = await backend.connection();
      socket.write('Status: 200 OK\r\nContent-Length: 9\r\n\r\n');
      await until('the reset has arrived', () => {
        if (!socket.destroyed) socket.resetAndDestroy();
        return scene.errors.length > 0;
      });
      go();
      expect(await answer).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
    });
  });

  describe('a client that leaves', () => {
    test('before the head, ends the call, and is nobody’s failure', async () => {
      const backend = await startBackend();
      const scene = await serve(backend);
      const request = open(scene, { path: '/api' });
      request.end();
      const connection = await backend.connection();
      request.destroy();
      await connection.closed();
      expect([scene.errors, scene.reported]).toEqual([[], []]);
    });

    test('inside of its upload, ends the call', async () => {
      const backend = await startBackend();
      const scene = await serve(backend);
      const client = new RawClient(scene);
      client.send('POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbegun');
      const connection = await backend.connection();
      await until('it has begun', () => connection.bodyBytes === 5);
      client.socket.destroy();
      await connection.closed();
      expect(scene.errors).toEqual([]);
    });

    test.each([[[]], [[compress({ threshold: 0 })]]])('inside of the body, ends the call', async (wrap) => {
      const backend = await startBackend(({ socket }) =>
        socket.write('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nbegun'),
      );
      const scene = await serve(backend, {}, wrap);
      const request = open(scene, { path: '/api', headers: { 'Accept-Encoding': 'gzip' } });
      request.end();
      await responseTo(request);
      request.destroy();
      await (await backend.connection()).closed();
      expect(scene.errors).toEqual([]);
    });
  });
});

describe('an early answer', () => {
  const refusing = (): Promise<Backend> =>
    startBackend(({ socket }) => socket.end('Status: 413 No\r\nContent-Length: 2\r\n\r\nno'), { readBody: false });
  const upload = (connection: string): string =>
    `POST /api HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nContent-Length: 9000000\r\n\r\n`;

  test('to a client that will not stay does not close the connection under its upload', async () => {
    const client = new RawClient(await serveKoa(Koa, await refusing()));
    client.send(upload('close'));
    await client.sees('HTTP/1.1 413 No');
    for (let sent = 0; sent < 9; sent += 1) {
      client.send('x'.repeat(1_000_000));
      await client.flushed();
    }
    expect(await client.closed()).toBe('fin');
    expect(client.error).toBeUndefined();
  });

  test.each(['close', 'keep-alive'])(
    'to a client that uploads for ever ends after lingerTimeout: %s',
    async (connection) => {
      const client = new RawClient(await serveKoa(Koa, await refusing(), { lingerTimeout: 50 }));
      client.send(upload(connection));
      await client.sees('HTTP/1.1 413 No');
      client.send('and no more');
      await client.closed();
    },
  );
});
