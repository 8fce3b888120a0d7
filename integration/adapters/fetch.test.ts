// Fetch applications of several frameworks over SCGI, through an HTTP front of our own with supertest, and through a real
// nginx: the frameworks need no adapter of theirs.

import { serveScgi, getScgiEnv, type FetchApp, type FetchContext, type FetchHandler } from '@scgi/adapter-fetch';
import { createFront } from '@scgi/testing';
import { H3 } from 'h3';
import { Hono, type Context } from 'hono';
import { methodOverride } from 'hono/method-override';
import { AutoRouter } from 'itty-router';
import supertest from 'supertest';
import { describe, expect, onTestFinished } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { test, transports, type Stage } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { startExample } from './support/example-process.js';

/** The same site with each framework. */
interface Site {
  readonly app: FetchHandler | FetchApp;
  /** What the streams are for that are open. */
  readonly left: unknown[];
}

const page = ({ url, method }: Request, context?: FetchContext): object => ({
  url,
  method,
  user: context?.env.REMOTE_USER,
  ip: context?.remoteAddress,
});

function ticking(request: Request, left: unknown[]): Response {
  request.signal.addEventListener('abort', () => left.push('signal'));
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('data: one\n\n')),
    cancel: () => void left.push('stream'),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

function cookies(): Response {
  const headers = new Headers([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);
  return new Response(null, { status: 204, headers });
}

const sites: Readonly<Record<string, () => Site>> = {
  'a plain function': () => {
    const left: unknown[] = [];
    return {
      left,
      app: async (request, context) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/page') return Response.json(page(request, context));
        if (pathname === '/echo') return new Response(await request.arrayBuffer());
        if (pathname === '/events') return ticking(request, left);
        if (pathname === '/cookies') return cookies();
        if (pathname === '/fail') throw new Error('secret');
        return new Response('404', { status: 404 });
      },
    };
  },
  Hono: () => {
    const left: unknown[] = [];
    const app = new Hono<{ Bindings: FetchContext }>();
    app.get('/page', (c) => c.json(page(c.req.raw, c.env)));
    app.post('/echo', async (c) => c.body(await c.req.arrayBuffer()));
    app.get('/events', (c) => ticking(c.req.raw, left));
    app.get('/cookies', cookies);
    app.get('/fail', () => {
      throw new Error('secret');
    });
    app.onError((_error, c) => c.text('', 500));
    return { app, left };
  },
  h3: () => {
    const left: unknown[] = [];
    const app = new H3({ silent: true });
    // h3 passes no second argument on; the variables are found by the request.
    app.get('/page', ({ req }) => ({
      ...page(req),
      user: getScgiEnv(req)?.REMOTE_USER,
      ip: getScgiEnv(req)?.REMOTE_ADDR,
    }));
    app.post('/echo', async ({ req }) => new Uint8Array(await req.arrayBuffer()));
    app.get('/events', ({ req }) => ticking(req, left));
    app.get('/cookies', cookies);
    app.get('/fail', () => {
      throw new Error('secret');
    });
    return { app: { fetch: (request) => app.fetch(request) }, left };
  },
  'itty-router': () => {
    const left: unknown[] = [];
    const router = AutoRouter({ catch: () => new Response(null, { status: 500 }) });
    router.get('/page', (request: Request, context: FetchContext) => page(request, context));
    router.post('/echo', async (request: Request) => new Response(await request.arrayBuffer()));
    router.get('/events', (request: Request) => ticking(request, left));
    router.get('/cookies', cookies);
    router.get('/fail', () => {
      throw new Error('secret');
    });
    return { app: router, left };
  },
};

async function start(stage: Stage, site: Site, bind: string): Promise<string> {
  return stage.adopt(await serveScgi(site.app, { bind, onError: () => {} })).address;
}

describe.each(Object.entries(sites))('%s, with supertest', (_name, create) => {
  async function client(stage: Stage): Promise<ReturnType<typeof supertest>> {
    const front = await createFront(await start(stage, create(), '127.0.0.1:0'));
    onTestFinished(() => front.close());
    return supertest(front.server);
  }

  test('answers with JSON, cookies and statuses', async ({ stage }) => {
    const agent = await client(stage);
    const { body } = await agent
      .get('/page?a=b')
      .set('Host', 'example.test')
      .expect(200)
      .expect('Content-Type', /json/);
    expect(body).toMatchObject({ url: 'http://example.test/page?a=b', method: 'GET', ip: '127.0.0.1' });
    await agent.get('/cookies').expect(204).expect('Set-Cookie', 'a=1,b=2');
    await agent.get('/nothing').expect(404);
  });

  test('takes bodies', async ({ stage }) => {
    const sent = Buffer.alloc(300_000, 'both ways');
    const posting = (await client(stage)).post('/echo').type('application/octet-stream').responseType('blob');
    const { body } = await posting.send(sent).expect(200);
    expect(sent.equals(body)).toBe(true);
  });

  test('fails with a 500', async ({ stage }) => {
    const { text } = await (await client(stage)).get('/fail').expect(500);
    expect(text).not.toContain('secret');
  });
});

