// What Fastify applications do: replies of every kind, hooks, validation, errors.
// Data only: who asks, and over what, is for the tests.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { FastifyInstance, FastifyServerOptions, RouteHandlerMethod } from 'fastify';
import { expect } from 'vitest';
import type { Question } from './two-ways.js';

/** Whoever imports this removes it. */
export const folder: string = mkdtempSync(join(tmpdir(), 'scgi-fastify-'));
export const large: Buffer = Buffer.alloc(1_000_000, 'All the bytes of a stream. ');

/** What the application does, what it is asked, and what must be true of the answer beside its being the same. */
export interface Behaviour {
  readonly what: string;
  readonly options?: FastifyServerOptions;
  /** Of every request. */
  readonly handler?: RouteHandlerMethod;
  /** Where a handler alone does not do; what it returns is compared too. */
  readonly build?: (app: FastifyInstance) => Promise<unknown> | unknown;
  readonly question?: Question;
  readonly expected: Partial<Record<'status' | 'text' | 'headers' | 'broken', unknown>>;
}

const head: Question = { method: 'HEAD' };
const json = { 'Content-Type': 'application/json' };
const failing = (): Readable =>
  new Readable({
    read() {
      this.destroy(new Error('the disk is gone'));
    },
  });

const replies: readonly Behaviour[] = [
  { what: 'JSON', handler: async () => ({ a: 1, käse: '☕' }), expected: { text: '{"a":1,"käse":"☕"}' } },
  { what: 'a string', handler: async () => 'käse', expected: { headers: { 'content-length': '5' } } },
  { what: 'a buffer', handler: async () => large, expected: { headers: { 'content-length': '1000000' } } },
  { what: 'a stream', handler: async () => Readable.from([large, large]), expected: { status: 200 } },
  {
    what: 'a web stream',
    handler: (_, reply) => reply.send(new Blob(['web']).stream()),
    expected: { status: 200, text: 'web' },
  },
  {
    what: 'a Response',
    handler: (_, reply) => reply.send(new Response('made', { status: 201, headers: { 'X-A': 'b' } })),
    expected: { status: 201, text: 'made', headers: { 'x-a': 'b' } },
  },
  { what: 'nothing', handler: (_, reply) => reply.send(), expected: { status: 200, text: '' } },
  { what: '204', handler: (_, reply) => reply.code(204).send(), expected: { status: 204, text: '' } },
  { what: '304', handler: (_, reply) => reply.code(304).header('ETag', '"v1"').send(), expected: { status: 304 } },
  { what: 'a redirect', handler: (_, reply) => reply.redirect('/there?x', 303), expected: { status: 303 } },
  { what: 'HEAD of JSON', handler: async () => ({ a: 1 }), question: head, expected: { text: '' } },
  { what: 'HEAD of a stream', handler: async () => Readable.from(['x']), question: head, expected: { text: '' } },
  {
    what: 'HEAD of a GET route',
    build: (app) => app.get('/', async () => ({ a: 1 })),
    question: head,
    expected: { headers: { 'content-length': '7' } },
  },
  {
    what: 'several cookies',
    handler: (_, reply) => reply.header('Set-Cookie', 'a=1').header('Set-Cookie', 'b=2').send('x'),
    expected: { headers: { 'set-cookie': ['a=1', 'b=2'] } },
  },
  {
    what: 'trailers, which a CGI response cannot have',
    handler: (_, reply) => reply.trailer('X-T', async () => 'end').send('body'),
    expected: { status: 200, text: 'body' },
  },
  {
    what: 'early hints, which a CGI response cannot have',
    handler: async (_, reply) => {
      reply.raw.writeEarlyHints({ link: '</a.css>; rel=preload' });
      return 'body';
    },
    expected: { status: 200, text: 'body' },
  },
  {
    what: 'a hijacked reply',
    handler: (_, reply) => {
      reply.hijack();
      setImmediate(() => reply.raw.writeHead(201, { 'X-By': 'hand' }).end('by hand'));
    },
    expected: { status: 201, text: 'by hand', headers: { 'x-by': 'hand' } },
  },
];

