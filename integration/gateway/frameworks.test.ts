// Backends mounted in Hono, h3, itty-router and Koa as their users would, with the application of a real server behind.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { serve } from '@hono/node-server';
import { serveScgi as serveFetch } from '@scgi/adapter-fetch';
import { serveScgi as serveKoa } from '@scgi/adapter-koa';
import { ScgiApp, scgiFetchHandler, scgiKoa, type FetchGatewayContext, type ScgiFetchHandler } from '@scgi/gateway';
import { H3 } from 'h3';
import { Hono } from 'hono';
import { AutoRouter } from 'itty-router';
import Koa from 'koa';
import compress from 'koa-compress';
import { describe, expect } from 'vitest';
import { digestOf, pattern } from '../nginx/apps/pattern.js';
import { test, type Stage } from '../nginx/support/stage.js';
import { createEchoApp, happenings } from '../peers/support/echo-app.js';
import { within } from '../support/deadline.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { startFront } from './support/front.js';

const size = 64 << 20;
const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

async function listening(stage: Stage, server: Server): Promise<string> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.add(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const address: AddressInfo | string | null = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** An application with the backend below /mount, and where it is served. */
type Host = (stage: Stage, backend: string) => Promise<string>;

function honoApp(api: ScgiFetchHandler): Hono<{ Bindings: FetchGatewayContext }> {
  const app = new Hono<{ Bindings: FetchGatewayContext }>();
  app.use(async (c, next) => {
    await next();
    c.header('X-Wrapped', `${c.res.status}`);
  });
  app.all('/mount/*', (c) => api(c.req.raw, c.env));
  app.get('/own', (c) => c.text('own'));
  return app;
}

const onNode: Host = async (stage, backend) => {
  const app = honoApp(scgiFetchHandler('/mount', backend));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => {
      if (server instanceof Object && 'closeAllConnections' in server) resolve(listening(stage, server));
    });
  });
};

const overScgi: Host = async (stage, backend) => {
  const app = honoApp(scgiFetchHandler('/mount', backend));
  const { address } = stage.adopt(await serveFetch(app, { bind: stage.freeAddress('unix') }));
  return (await startFront(stage, { to: address })).origin;
};

const inKoa =
  (KoaClass: typeof Koa): Host =>
  async (stage, backend) => {
    const app = new KoaClass();
    app.silent = true;
    app.use(async (ctx, next) => {
      await next();
      ctx.set('X-Wrapped', `${ctx.status}`);
    });
    app.use(scgiKoa('/mount', backend));
    app.use((ctx) => void (ctx.body = 'own'));
    return listening(stage, createServer(app.callback()));
  };

const koaOverScgi: Host = async (stage, backend) => {
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    await next();
    ctx.set('X-Wrapped', `${ctx.status}`);
  });
  app.use(scgiKoa('/mount', backend));
  app.use((ctx) => void (ctx.body = 'own'));
  const { address } = stage.adopt(await serveKoa(app, { bind: stage.freeAddress('unix') }));
  return (await startFront(stage, { to: address })).origin;
};

const hosts: readonly (readonly [string, Host])[] = [
  ['Hono on Node’s HTTP server', onNode],
  ['Hono that is served over SCGI itself', overScgi],
  ['Koa 2', inKoa(Koa2)],
  ['Koa 3', inKoa(Koa)],
  ['Koa that is served over SCGI itself', koaOverScgi],
];

