// Fastify's plugins, as they are, over SCGI: multipart, static, compress, and middie for connect middleware.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fastifyCompress from '@fastify/compress';
import fastifyMiddie from '@fastify/middie';
import fastifyMultipart from '@fastify/multipart';
import fastifyStatic from '@fastify/static';
import cors from 'cors';
import Fastify, { type FastifyInstance } from 'fastify';
import serveStatic from 'serve-static';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveFastifyBothWays } from './support/frameworks.js';

let folder: string;
const digits = '0123456789';
const page = 'How much wood would a woodchuck chuck?\n'.repeat(1_000);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scgi-fastify-'));
  writeFileSync(join(folder, 'index.html'), '<h1>start</h1>');
  writeFileSync(join(folder, 'digits.txt'), digits);
  writeFileSync(join(folder, 'page.txt'), page);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('@fastify/multipart', () => {
  const createApp = async (): Promise<FastifyInstance> => {
    const app = Fastify();
    await app.register(fastifyMultipart, { limits: { fileSize: 100_000 } });
    app.post('/parts', async (request) => {
      const seen: unknown[] = [];
      for await (const part of request.parts()) {
        if (part.type === 'file') seen.push([part.fieldname, part.filename, (await part.toBuffer()).byteLength]);
        else seen.push([part.fieldname, part.value]);
      }
      return seen;
    });
    app.post('/file', async (request) => {
      const file = await request.file();
      let bytes = 0;
      for await (const chunk of file?.file ?? []) bytes += chunk.length;
      return { name: file?.filename, bytes, truncated: file?.file.truncated };
    });
    return app;
  };

  test('walks through fields and files in their order', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) =>
      agent.post('/parts').field('title', 'Ärger').attach('a', Buffer.alloc(70_000), '1.bin').field('last', 'x'),
    );
    expect(JSON.parse(answer.text)).toEqual([
      ['title', 'Ärger'],
      ['a', '1.bin', 70_000],
      ['last', 'x'],
    ]);
  });

  test('streams one file', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.post('/file').attach('f', Buffer.alloc(99_999), 'f.bin'));
    expect(JSON.parse(answer.text)).toEqual({ name: 'f.bin', bytes: 99_999, truncated: false });
  });

  test('refuses a file beyond its limit with 413', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.post('/parts').attach('f', Buffer.alloc(300_000), 'f.bin'));
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text).code).toBe('FST_REQ_FILE_TOO_LARGE');
  });

  test('refuses what is not multipart with 406', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.post('/parts').send({ a: 1 }));
    expect(answer.status).toBe(406);
  });
});

describe('@fastify/static', () => {
  const createApp = async (): Promise<FastifyInstance> => {
    const app = Fastify();
    await app.register(fastifyStatic, { root: folder, maxAge: '1h' });
    app.get('/download', (_request, reply) => reply.download('digits.txt', 'ten digits.txt'));
    return app;
  };

  test('sends the index and a file with its validators', async () => {
    const app = await serveFastifyBothWays(createApp);
    expect((await app.same((agent) => agent.get('/'))).text).toBe('<h1>start</h1>');
    const answer = await app.same((agent) => agent.get('/digits.txt'));
    expect(answer.headers).toMatchObject({ 'content-length': '10', 'cache-control': 'public, max-age=3600' });
    const etag = answer.headers['etag'] ?? '';
    expect((await app.same((agent) => agent.get('/digits.txt').set('If-None-Match', etag))).status).toBe(304);
  });

  test('sends a part, and nothing but fields to HEAD', async () => {
    const app = await serveFastifyBothWays(createApp);
    const part = await app.same((agent) => agent.get('/digits.txt').set('Range', 'bytes=3-5'));
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '345', 'bytes 3-5/10']);
    const head = await app.same((agent) => agent.head('/digits.txt'));
    expect([head.headers['content-length'], head.body.byteLength]).toEqual(['10', 0]);
  });

  test('sends a download under another name', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/download'));
    expect(answer.headers['content-disposition']).toBe('attachment; filename="ten digits.txt"');
  });

  test('answers 404 in the words of Fastify', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/missing'));
    expect(JSON.parse(answer.text)).toMatchObject({ statusCode: 404, message: 'Route GET:/missing not found' });
  });
});

describe('@fastify/compress', () => {
  const createApp = async (): Promise<FastifyInstance> => {
    const app = Fastify();
    await app.register(fastifyCompress);
    app.get('/page', (_request, reply) => reply.type('text/plain').send(page));
    app.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from([page, page])));
    app.post('/echo', (request) => request.body);
    return app;
  };

  test.each(['gzip', 'br', 'deflate'])('encodes a page with %s', async (coding) => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/page').set('Accept-Encoding', coding));
    expect(answer.headers).toMatchObject({ 'content-encoding': coding, vary: 'accept-encoding' });
    expect(answer.text).toBe(page);
  });

  test('encodes a stream', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/stream').set('Accept-Encoding', 'gzip'));
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.text).toBe(page + page);
  });

  test('leaves the page alone for who accepts nothing else', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/page').set('Accept-Encoding', 'identity'));
    expect(answer.headers['content-length']).toBe(`${page.length}`);
  });
});

describe('@fastify/middie', () => {
  const createApp = async (): Promise<FastifyInstance> => {
    const app = Fastify();
    await app.register(fastifyMiddie);
    app.use(cors({ origin: 'https://good.test' }));
    app.use('/files', serveStatic(folder));
    app.use('/fails', (_req, _res, next) => next(Object.assign(new Error('no coffee'), { statusCode: 418 })));
    app.get('/hello', () => ({ hello: 'world' }));
    app.get('/fails', () => 'never');
    return app;
  };

  test('runs serve-static below a prefix', async () => {
    const app = await serveFastifyBothWays(createApp);
    const part = await app.same((agent) => agent.get('/files/digits.txt').set('Range', 'bytes=-2'));
    expect([part.status, part.text]).toEqual([206, '89']);
    expect((await app.same((agent) => agent.get('/files/page.txt'))).text).toBe(page);
    expect((await app.same((agent) => agent.get('/files/missing'))).status).toBe(404);
  });

  test('runs cors before the routes: preflight and answer', async () => {
    const app = await serveFastifyBothWays(createApp);
    const preflight = await app.same(
      (agent) => agent.options('/hello').set('Access-Control-Request-Method', 'PUT'),
      ['content-length'], // RFC 9110 §8.6: none with 204
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://good.test');
    const answer = await app.same((agent) => agent.get('/hello'));
    expect(answer.headers['access-control-allow-origin']).toBe('https://good.test');
    expect(answer.text).toBe('{"hello":"world"}');
  });

  test('hands the error of a middleware to Fastify', async () => {
    const app = await serveFastifyBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/fails'));
    expect(answer.status).toBe(418);
    expect(JSON.parse(answer.text).message).toBe('no coffee');
  });
});
