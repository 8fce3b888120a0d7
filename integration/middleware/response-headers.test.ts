// Middleware that sets response fields, as it is, over SCGI: helmet, cors, and what waits for writeHead or for the end
// of a response, as response-time and on-finished do.

import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import cors from 'cors';
import express from 'express';
import helmet from 'helmet';
import { describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { serveBothWays, serveFront, type Ask } from './support/both-ways.js';

// Both came with Express and have no types here.
const require = createRequire(import.meta.url);
const onFinished: (res: ServerResponse, listener: (error: Error | null) => void) => void = require('on-finished');
const onHeaders: (res: ServerResponse, listener: (this: ServerResponse) => void) => void = require('on-headers');

describe('helmet', () => {
  const createApp = (): express.Express => express().use(helmet(), (_req, res) => void res.send('<p>hello</p>'));

  test('sets its default fields and takes X-Powered-By away', async () => {
    const app = await serveBothWays(createApp);
    const { headers } = await app.same((agent) => agent.get('/'));
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  test('sets a policy that differs with each response', async () => {
    const app = await serveBothWays(() =>
      express()
        .use((req, res, next) => {
          res.locals['nonce'] = String(req.query['nonce']);
          next();
        })
        .use(
          helmet.contentSecurityPolicy({
            useDefaults: false,
            directives: {
              scriptSrc: [(_req, res) => `'nonce-${(res as express.Response).locals['nonce']}'`],
              defaultSrc: ["'none'"],
            },
          }),
        )
        .use((_req, res) => void res.send('')),
    );
    const { headers } = await app.same((agent) => agent.get('/?nonce=abc'));
    expect(headers['content-security-policy']).toBe("script-src 'nonce-abc';default-src 'none'");
  });

  test('is on the answer to an error too', async () => {
    const app = await serveBothWays(() =>
      express().use(helmet(), () => {
        throw Object.assign(new Error('no coffee here'), { status: 418 });
      }),
    );
    const answer = await app.same((agent) => agent.get('/'));
    expect(answer.status).toBe(418);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('cors', () => {
  const createApp = (): express.Express =>
    express()
      .use(cors({ origin: ['https://good.test'], credentials: true, exposedHeaders: ['X-Total'], maxAge: 600 }))
      .all('/items', (_req, res) => void res.set('X-Total', '7').json([]));

  test('answers a preflight with 204 and what may be sent', async () => {
    const app = await serveBothWays(createApp);
    const preflight: Ask = (agent) =>
      agent
        .options('/items')
        .set('Origin', 'https://good.test')
        .set('Access-Control-Request-Method', 'PUT')
        .set('Access-Control-Request-Headers', 'X-Token, Content-Type');
    // cors says Content-Length: 0, which a 204 must not have (RFC 9110 §8.6) and does not get over SCGI.
    const answer = await app.same(preflight, ['content-length']);
    expect(answer.headers).not.toHaveProperty('content-length');
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://good.test',
      'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE',
      'access-control-allow-headers': 'X-Token, Content-Type',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    });
    expect(answer.body).toHaveLength(0);
  });

  test('marks the answer to a friend', async () => {
    const app = await serveBothWays(createApp);
    const { headers } = await app.same((agent) => agent.get('/items').set('Origin', 'https://good.test'));
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://good.test',
      'access-control-expose-headers': 'X-Total',
      vary: 'Origin',
    });
  });

  test('gives a stranger no permission', async () => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/items').set('Origin', 'https://evil.test'));
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('what waits for the head', () => {
  test('sets a field at the moment of writeHead', async () => {
    const app = await serveBothWays(() =>
      express().use(
        (_req, res, next) => {
          const start = process.hrtime.bigint();
          onHeaders(res, function () {
            this.setHeader('X-Response-Time', `${Number(process.hrtime.bigint() - start) / 1e6}ms`);
          });
          next();
        },
        (_req, res) => void res.send('done'),
      ),
    );
    const { headers } = await app.same((agent) => agent.get('/'), ['x-response-time']);
    expect(headers['x-response-time']).toMatch(/^\d+(\.\d+)?ms$/);
  });

  test('sees the status and the fields that writeHead was given, last registered first', async () => {
    const seen: unknown[] = [];
    const app = await serveFront((_req, res) => {
      onHeaders(res, function () {
        seen.push(['first registered', this.statusCode, this.getHeader('x-kind')]);
      });
      onHeaders(res, function () {
        seen.push(['last registered', this.statusCode, this.getHeader('x-kind')]);
        this.removeHeader('X-Kind');
      });
      res.writeHead(202, { 'X-Kind': 'test' }).end('accepted');
    });
    const { response } = await openRequest({ origin: app.url });
    response.resume();
    expect(response.statusCode).toBe(202);
    expect(response.headers).not.toHaveProperty('x-kind');
    expect(seen).toEqual([
      ['last registered', 202, 'test'],
      ['first registered', 202, undefined],
    ]);
  });

  test('sees an implicit head too', async () => {
    const app = await serveBothWays(() => (_req, res) => {
      onHeaders(res, function () {
        this.setHeader('X-Late', `${this.statusCode}`);
      });
      res.statusCode = 201;
      res.write('made');
      res.end();
    });
    expect((await app.same((agent) => agent.get('/'))).headers['x-late']).toBe('201');
  });
});

describe('what waits for the end', () => {
  test('hears of a finished response without an error', async () => {
    const ends: (Error | null)[] = [];
    const app = await serveBothWays(() => (_req, res) => {
      onFinished(res, (error) => ends.push(error));
      res.end('all of it');
    });
    await app.same((agent) => agent.get('/'));
    await until(() => ends.length === 2, 5_000, 'both ends');
    expect(ends).toEqual([null, null]);
  });

  test('hears within a second of a client that left', async () => {
    let left = 0;
    const front = await serveFront((_req, res) => {
      onFinished(res, () => (left = performance.now()));
      res.writeHead(200, { 'Content-Type': 'text/plain' }).write('the first part');
    });
    const { abort } = await openRequest({ origin: front.url });
    const start = performance.now();
    abort();
    await until(() => left > 0, 1_000, 'the end of the response');
    expect(left - start).toBeLessThan(1_000);
  });
});
