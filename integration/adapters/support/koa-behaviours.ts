// What Koa applications do: bodies of every kind, and the middleware that people use.
// Data only: who asks, and over what, is for the tests.

import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type Koa from 'koa';
import { koaBody } from 'koa-body';
import compress from 'koa-compress';
import serveStatic from 'koa-static';
import { expect } from 'vitest';
import type { Question } from './two-ways.js';

/** Whoever imports this removes it. */
export const folder: string = mkdtempSync(join(tmpdir(), 'scgi-koa-'));
const file = join(folder, 'page.html');
writeFileSync(file, '<h1>page</h1>');
const large = Buffer.alloc(1_000_000, 'All the bytes of a stream. ');

/** What the middleware does, what it is asked, and what must be true of the answer beside its being the same. */
export interface Behaviour {
  readonly what: string;
  readonly use?: Koa.Middleware;
  /** Where middleware alone does not do. */
  readonly build?: (app: Koa) => void;
  readonly question?: Question;
  readonly expected: Partial<Record<'status' | 'text' | 'headers' | 'broken', unknown>>;
  /** What `app.on('error')` hears. */
  readonly errors?: readonly string[];
  /** Where Koa 2 cannot. */
  readonly since?: 3;
}

const reply =
  (body: unknown): Koa.Middleware =>
  (ctx) =>
    void (ctx.body = body);
const head: Question = { method: 'HEAD' };
const echo: Koa.Middleware = (ctx) => void (ctx.body = ctx.req);

const bodies: readonly Behaviour[] = [
  { what: 'JSON', use: reply({ a: 1, käse: '☕' }), expected: { status: 200, text: '{"a":1,"käse":"☕"}' } },
  { what: 'a string', use: reply('käse'), expected: { headers: { 'content-length': '5' } } },
  { what: 'HTML', use: reply('<p>'), expected: { headers: { 'content-type': 'text/html; charset=utf-8' } } },
  { what: 'a buffer', use: reply(large), expected: { headers: { 'content-length': '1000000' } } },
  { what: 'a file', use: (ctx) => void (ctx.body = createReadStream(file)), expected: { text: '<h1>page</h1>' } },
  { what: 'a large stream', use: (ctx) => void (ctx.body = Readable.from([large, large])), expected: { status: 200 } },
  {
    what: 'a stream of a known length',
    use: (ctx) => {
      ctx.length = 4;
      ctx.body = Readable.from(['ab', 'cd']);
    },
    expected: { text: 'abcd' },
  },
  {
    what: 'a stream through gzip',
    use: (ctx) => {
      ctx.set('Content-Encoding', 'gzip');
      ctx.body = Readable.from([large]).pipe(createGzip());
    },
    expected: { headers: { 'content-encoding': 'gzip' } },
  },
  { what: 'a Blob', use: reply(new Blob(['blob'])), expected: { text: 'blob' }, since: 3 },
  {
    what: 'a web stream',
    use: (ctx) => void (ctx.body = new Blob(['web']).stream()),
    expected: { text: 'web' },
    since: 3,
  },
  {
    what: 'a Response',
    use: (ctx) => void (ctx.body = new Response('made', { status: 201, headers: { 'X-A': 'b' } })),
    expected: { status: 201, text: 'made' },
    since: 3,
  },
  { what: 'nothing at all', use: () => {}, expected: { status: 404, text: 'Not Found' } },
  { what: 'a status', use: (ctx) => void (ctx.status = 202), expected: { status: 202, text: 'Accepted' } },
  { what: 'null', use: reply(null), expected: { status: 204, text: '' } },
  {
    what: 'an explicit null with a status',
    use: (ctx) => {
      ctx.body = null;
      ctx.status = 200;
    },
    expected: { status: 200, text: '' },
  },
  {
    what: 'a reason of its own',
    use: (ctx) => {
      ctx.status = 299;
      ctx.message = 'Made up';
      ctx.body = 'x';
    },
    expected: { status: 299 },
  },
  {
    what: '304 for what the client has',
    use: (ctx) => {
      ctx.body = 'same';
      ctx.etag = 'v1';
      if (ctx.fresh) ctx.status = 304;
    },
    question: { headers: { 'If-None-Match': '"v1"' } },
    expected: { status: 304, text: '', headers: { etag: '"v1"' } },
  },
  { what: 'HEAD of JSON', use: reply({ a: 1 }), question: head, expected: { headers: { 'content-length': '7' } } },
  {
    what: 'HEAD of a stream',
    use: (ctx) => void (ctx.body = createReadStream(file)),
    question: head,
    expected: { status: 200, text: '' },
  },
  { what: 'HEAD of nothing', use: () => {}, question: head, expected: { status: 404, text: '' } },
  { what: 'a redirect', use: (ctx) => ctx.redirect('/there?x'), expected: { status: 302 } },
  {
    what: 'signed cookies',
    build: (app) => {
      app.keys = ['key'];
      app.use((ctx) => {
        ctx.cookies.set('a', '1', { signed: true }).set('b', '2');
        ctx.body = 'set';
      });
    },
    expected: {
      headers: { 'set-cookie': ['a=1; path=/; httponly', expect.stringMatching(/^a\.sig=/), 'b=2; path=/; httponly'] },
    },
  },
  {
    what: 'flushHeaders, and the body later',
    use: async (ctx) => {
      ctx.status = 200;
      ctx.type = 'text/plain';
      ctx.flushHeaders();
      await new Promise(setImmediate);
      ctx.body = 'later';
    },
    expected: { status: 200, text: 'later' },
  },
  {
    what: 'ctx.respond = false',
    use: (ctx) => {
      ctx.respond = false;
      setImmediate(() => ctx.res.writeHead(201, { 'X-By': 'hand' }).end('by hand'));
    },
    expected: { status: 201, text: 'by hand', headers: { 'x-by': 'hand' } },
  },
];

