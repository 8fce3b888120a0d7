// What a Koa application sees over SCGI, in both versions of Koa: the facts come from the front end, `ctx.scgi` and the
// mount point from the adapter, and nothing from `app.proxy`.

import { createRequire } from 'node:module';
import { serveScgi, type ServeOptions } from '@scgi/adapter-koa';
import { rawRequest } from '@scgi/testing';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveHttp, ask as askHttp } from './support/two-ways.js';

// Koa 2 has no types of its own here; what is used is the same.
const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/app/where?q=1',
  SERVER_PROTOCOL: 'HTTP/2.0',
  REMOTE_ADDR: '192.0.2.7',
  REMOTE_PORT: '4711',
  REMOTE_USER: 'ada',
  HTTPS: 'on',
  HTTP_HOST: 'example.com:8443',
  HTTP_ORIGIN: 'https://other.test',
  HTTP_X_FORWARDED_FOR: '198.51.100.66',
  HTTP_X_FORWARDED_PROTO: 'http',
  HTTP_X_FORWARDED_HOST: 'evil.test',
};

// Koa 3 gives the Origin field for `ctx.origin`, Koa 2 what the request came to.
describe.each([
  ['Koa 3', Koa, 'https://other.test'],
  ['Koa 2', Koa2, 'https://example.com:8443'],
])('%s', (_name, Framework, origin) => {
  const create = (): Koa => {
    const app = new Framework();
    app.silent = true;
    return app;
  };

  async function serve(app: Koa, options: ServeOptions = {}): Promise<string> {
    const running = await serveScgi(app, { bind: 0, ...options });
    onTestFinished(() => running.close({ timeout: 0 }));
    return running.endpoints[0]?.address ?? '';
  }

  async function ask(address: string, overrides: Record<string, string> = {}): Promise<unknown> {
    const { body } = await rawRequest(address, { variables: { ...variables, ...overrides } });
    return JSON.parse(body.toString());
  }

  const mirror: Koa.Middleware = (ctx) => {
    const { ip, ips, secure, protocol, host, hostname, href, origin, url, path, originalUrl, socket } = ctx;
    const { remoteAddress, remotePort } = socket;
    const names = { host, hostname, href, origin, url, path, originalUrl, parsedHref: ctx.URL.href };
    ctx.body = { ip, ips, secure, protocol, remoteAddress, remotePort, ...names };
  };

  test('takes address, scheme and host from the front end, whatever the client claims', async () => {
    expect(await ask(await serve(create().use(mirror)))).toEqual({
      ip: '192.0.2.7',
      ips: [],
      secure: true,
      protocol: 'https',
      host: 'example.com:8443',
      hostname: 'example.com',
      href: 'https://example.com:8443/app/where?q=1',
      origin,
      url: '/app/where?q=1',
      path: '/app/where',
      originalUrl: '/app/where?q=1',
      remoteAddress: '192.0.2.7',
      remotePort: 4711,
      parsedHref: 'https://example.com:8443/app/where?q=1',
    });
  });

  test('knows a client that came without TLS', async () => {
    expect(await ask(await serve(create().use(mirror)), { HTTPS: '' })).toMatchObject({
      secure: false,
      protocol: 'http',
      href: 'http://example.com:8443/app/where?q=1',
    });
  });

  test('sets secure cookies for a client that came over TLS, and for no other', async () => {
    const app = create().use((ctx) => {
      ctx.cookies.set('session', 'x', { secure: true });
      ctx.body = 'set';
    });
    const address = await serve(app);
    const { fields, status } = await rawRequest(address, { variables });
    expect({ status, fields }).toMatchObject({
      status: 200,
      fields: expect.arrayContaining(['session=x; path=/; secure; httponly']),
    });
    expect((await rawRequest(address, { variables: { ...variables, HTTPS: '' } })).status).toBe(500);
  });

  describe('ctx.scgi', () => {
    const user: Koa.Middleware = (ctx) => void (ctx.body = { user: ctx['scgi'].env.REMOTE_USER });

    test('has the variables of the front end', async () => {
      expect(await ask(await serve(create().use(user)))).toEqual({ user: 'ada' });
    });

    test('is defined once, on the prototype of the contexts, however often the application is served', async () => {
      const app = create().use(
        (ctx) => void (ctx.body = { own: Object.hasOwn(ctx, 'scgi'), user: ctx['scgi'].env.REMOTE_USER }),
      );
      const { createContext } = app;
      const addresses = [await serve(app), await serve(app)];
      const shadow = app.createContext;
      await serve(app);
      expect(app.createContext).toBe(shadow);
      expect(shadow).not.toBe(createContext);
      for (const address of addresses) expect(await ask(address)).toEqual({ own: false, user: 'ada' });
    });

    test('stays with the application that is served', async () => {
      const [served, other] = [create().use(user), create()];
      const address = await serve(served);
      expect('scgi' in other.context).toBe(false);
      expect(await ask(address)).toEqual({ user: 'ada' });
    });

    test('stays the application’s own where it has one', async () => {
      const app = create().use((ctx) => void (ctx.body = { scgi: ctx['scgi'] }));
      app.context['scgi'] = 'mine';
      expect(await ask(await serve(app))).toEqual({ scgi: 'mine' });
    });

    test('can be assigned to, for the application and for one request', async () => {
      const app = create().use((ctx) => {
        if (ctx.path === '/one') ctx['scgi'] = 'of this request';
        ctx.body = { scgi: ctx['scgi'] };
      });
      const address = await serve(app);
      app.context['scgi'] = 'mine';
      expect(await ask(address, { REQUEST_URI: '/one' })).toEqual({ scgi: 'of this request' });
      expect(await ask(address)).toEqual({ scgi: 'mine' });
    });

    test('is undefined for a request over plain HTTP, on the context itself too', async () => {
      const app = create().use((ctx) => void (ctx.body = typeof ctx['scgi']));
      await serve(app);
      expect(app.context['scgi']).toBeUndefined();
      expect(await askHttp(await serveHttp(app.callback()), {})).toMatchObject({ text: 'undefined' });
    });
  });

  describe('below a prefix', () => {
    const inside = {
      url: '/where?q=1',
      path: '/where',
      originalUrl: '/app/where?q=1',
      href: 'https://example.com:8443/app/where?q=1',
      parsedHref: 'https://example.com:8443/app/where?q=1',
    };

    test.each([
      ['a fixed one', '/app', {}],
      ['the SCRIPT_NAME of the front end', 'SCRIPT_NAME', { SCRIPT_NAME: '/app', PATH_INFO: '/where' }],
    ])('sees the path inside and the whole URL: %s', async (_what, basePath, overrides) => {
      expect(await ask(await serve(create().use(mirror), { basePath }), overrides)).toMatchObject(inside);
    });

    test('sees no request outside of it', async () => {
      const { status, body } = await rawRequest(await serve(create().use(mirror), { basePath: '/other' }), {
        variables,
      });
      expect({ status, body: body.toString() }).toEqual({ status: 404, body: '' });
    });

    test('leaves an application alone that another one has mounted over HTTP', async () => {
      const app = create().use((ctx) => void (ctx.body = ctx.originalUrl));
      await serve(app, { basePath: '/app' });
      const handle = app.callback();
      const origin = await serveHttp((request, response) => {
        Object.assign(request, { originalUrl: '/outer/x' });
        handle(request, response);
      });
      expect(await askHttp(origin, { path: '/x' })).toMatchObject({ text: '/x' });
    });
  });

  test('reports a failure of its own error listener to onError, and the client gets a 500', async () => {
    const app = create().use(() => {
      throw new Error('in the middleware');
    });
    app.on('error', () => {
      throw new Error('in the listener');
    });
    const errors: unknown[] = [];
    const address = await serve(app, { onError: (error) => void errors.push(error) });
    const { status, body } = await rawRequest(address, { variables });
    expect({ status, body: body.toString() }).toEqual({ status: 500, body: 'Internal Server Error\n' });
    expect(errors).toEqual([new Error('in the listener')]);
  });
});