describe.each(hosts)('%s', (_, host) => {
  const setUp = async (stage: Stage): Promise<string> => host(stage, (await stage.serve(createEchoApp())).address);

  test('passes method, target, fields and client on, and what wraps it sees the answer', async ({ stage }) => {
    const origin = await setUp(stage);
    const response = await httpRequest({
      origin,
      path: '/mount/facts/a%20b?x=1',
      method: 'PATCH',
      headers: { 'X-Some': 'v', Cookie: 'a=1; b=2' },
    });
    expect(JSON.parse(response.text)).toMatchObject({
      method: 'PATCH',
      url: '/facts/a%20b?x=1',
      ip: '127.0.0.1',
      secure: false,
      query: { x: '1' },
      cookie: 'a=1; b=2',
      fields: [['x-some', 'v']],
    });
    expect(response.headers['x-wrapped']).toBe('200');
    expect((await httpRequest({ origin, path: '/own' })).text).toBe('own');
  });

  test('gives status, cookies and fields back', async ({ stage }) => {
    const response = await httpRequest({ origin: await setUp(stage), path: '/mount/fields' });
    expect(response).toMatchObject({
      status: 299,
      text: 'fields',
      headers: { 'x-list': 'one, two', 'x-wrapped': '299' },
    });
    expect(response.headers['set-cookie']).toEqual(['a=1; Path=/; HttpOnly', 'b=two words; Secure', 'c=']);
  });

  test('gives the backend’s own failure back', async ({ stage }) => {
    const response = await httpRequest({ origin: await setUp(stage), path: '/mount/throws' });
    expect([response.status, response.headers['x-wrapped']]).toEqual([500, '500']);
  });

  test.for([{ 'Content-Length': `${size}` }, {}])('echoes 64 MiB with %j', async (headers, { stage }) => {
    const origin = await setUp(stage);
    const opened = await openRequest({ origin, path: '/mount/echo', method: 'POST', headers, body: pattern(size) });
    const hash = createHash('sha256');
    for await (const chunk of opened.response) hash.update(chunk);
    expect(hash.digest('hex')).toBe(digestOf(size));
  });

  test('tells the backend when the client has left', async ({ stage }) => {
    const origin = await setUp(stage);
    const left = new Promise((resolve) => happenings.once('left', resolve));
    const opened = await openRequest({ origin, path: '/mount/endless' });
    opened.abort();
    await within(left, 5_000, 'the backend hearing of it');
  });
});

test('a backend is a 502 for Hono’s middleware, too', async ({ stage }) => {
  const seen: number[] = [];
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    seen.push(c.res.status);
  });
  const api = scgiFetchHandler('/api', stage.freeAddress('unix'), { onError: () => {} });
  app.all('/api/*', (c) => api(c.req.raw));
  const response = await app.request('/api/x');
  expect([response.status, await response.text(), seen]).toEqual([502, '502 Bad Gateway\n', [502]]);
});

test('Hono’s mount works with a handler for everything', async ({ stage }) => {
  const { address } = await stage.serve(createEchoApp());
  const app = new Hono().mount('/api', scgiFetchHandler(address));
  expect(await (await app.request('/api/facts/x?y')).json()).toMatchObject({ url: '/facts/x?y' });
  const whole = new Hono().mount('/mount', scgiFetchHandler('/mount', address), {
    replaceRequest: (request) => request,
  });
  expect(await (await whole.request('/mount/facts/x?y')).json()).toMatchObject({ url: '/facts/x?y' });
});

test('h3 takes the handler as it is', async ({ stage }) => {
  const { address } = await stage.serve(createEchoApp());
  const api = new ScgiApp(address).fetch('/mount');
  const app = new H3();
  app.all('/mount/**', (event) => api(event.req));
  app.get('/own', () => 'own');
  expect(await (await app.fetch(new Request('http://localhost/mount/facts/x'))).json()).toMatchObject({
    url: '/facts/x',
  });
  expect(await (await app.fetch(new Request('http://localhost/own'))).text()).toBe('own');
});

test('itty-router takes it beside its own routes, by asking before', async ({ stage }) => {
  const { address } = await stage.serve(createEchoApp());
  const api = scgiFetchHandler('/mount', address);
  const router = AutoRouter();
  router.all('*', (request: Request) => (api.handles(request) ? api(request) : undefined));
  router.get('/own', () => 'own');
  const echoed = await router.fetch(new Request('http://localhost/mount/echo', { method: 'POST', body: 'body' }));
  expect(await echoed.text()).toBe('body');
  expect(await (await router.fetch(new Request('http://localhost/own'))).json()).toBe('own');
});

test('Koa compresses what the backend answers', async ({ stage }) => {
  const page = '<p>again</p>'.repeat(10_000);
  const { address } = await stage.serve((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(page);
  });
  const app = new Koa();
  app.use(compress());
  app.use(scgiKoa(address));
  const origin = await listening(stage, createServer(app.callback()));
  const response = await fetch(origin, { headers: { 'Accept-Encoding': 'br' } });
  expect(response.headers.get('content-encoding')).toBe('br');
  expect(await response.text()).toBe(page);
});