const requests: readonly Behaviour[] = [
  {
    what: 'a JSON body',
    handler: async ({ body }) => ({ got: body }),
    question: { body: '{"a":[1]}', headers: json },
    expected: { text: '{"got":{"a":[1]}}' },
  },
  {
    what: 'a JSON body that is none',
    handler: async ({ body }) => body,
    question: { body: '{', headers: json },
    expected: { status: 400 },
  },
  {
    what: 'a body of a type that nobody parses',
    handler: async ({ body }) => body,
    question: { body: 'x', headers: { 'Content-Type': 'application/x-test' } },
    expected: { status: 415 },
  },
  {
    what: 'a body over bodyLimit',
    options: { bodyLimit: 10 },
    handler: async ({ body }) => body,
    question: { body: '{"a":"0123456789"}', headers: json },
    expected: { status: 413 },
  },
  {
    what: 'an upload that is streamed back',
    build(app) {
      app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
      app.post('/', (request, reply) => reply.send(request.body));
    },
    question: { body: large, headers: { 'Content-Type': 'application/octet-stream' } },
    expected: { status: 200 },
  },
  {
    what: 'a query and parameters by their schema',
    build: (app) => app.get('/:id', { schema: typed }, async ({ params, query }) => ({ params, query })),
    question: { path: '/7?many=3' },
    expected: { text: '{"params":{"id":7},"query":{"many":3}}' },
  },
  {
    what: 'a query that its schema refuses',
    build: (app) => app.get('/:id', { schema: typed }, async () => 'x'),
    question: { path: '/7?many=some' },
    expected: { status: 400 },
  },
  {
    what: 'a response by its schema',
    build: (app) => app.get('/', { schema: { response: { 200: onlyA } } }, async () => ({ a: 1, secret: 2 })),
    expected: { text: '{"a":1}' },
  },
  { what: 'an unknown route', build: () => {}, question: { path: '/none?x' }, expected: { status: 404 } },
  { what: 'a path that cannot be decoded', build: () => {}, question: { path: '/%zz' }, expected: { status: 400 } },
  {
    what: 'a route for a host and a version',
    build: (app) => app.get('/', { constraints: { host: 'a.test', version: '1.x' } }, async () => 'here'),
    question: { headers: { Host: 'a.test', 'Accept-Version': '1.x' } },
    expected: { text: 'here' },
  },
  {
    what: 'rewriteUrl',
    options: { rewriteUrl: ({ url = '' }) => url.replace('/old', '/new') },
    build: (app) => app.get('/new', async ({ url, originalUrl }) => ({ url, originalUrl })),
    question: { path: '/old?a' },
    expected: { text: '{"url":"/new?a","originalUrl":"/old?a"}' },
  },
];
const numbers = (name: string): object => ({ type: 'object', properties: { [name]: { type: 'integer' } } });
const typed = { params: numbers('id'), querystring: numbers('many') };
const onlyA = numbers('a');

const failures: readonly Behaviour[] = [
  {
    what: 'a rejection',
    handler: () => Promise.reject(new Error('why')),
    expected: { status: 500, text: expect.stringContaining('why') },
  },
  {
    what: 'an error with a status',
    handler: () => Promise.reject(Object.assign(new Error('no tea'), { statusCode: 418 })),
    expected: { status: 418 },
  },
  {
    what: 'an error handler',
    build(app) {
      app.setErrorHandler((_error, _request, reply) => reply.code(503).send({ sorry: true }));
      app.get('/', async () => {
        throw new Error('secret');
      });
    },
    expected: { status: 503, text: '{"sorry":true}' },
  },
  { what: 'a stream that fails before its first byte', handler: async () => failing(), expected: { status: 500 } },
  {
    what: 'a stream that fails behind the head',
    handler: (_, reply) => {
      const stream = new PassThrough();
      stream.write('half', () => setImmediate(() => stream.destroy(new Error('the disk is gone'))));
      return reply.send(stream);
    },
    expected: { broken: 'behind the head' },
  },
  {
    what: 'a hijacked reply that is broken off',
    handler: (_, reply) => {
      reply.hijack();
      reply.raw.writeHead(200).write('half', () => setImmediate(() => reply.raw.destroy()));
    },
    expected: { broken: 'behind the head' },
  },
];

const hooks: readonly Behaviour[] = [
  {
    what: 'run in the same order',
    build(app) {
      const ran: string[] = [];
      app.addHook('onRequest', async () => void ran.push('onRequest'));
      app.addHook('preParsing', async () => void ran.push('preParsing'));
      app.addHook('preValidation', async () => void ran.push('preValidation'));
      app.addHook('preHandler', async () => void ran.push('preHandler'));
      app.addHook('preSerialization', async () => void ran.push('preSerialization'));
      app.addHook('onSend', async () => void ran.push('onSend'));
      app.addHook('onResponse', async () => void ran.push('onResponse'));
      app.post('/', async () => ({ a: 1 }));
      return ran;
    },
    question: { body: '{}', headers: json },
    expected: { status: 200 },
  },
  {
    what: 'may answer before the body is read',
    build(app) {
      app.addHook('onRequest', async (_request, reply) => reply.code(401).send('who?'));
      app.post('/', async () => 'x');
    },
    question: { body: large, headers: json },
    expected: { status: 401, text: 'who?' },
  },
];

export const behaviours: Readonly<Record<string, readonly Behaviour[]>> = { replies, requests, failures, hooks };