const requests: readonly Behaviour[] = [
  { what: 'an upload that is streamed back', use: echo, question: { body: large }, expected: { status: 200 } },
  {
    what: 'an upload in pieces',
    use: async (ctx) => {
      let size = 0;
      for await (const chunk of ctx.req) size += chunk.length;
      ctx.body = { size, length: ctx.request.length };
    },
    question: { body: [large, large, large], headers: { 'Content-Length': '3000000' } },
    expected: { text: '{"size":3000000,"length":3000000}' },
  },
  {
    what: 'an upload that nobody reads',
    use: reply('not interested'),
    question: { body: 'x'.repeat(10_000) },
    expected: { text: 'not interested' },
  },
  {
    what: 'negotiation and query',
    use: (ctx) => void (ctx.body = { type: ctx.accepts('html', 'json'), query: ctx.query, is: ctx.is('json') }),
    question: {
      path: '/?a=%20b&a=c',
      body: '{}',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    },
    expected: { text: '{"type":"json","query":{"a":[" b","c"]},"is":"json"}' },
  },
];

const form = [
  '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
  '--b\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\nContent-Type: text/plain\r\n',
  `${'x'.repeat(100_000)}\r\n--b--\r\n`,
].join('\r\n');

const middleware: readonly Behaviour[] = [
  {
    what: 'koa-body reads JSON',
    build: (app) => void app.use(koaBody()).use((ctx) => void (ctx.body = { got: ctx.request.body })),
    question: { body: '{"a":[1]}', headers: { 'Content-Type': 'application/json' } },
    expected: { text: '{"got":{"a":[1]}}' },
  },
  {
    what: 'koa-body reads a form with a file',
    build: (app) =>
      void app.use(koaBody({ multipart: true, formidable: { uploadDir: folder } })).use((ctx) => {
        const { size, originalFilename } = [ctx.request.files?.['file'] ?? []].flat()[0] ?? expect.unreachable();
        ctx.body = { fields: ctx.request.body, size, originalFilename };
      }),
    question: {
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body: form,
    },
    expected: { text: '{"fields":{"a":"1"},"size":100000,"originalFilename":"f.txt"}' },
  },
  {
    what: 'koa-body refuses what is too large',
    build: (app) => void app.use(koaBody({ jsonLimit: 10 })).use(echo),
    question: { body: '{"a":"0123456789"}', headers: { 'Content-Type': 'application/json' } },
    expected: { status: 413 },
    errors: ['request entity too large'],
  },
  {
    what: 'koa-static sends a file',
    build: (app) => void app.use(serveStatic(folder)),
    question: { path: '/page.html' },
    expected: { status: 200, text: '<h1>page</h1>', headers: { 'content-length': '13' } },
  },
  {
    what: 'koa-static tells HEAD the length',
    build: (app) => void app.use(serveStatic(folder)),
    question: { path: '/page.html', method: 'HEAD' },
    expected: { status: 200, text: '', headers: { 'content-length': '13' } },
  },
  {
    what: 'koa-compress compresses a stream',
    build: (app) =>
      void app.use(compress()).use((ctx) => {
        ctx.type = 'text';
        ctx.body = Readable.from([large]);
      }),
    question: { headers: { 'Accept-Encoding': 'gzip' } },
    expected: { status: 200, headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } },
  },
];

export const behaviours: Readonly<Record<string, readonly Behaviour[]>> = { bodies, requests, middleware };
