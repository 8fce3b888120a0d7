// What a Fastify application sees over SCGI: the facts come from the front end, `request.scgi` from the adapter, and
// nothing from `trustProxy`.

import { serveScgi, type ServeOptions } from '@scgi/adapter-fastify';
import { getScgiEnv } from '@scgi/core';
import { rawRequest } from '@scgi/testing';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/app/where?q=1',
  SERVER_PROTOCOL: 'HTTP/2.0',
  REMOTE_ADDR: '192.0.2.7',
  REMOTE_PORT: '4711',
  REMOTE_USER: 'ada',
  HTTPS: 'on',
  HTTP_HOST: 'example.com:8443',
  HTTP_X_FORWARDED_FOR: '198.51.100.66',
  HTTP_X_FORWARDED_PROTO: 'http',
  HTTP_X_FORWARDED_HOST: 'evil.test',
};

async function serve(app: FastifyInstance, options: ServeOptions = {}): Promise<string> {
  const running = await serveScgi(app, { bind: 0, ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  return running.endpoints[0]?.address ?? '';
}

async function ask(address: string, overrides: Record<string, string> = {}): Promise<unknown> {
  const { body } = await rawRequest(address, { variables: { ...variables, ...overrides } });
  return JSON.parse(body.toString());
}

/** An application that answers everything with what it sees. */
function mirror(see: (request: FastifyRequest) => unknown): FastifyInstance {
  const app = Fastify();
  app.all('/*', (request, reply) => reply.send(see(request) ?? null));
  return app;
}

test('takes address, scheme and host from the front end, whatever the client claims', async () => {
  const app = mirror((request) => {
    const { ip, ips, protocol, host, hostname, port, url, originalUrl, socket } = request;
    return { ip, ips, protocol, host, hostname, port, url, originalUrl, remotePort: socket.remotePort };
  });
  expect(await ask(await serve(app))).toEqual({
    ip: '192.0.2.7',
    protocol: 'https',
    host: 'example.com:8443',
    hostname: 'example.com',
    port: 8443,
    url: '/app/where?q=1',
    originalUrl: '/app/where?q=1',
    remotePort: 4711,
  });
});

test('knows a client that came without TLS', async () => {
  expect(await ask(await serve(mirror(({ protocol }) => ({ protocol }))), { HTTPS: '' })).toEqual({ protocol: 'http' });
});

describe('request.scgi', () => {
  const user = (request: FastifyRequest): unknown => ({ user: request.getDecorator<{ env: object }>('scgi').env });
  const seen = { user: expect.objectContaining({ REMOTE_USER: 'ada' }) };

  test('has the variables of the front end', async () => {
    expect(await ask(await serve(mirror(user)))).toEqual(seen);
  });

  test('is there in plugins with a scope of their own', async () => {
    const app = Fastify();
    await app.register((scope, _options, done) => {
      scope.get('/app/where', (request, reply) => reply.send(user(request)));
      done();
    });
    expect(await ask(await serve(app))).toEqual(seen);
  });

  test('stays the application’s own where it has one, also if a plugin brings it', async () => {
    const app = Fastify();
    const bring = Object.assign(async (scope: FastifyInstance) => void scope.decorateRequest('scgi', 'mine'), {
      [Symbol.for('skip-override')]: true,
    });
    app.register(bring);
    app.get('/app/where', (request, reply) => reply.send({ scgi: request.getDecorator('scgi') }));
    expect(await ask(await serve(app))).toEqual({ scgi: 'mine' });
  });

  test('is only on request.raw if the application was loaded before', async () => {
    const app = mirror((request) => ({
      decorated: app.hasRequestDecorator('scgi'),
      user: request.raw.scgi.env['REMOTE_USER'],
      found: getScgiEnv(request)?.['REMOTE_USER'],
    }));
    await app.ready();
    expect(await ask(await serve(app))).toEqual({ decorated: false, user: 'ada', found: 'ada' });
  });

  test('is undefined for a request that was injected', async () => {
    const app = mirror((request) => ({ type: typeof request.getDecorator('scgi') }));
    await serve(app);
    expect((await app.inject('/')).json()).toEqual({ type: 'undefined' });
  });
});

describe('below a prefix', () => {
  const where = (): FastifyInstance => {
    const app = Fastify();
    app.get('/where', ({ url, originalUrl, query, routeOptions }, reply) =>
      reply.send({ url, originalUrl, query, route: routeOptions.url }),
    );
    return app;
  };

  test.each([
    ['a fixed one', '/app', {}],
    ['the SCRIPT_NAME of the front end', 'SCRIPT_NAME', { SCRIPT_NAME: '/app', PATH_INFO: '/where' }],
  ])('routes by the path inside, and keeps the whole as originalUrl: %s', async (_what, basePath, overrides) => {
    expect(await ask(await serve(where(), { basePath }), overrides)).toEqual({
      url: '/where?q=1',
      originalUrl: '/app/where?q=1',
      query: { q: '1' },
      route: '/where',
    });
  });

  test('rewrites the URL inside of it', async () => {
    const app = Fastify({ rewriteUrl: ({ url = '' }) => url.replace('/where', '/there') });
    app.get('/there', async ({ url, originalUrl }) => ({ url, originalUrl }));
    const seen = await ask(await serve(app, { basePath: '/app' }));
    expect(seen).toEqual({ url: '/there?q=1', originalUrl: '/where?q=1' });
  });

  test('sees no request outside of it', async () => {
    const { status, body } = await rawRequest(await serve(where(), { basePath: '/other' }), { variables });
    expect({ status, body: body.toString() }).toEqual({ status: 404, body: '' });
  });
});

test('does not listen if the application does not load', async () => {
  const app = Fastify();
  app.register(async () => {
    throw new Error('no database');
  });
  await expect(serveScgi(app, { bind: 0 })).rejects.toThrow('no database');
});

test('leaves the application to its owner if the address cannot be had', async () => {
  const app = mirror(() => 'here');
  await expect(serveScgi(app, { bind: '192.0.2.1:4000', allowFrom: ['192.0.2.2'] })).rejects.toMatchObject({
    code: 'ERR_SCGI_BIND',
  });
  expect((await app.inject('/')).body).toBe('here');
  await app.close();
});
