// body-parser, as it is, over SCGI: every parser, its limits, compressed bodies, and a client that leaves half way.

import { deflateSync, gzipSync } from 'node:zlib';
import bodyParser from 'body-parser';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { serveBothWays, serveFront } from './support/both-ways.js';

function createApp(errors: unknown[] = []): express.Express {
  const app = express();
  app.post('/json', bodyParser.json({ limit: '10kb', type: ['json', '+json'] }));
  app.post('/form', bodyParser.urlencoded({ extended: true, limit: '10kb', parameterLimit: 5 }));
  app.post('/text', bodyParser.text({ limit: '10kb', defaultCharset: 'utf-8' }));
  app.post('/raw', bodyParser.raw({ limit: '10kb', type: () => true }));
  app.post('/plain', bodyParser.json({ inflate: false }));
  app.use((req, res) => {
    if (req.body instanceof Buffer) res.json({ hex: req.body.toString('hex') });
    else res.json({ body: req.body ?? null });
  });
  app.use(((error, _req, res, _next) => {
    errors.push(error);
    res.status(error.status ?? 500).json({ type: error.type, message: error.message });
  }) satisfies express.ErrorRequestHandler);
  return app;
}

/** In place of superagent's own serializers, which would make JSON of bytes. */
const asIs = (content: string): string => content;

const long = 'x'.repeat(20_000);

describe('body-parser', () => {
  test.each([
    ['/json', 'application/json', '{"a":[1,"ü"]}', { a: [1, 'ü'] }],
    ['/json', 'application/ld+json', '{"b":2}', { b: 2 }],
    ['/json', 'text/plain', '{"a":1}', null],
    ['/form', 'application/x-www-form-urlencoded', 'a%5Bb%5D=1&c=%C3%BC+x&c=2', { a: { b: '1' }, c: ['ü x', '2'] }],
    ['/text', 'text/plain', 'hällo', 'hällo'],
    ['/text', 'text/plain; charset=iso-8859-1', Buffer.from('hällo', 'latin1'), 'hällo'],
  ])('reads %s as %s', async (path, type, content, expected) => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) => agent.post(path).set('Content-Type', type).serialize(asIs).send(content));
    expect(JSON.parse(answer.text)).toEqual({ body: expected });
  });

  test('reads bytes as they are', async () => {
    const app = await serveBothWays(() => createApp());
    const bytes = Buffer.from([0, 255, 10, 13, 44]);
    const answer = await app.same((agent) => agent.post('/raw').set('Content-Type', 'a/b').send(bytes));
    expect(answer.text).toBe('{"hex":"00ff0a0d2c"}');
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('unpacks a body that came as %s', async (coding, pack) => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) =>
      agent
        .post('/json')
        .set({ 'Content-Type': 'application/json', 'Content-Encoding': coding })
        .serialize(asIs)
        .send(pack('{"packed":true}')),
    );
    expect(JSON.parse(answer.text)).toEqual({ body: { packed: true } });
  });

  test.each([
    ['a packed body where none is wanted', '/plain', { 'Content-Encoding': 'gzip' }, '{}', 415, 'encoding.unsupported'],
    ['an unknown coding', '/json', { 'Content-Encoding': 'zip' }, '{}', 415, 'encoding.unsupported'],
    ['a coding that lies', '/json', { 'Content-Encoding': 'gzip' }, '{"a":1}', 400, undefined],
    ['bad JSON', '/json', {}, '{"a":', 400, 'entity.parse.failed'],
    ['a JSON value where an object is wanted', '/json', {}, '"text"', 400, 'entity.parse.failed'],
    [
      'an unknown charset',
      '/json',
      { 'Content-Type': 'application/json; charset=x' },
      '{}',
      415,
      'charset.unsupported',
    ],
    ['too much JSON', '/json', {}, `{"a":"${long}"}`, 413, 'entity.too.large'],
    [
      'too many parameters',
      '/form',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      'a&b&c&d&e&f',
      413,
      'parameters.too.many',
    ],
    ['too long a text', '/text', { 'Content-Type': 'text/plain' }, long, 413, 'entity.too.large'],
    ['too many bytes', '/raw', { 'Content-Type': 'a/b' }, long, 413, 'entity.too.large'],
  ])('refuses %s', async (_what, path, fields, content, status, type) => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) =>
      agent
        .post(path)
        .set({ 'Content-Type': 'application/json', ...fields })
        .serialize(asIs)
        .send(content),
    );
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).type).toBe(type);
  });

  test('refuses what grows too large when it is unpacked', async () => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) =>
      agent
        .post('/json')
        .set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
        .serialize(asIs)
        .send(gzipSync(`{"a":"${long}"}`)),
    );
    expect(answer.status).toBe(413);
  });

  test('refuses an upload far above its limit, and the answer arrives', async () => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) =>
      agent.post('/raw').set('Content-Type', 'a/b').send(Buffer.alloc(5_000_000)),
    );
    expect(answer.status).toBe(413);
  });

  test('takes an announced length of 0 for an empty body', async () => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) =>
      agent.post('/json').set({ 'Content-Type': 'application/json', 'Content-Length': '0' }),
    );
    expect(answer.text).toBe('{"body":{}}');
  });

  test('leaves a request without a body alone', async () => {
    const app = await serveBothWays(() => express().use(bodyParser.json(), createApp()));
    const answer = await app.same((agent) => agent.get('/none'));
    expect(answer.text).toBe('{"body":null}');
  });

  test('says "request aborted" of a client that leaves half way', async () => {
    const errors: { status?: number; message?: string; type?: string }[] = [];
    const app = express();
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => (reach = resolve));
    app.use((req, _res, next) => {
      req.once('data', reach);
      next();
    });
    const front = await serveFront(app.use(createApp(errors)));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"half":');
      await reached;
      throw new Error('gone');
    }
    const headers = { 'Content-Type': 'application/json', 'Content-Length': '100' };
    await expect(openRequest({ origin: front.url, path: '/json', headers, body: body() })).rejects.toThrow();
    await until(() => errors.length > 0, 1_000, 'an error for the body');
    expect(errors[0]).toMatchObject({ status: 400, message: 'request aborted', type: 'request.aborted' });
  });
});