describe('Hono', () => {
  test('has an execution context, and middleware that makes new requests of the one it gets', async ({ stage }) => {
    const done: string[] = [];
    const app = new Hono();
    app.use('/posts', methodOverride({ app, form: '_method' }));
    app.delete('/posts', async (c) => {
      c.executionCtx.waitUntil(Promise.resolve().then(() => done.push('waited')));
      return c.text(`deleted ${(await c.req.parseBody())['id']}`);
    });
    const front = await createFront(await start(stage, { app, left: [] }, '127.0.0.1:0'));
    onTestFinished(() => front.close());
    await supertest(front.server)
      .post('/posts')
      .type('form')
      .send({ _method: 'DELETE', id: 7 })
      .expect(200, 'deleted 7');
    expect(done).toEqual(['waited']);
  });

  test('mounts a handler below a path', async ({ stage }) => {
    const app = new Hono().mount(
      '/inner',
      async (request: Request) => new Response(`${request.url} ${await request.text()}`),
    );
    const front = await createFront(await start(stage, { app, left: [] }, '127.0.0.1:0'));
    onTestFinished(() => front.close());
    const { text } = await supertest(front.server).post('/inner/x?y').set('Host', 'a.test').send('body').expect(200);
    expect(text).toBe('http://a.test/x?y body');
  });

  test('is found by getScgiEnv', async ({ stage }) => {
    const app = new Hono().get('/', (c: Context) => c.text(`${getScgiEnv(c)?.['REQUEST_METHOD']}`));
    const front = await createFront(await start(stage, { app, left: [] }, '127.0.0.1:0'));
    onTestFinished(() => front.close());
    await supertest(front.server).get('/').expect(200, 'GET');
  });
});

describeWith('nginx', 'Fetch behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test.for(Object.keys(sites))('%s answers, streams, and hears of a client that leaves', async (name, { stage }) => {
      const site = sites[name]?.() ?? expect.fail(name);
      const to = await start(stage, site, stage.freeAddress(over));
      const { origin } = await stage.nginx({ to, params: { REMOTE_USER: 'ada', HTTP_HOST: '$http_host' } });
      const lies = { Host: 'example.test:81', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https' };
      expect(JSON.parse((await httpRequest({ origin, path: '/page?a', headers: lies })).text)).toEqual({
        url: 'http://example.test:81/page?a',
        method: 'GET',
        user: 'ada',
        ip: '127.0.0.1',
      });
      const body = Buffer.alloc(3_000_000, 'both ways ');
      expect((await httpRequest({ origin, path: '/echo', body })).body.equals(body)).toBe(true);
      expect((await httpRequest({ origin, path: '/fail' })).status).toBe(500);

      const { response, abort } = await openRequest({ origin, path: '/events' });
      expect((await within(new EventStream(response).next(), 1_000, 'the first event')).data).toBe('one');
      abort();
      await until(() => site.left.length === 2, 1_000, 'the signal and the cancellation');
      expect(site.left.toSorted()).toEqual(['signal', 'stream']);
    });

    test('a prefix is cut off, and a path that is no UTF-8 arrives', async ({ stage }) => {
      const app: FetchHandler = ({ url }, { basePath }) => Response.json({ url, basePath });
      const running = await serveScgi(app, { bind: stage.freeAddress(over), basePath: 'SCRIPT_NAME' });
      const { address } = stage.adopt(running);
      const params = { SCRIPT_NAME: '/app', HTTP_HOST: 'a.test' };
      const { origin } = await stage.nginx({ path: '/app/', to: address, params });
      expect(JSON.parse((await httpRequest({ origin, path: '/app/caf%E9%2F?%ff' })).text)).toEqual({
        url: 'http://a.test/caf%E9%2F?%ff',
        basePath: '/app',
      });
    });

    test('a stream that fails shows as a broken response', async ({ stage }) => {
      let controller: ReadableStreamDefaultController | undefined;
      const app: FetchHandler = () =>
        new Response(
          new ReadableStream({
            start(own) {
              controller = own;
              own.enqueue(Buffer.from('half'));
            },
          }),
          { headers: { 'content-length': '1000' } },
        );
      const to = await start(stage, { app, left: [] }, stage.freeAddress(over));
      const { origin } = await stage.nginx({ to, buffering: false });
      const { response } = await openRequest({ origin });
      const broken = new Promise((resolve) => response.once('error', resolve));
      response.once('data', () => controller?.error(new Error('the disk is gone')));
      expect(await within(broken, 1_000, 'the break')).toMatchObject({ code: 'ECONNRESET' });
    });

    test('the example takes notes, shouts, counts, and ends when it is told to', async ({ stage }) => {
      const bind = over === 'unix' ? stage.freeAddress('unix') : '127.0.0.1:0';
      const example = await startExample(stage, 'fetch-hono', bind);
      const { origin } = await stage.nginx({ to: example.address, params: { REMOTE_USER: 'ada' } });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const posted = await httpRequest({ origin, path: '/notes', headers, body: 'text=Dear+%E2%98%95' });
      expect(posted).toMatchObject({ status: 303, headers: { location: './' } });
      expect(await httpRequest({ origin, path: '/notes', headers, body: 'text=' })).toMatchObject({ status: 422 });
      const { text } = await httpRequest({ origin });
      expect(JSON.parse(text)).toMatchObject({ client: '127.0.0.1', user: 'ada', notes: ['Dear ☕'] });
      const shout = await httpRequest({ origin, path: '/shout', method: 'PUT', body: Buffer.from('gr\u00fc\u00df') });
      expect(shout.text).toBe('GR\u00dcSS');
      expect((await httpRequest({ origin, path: '/count' })).text).toContain('data: 1 notes\nid: 3\n\n');
      expect(await example.stop()).toBe(0);
    });
  });
});
