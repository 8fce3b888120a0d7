// http-proxy-middleware, as it is, in an application served over SCGI: it passes requests on to a plain HTTP server.

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { rawRequest } from '@scgi/testing';
import express from 'express';
import { createProxyMiddleware, type Options } from 'http-proxy-middleware';
import { describe, expect, test } from 'vitest';
import { until, within } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { listen, originOf, serveBothWays, serveFront, type BothWays } from './support/both-ways.js';

async function serveProxy(backend: RequestListener, options: Options = {}): Promise<BothWays> {
  const target = originOf(await listen(createServer(backend)));
  return serveBothWays(() => express().use('/api', createProxyMiddleware({ target, ...options })));
}

describe('http-proxy-middleware', () => {
  test('passes a GET on, and its answer back', async () => {
    const seen: unknown[] = [];
    const app = await serveProxy((req, res) => {
      seen.push([req.method, req.url, req.headers['x-custom'], req.headers['content-length']]);
      res.writeHead(203, 'Nearly', { 'Content-Type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'], 'X-From': 'backend' });
      res.end('from the backend');
    });
    const answer = await app.same((agent) => agent.get('/api/items?q=%2F').set('X-Custom', 'yes'));
    expect(answer.status).toBe(203);
    expect(answer.headers['x-from']).toBe('backend');
    expect(answer.cookies).toEqual(['a=1', 'b=2']);
    expect(answer.text).toBe('from the backend');
    const expected = ['GET', '/items?q=%2F', 'yes', undefined];
    expect(seen).toEqual([expected, expected]);
  });

  test('streams a large body on', async () => {
    const app = await serveProxy(async (req, res) => {
      let bytes = 0;
      for await (const chunk of req) bytes += chunk.length;
      res.end(`${req.method} ${req.headers['content-length']} ${bytes}`);
    });
    const answer = await app.same((agent) => agent.put('/api/file').type('bin').send(Buffer.alloc(3_000_000)));
    expect(answer.text).toBe('PUT 3000000 3000000');
  });

  test('passes the pieces of a body on as they come', async () => {
    let got = '';
    const app = await serveProxy((req, res) => {
      req.setEncoding('utf8').on('data', (piece) => (got += piece));
      req.on('end', () => res.end('done'));
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first ');
      await until(() => got === 'first ', 5_000, 'the first piece at the backend');
      yield Buffer.from('second');
    }
    const headers = { 'Content-Length': '12' };
    const { response } = await openRequest({
      origin: app.front.url,
      path: '/api/',
      method: 'POST',
      headers,
      body: body(),
    });
    expect(await text(response)).toBe('done');
    expect(got).toBe('first second');
  });

  test('passes a chunked answer on with all its bytes', async () => {
    const app = await serveProxy((_req, res) => {
      for (let index = 0; index < 50; index += 1) res.write(`${index} `.padEnd(5_000, '.'));
      res.end();
    });
    expect((await app.same((agent) => agent.get('/api/'))).body.byteLength).toBe(250_000);
  });

  test('passes events on one by one, and the leaving of the client', async () => {
    let sendNext = (): void => {};
    let left = false;
    const app = await serveProxy((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: one\n\n');
      sendNext = () => void res.write('data: two\n\n');
      res.on('close', () => (left = true));
    });
    const { response, abort } = await openRequest({ origin: app.front.url, path: '/api/events' });
    response.setEncoding('utf8');
    expect(await within(once(response, 'data'), 5_000, 'the first event')).toEqual(['data: one\n\n']);
    sendNext();
    expect(await within(once(response, 'data'), 5_000, 'the second event')).toEqual(['data: two\n\n']);
    abort();
    await until(() => left, 1_000, 'the end at the backend');
  });

  test('answers 504 when nobody listens at the target', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = originOf(server);
    await new Promise((resolve) => server.close(resolve));
    const app = await serveBothWays(() => express().use(createProxyMiddleware({ target })));
    const answer = await app.same((agent) => agent.get('/').set('Host', 'example.test'));
    expect(answer.status).toBe(504);
    expect(answer.text).toMatch(/^Error occurred while trying to proxy/);
  });

  test('with xfwd tells the backend who the client really is', async () => {
    let headers: IncomingHttpHeaders = {};
    const target = originOf(
      await listen(
        createServer((req, res) => {
          headers = req.headers;
          res.end();
        }),
      ),
    );
    const front = await serveFront(express().use(createProxyMiddleware({ target, xfwd: true })));
    const variables = {
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '192.0.2.7',
      HTTPS: 'on',
      HTTP_HOST: 'example.test',
    };
    expect((await rawRequest(front.target, { variables })).status).toBe(200);
    expect(headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'example.test',
      'x-forwarded-port': '443',
    });
  });

  test('lets its hooks change the request and the answer', async () => {
    const app = await serveProxy((req, res) => void res.end(req.headers['x-added']), {
      on: {
        proxyReq: (proxyRequest) => proxyRequest.setHeader('X-Added', 'by a hook'),
        proxyRes: (proxyResponse) => (proxyResponse.headers['x-changed'] = 'yes'),
      },
    });
    const answer = await app.same((agent) => agent.get('/api/'));
    expect(answer.text).toBe('by a hook');
    expect(answer.headers['x-changed']).toBe('yes');
  });
});
