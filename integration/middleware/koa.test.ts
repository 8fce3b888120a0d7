// Koa's middleware, as it is, over SCGI: koa-body, koa-static, koa-compress.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import Koa from 'koa';
import { koaBody, type KoaBodyMiddlewareOptions } from 'koa-body';
import compress from 'koa-compress';
import serveStatic from 'koa-static';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveKoaBothWays } from './support/frameworks.js';

let folder: string;
const page = 'The quick brown fox jumps over the lazy dog.\n'.repeat(1_000);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scgi-koa-'));
  writeFileSync(join(folder, 'index.html'), '<h1>start</h1>');
  writeFileSync(join(folder, 'page.txt'), page);
  writeFileSync(join(folder, 'packed.txt'), 'for those without gzip');
  writeFileSync(join(folder, 'packed.txt.gz'), gzipSync('packed before'));
  writeFileSync(join(folder, '.secret'), 'hidden');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('koa-body', () => {
  const createApp = (options: Partial<KoaBodyMiddlewareOptions> = {}): Koa => {
    const app = new Koa();
    app.silent = true;
    app.use(koaBody({ multipart: true, formidable: { uploadDir: folder }, ...options }));
    app.use((ctx) => {
      const files = Object.entries(ctx.request.files ?? {}).flatMap(([field, list]) =>
        [list].flat().map((file) => {
          const content = readFileSync(file.filepath, 'latin1');
          return [field, file.originalFilename, file.mimetype, file.size, content];
        }),
      );
      ctx.body = { body: ctx.request.body, files };
    });
    return app;
  };

  test.each([
    ['application/json', '{"a":["ü"]}', { a: ['ü'] }],
    ['application/x-www-form-urlencoded', 'a=1&b=%C3%BC&a=2', { a: ['1', '2'], b: 'ü' }],
    ['text/plain', 'hällo', 'hällo'],
  ])('reads %s', async (type, content, expected) => {
    const app = await serveKoaBothWays(createApp);
    const answer = await app.same((agent) => agent.post('/').set('Content-Type', type).send(content));
    expect(JSON.parse(answer.text).body).toEqual(expected);
  });

  test('stores the files of a multipart form and reads its fields', async () => {
    const app = await serveKoaBothWays(createApp);
    const answer = await app.same((agent) =>
      agent.post('/').field('title', 'Ärger').attach('file', Buffer.from('content\r\n--'), 'a.txt'),
    );
    expect(JSON.parse(answer.text)).toEqual({
      body: { title: 'Ärger' },
      files: [['file', 'a.txt', 'text/plain', 11, 'content\r\n--']],
    });
  });

  test('refuses JSON beyond its limit with 413', async () => {
    const app = await serveKoaBothWays(() => createApp({ jsonLimit: '1kb' }));
    const answer = await app.same((agent) => agent.post('/').send({ long: 'x'.repeat(2_000) }));
    expect(answer.status).toBe(413);
  });

  test('refuses bad JSON with 400', async () => {
    const app = await serveKoaBothWays(createApp);
    const answer = await app.same((agent) => agent.post('/').set('Content-Type', 'application/json').send('{"a"'));
    expect(answer.status).toBe(400);
  });
});

describe('koa-static', () => {
  const createApp = (options: serveStatic.Options = {}): Koa => new Koa().use(serveStatic(folder, options));

  test('sends a file with its type, length and date', async () => {
    const app = await serveKoaBothWays(() => createApp({ maxage: 60_000 }));
    const answer = await app.same((agent) => agent.get('/page.txt'));
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': `${page.length}`,
      'cache-control': 'max-age=60',
      'last-modified': expect.stringMatching(/GMT$/),
    });
    expect(answer.text).toBe(page);
  });

  test('sends the index, and to HEAD only its fields', async () => {
    const app = await serveKoaBothWays(createApp);
    expect((await app.same((agent) => agent.get('/'))).text).toBe('<h1>start</h1>');
    const head = await app.same((agent) => agent.head('/'));
    expect(head.headers['content-length']).toBe('14');
    expect(head.body).toHaveLength(0);
  });

  test('sends the packed file to those who accept it', async () => {
    const app = await serveKoaBothWays(createApp);
    const packed = await app.same((agent) => agent.get('/packed.txt').set('Accept-Encoding', 'gzip'));
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.text).toBe('packed before');
    const plain = await app.same((agent) => agent.get('/packed.txt').set('Accept-Encoding', 'identity'));
    expect(plain.text).toBe('for those without gzip');
  });

  test('hides dotfiles and what is not there', async () => {
    const app = await serveKoaBothWays(createApp);
    expect((await app.same((agent) => agent.get('/.secret'))).status).toBe(404);
    expect((await app.same((agent) => agent.get('/missing'))).status).toBe(404);
  });
});

describe('koa-compress', () => {
  const createApp = (): Koa => {
    const app = new Koa();
    app.use(compress());
    app.use((ctx) => {
      if (ctx.path === '/small') ctx.body = 'small';
      else if (ctx.path === '/stream') {
        ctx.type = 'text';
        ctx.body = Readable.from(page.match(/.+\n/g) ?? []);
      } else if (ctx.path === '/object') ctx.body = { page };
      else ctx.body = page;
    });
    return app;
  };

  test.each(['gzip', 'br', 'deflate'])('encodes a page with %s', async (coding) => {
    const app = await serveKoaBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/page').set('Accept-Encoding', coding));
    expect(answer.headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding' });
    expect(answer.text).toBe(page);
  });

  test.each(['/stream', '/object'])('encodes %s', async (path) => {
    const app = await serveKoaBothWays(createApp);
    const answer = await app.same((agent) => agent.get(path).set('Accept-Encoding', 'gzip'));
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.text).toBe(path === '/stream' ? page : JSON.stringify({ page }));
  });

  test('leaves alone what is small, and everything for who accepts nothing else', async () => {
    const app = await serveKoaBothWays(createApp);
    const small = await app.same((agent) => agent.get('/small').set('Accept-Encoding', 'gzip'));
    expect(small.headers).not.toHaveProperty('content-encoding');
    const plain = await app.same((agent) => agent.get('/page').set('Accept-Encoding', 'identity'));
    expect(plain.headers['content-length']).toBe(`${page.length}`);
  });
});
