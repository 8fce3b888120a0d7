// What an application sees of a request that came through Apache: target, method, fields, peer, protocol, prefix.

import { describe, expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, rawExchange } from '../support/http-client.js';
import { mirror, readRawMirrored, seenBy, type Mirrored } from './support/mirror.js';
import { test, transports, type ApacheStage } from './support/stage.js';

describeWith('apache', 'a request through Apache', () => {
  describe('has the target that was sent', () => {
    const targets = [
      '/',
      '/a%2Fb',
      '/a%2fb/c',
      '//a//b',
      '/a/./b/../c',
      '/%7Euser/%e2%98%95',
      '/x?',
      '/x?a=%20&b=+c',
      '/a;b=c,d',
      '/%C3%A9?%C3%A9',
      '/a%20b%25',
      '/x?y=http://z/?',
      '/a"b',
      '/a%5Cb',
    ];

    test.for(transports.flatMap((over) => targets.map((target) => ({ over, target }))))(
      '$target over $over',
      async ({ over, target }, { stage }) => {
        const { address } = await stage.serve(mirror, { over });
        const { origin } = await stage.apache({ to: address });
        expect((await seenBy({ origin, path: target })).url).toBe(target);
      },
    );

    test('with octets that should have been encoded', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { port } = await stage.apache({ to: address });
      const bytes = Buffer.from('GET /\xe9t\xe9?\xfc HTTP/1.0\r\n\r\n', 'latin1');
      expect(readRawMirrored(await rawExchange(`127.0.0.1:${port}`, bytes)).url).toBe('/\xe9t\xe9?\xfc');
    });

    test('in absolute form as its path, whose host is the host', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { port } = await stage.apache({ to: address });
      const request = 'GET http://shop.test:8080/p?q HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n';
      const seen = readRawMirrored(await rawExchange(`127.0.0.1:${port}`, request));
      expect(seen).toMatchObject({ url: '/p?q', headers: { host: 'shop.test:8080' } });
      expect(seen.env['REQUEST_URI']).toBe('http://shop.test:8080/p?q');
    });

    test('and not what a rewrite of the server made of it', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const serverDirectives = ['RewriteEngine On', 'RewriteRule ^/old/(.*)$ /new/$1 [PT]'];
      const { origin } = await stage.apache({ to: address, modules: ['rewrite'], serverDirectives });
      const seen = await seenBy({ origin, path: '/old/%2F?q' });
      expect(seen.url).toBe('/old/%2F?q');
      expect(seen.env['SCRIPT_NAME']).toMatch(/^\/new\//);
    });
  });

  test('needs AllowEncodedSlashes: without it Apache answers 404 by itself', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const { origin } = await stage.apache({ to: address, serverDirectives: ['AllowEncodedSlashes Off'] });
    expect((await httpRequest({ origin, path: '/a%2Fb' })).status).toBe(404);
    expect((await seenBy({ origin, path: '/a/b' })).url).toBe('/a/b');
  });

  test.for(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'FROB', 'TRACE'])(
    'has the method %s',
    async (method, { stage }) => {
      const { address } = await stage.serve(mirror);
      const { origin } = await stage.apache({ to: address });
      expect((await seenBy({ origin, method })).method).toBe(method);
    },
  );

  test('has no method TRACE if Apache is told so', async ({ stage }) => {
    const { address, server } = await stage.serve(mirror);
    let requests = 0;
    server.on('request', () => (requests += 1));
    const { origin } = await stage.apache({ to: address, serverDirectives: ['TraceEnable Off'] });
    expect((await httpRequest({ origin, method: 'TRACE' })).status).toBe(405);
    expect(requests).toBe(0);
  });

  test('with the method CONNECT is passed on and refused, if not by mod_allowmethods already', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const open = await stage.apache({ to: address });
    const request = 'CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\nConnection: close\r\n\r\n';
    const answer = (await rawExchange(`127.0.0.1:${open.port}`, `${request}to the database`)).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*ERR_SCGI_REQUEST_METHOD/);
    const directives = ['AllowMethods GET HEAD POST PUT PATCH DELETE OPTIONS'];
    const { port, origin } = await stage.apache({ to: address, modules: ['allowmethods'], directives });
    const refused = (await rawExchange(`127.0.0.1:${port}`, request)).toString();
    expect(refused).toMatch(/^HTTP\/1\.1 405 /);
    expect((await seenBy({ origin, method: 'DELETE' })).method).toBe('DELETE');
  });

  test('that says OPTIONS * is answered by Apache itself', async ({ stage }) => {
    const { address } = await stage.serve(() => expect.unreachable());
    const { origin } = await stage.apache({ to: address });
    expect(await httpRequest({ origin, method: 'OPTIONS', path: '*' })).toMatchObject({ status: 200, text: '' });
  });

  describe('has the fields', () => {
    const seenWith = async (
      stage: ApacheStage,
      headers: Record<string, string | string[]>,
      options = {},
    ): Promise<Mirrored> => {
      const { address } = await stage.serve(mirror);
      const { origin } = await stage.apache({ to: address, ...options });
      return seenBy({ origin, headers });
    };

    test('that were repeated, joined', async ({ stage }) => {
      const { headers } = await seenWith(stage, { 'X-Twice': ['a', 'b'], Accept: ['text/html', 'text/plain'] });
      expect(headers).toMatchObject({ 'x-twice': 'a, b', accept: 'text/html, text/plain' });
    });

    test('with empty, blank and non-ASCII values', async ({ stage }) => {
      const { headers } = await seenWith(stage, { 'X-Empty': '', 'X-Blank': ' \t a b \t', 'X-Latin': 'caf\xe9' });
      expect(headers).toMatchObject({ 'x-empty': '', 'x-blank': 'a b', 'x-latin': 'caf\xe9' });
    });

    test('without those of the connection, and without names that could pass for others', async ({ stage }) => {
      const { headers, env } = await seenWith(stage, {
        Connection: 'keep-alive, TE, X-Hop',
        'Keep-Alive': 'timeout=5',
        TE: 'trailers',
        Proxy: 'http://evil.test',
        X_Underscore: '1',
        'X-Kept': '2',
      });
      expect(Object.keys(headers).toSorted()).toEqual(['host', 'x-kept']);
      expect(env).not.toHaveProperty('HTTP_PROXY');
    });

    test('and one Cookie with all of its pairs', async ({ stage }) => {
      const { headers } = await seenWith(stage, { Cookie: 'a=1; b=2, still b; c=3' });
      expect(headers['cookie']).toBe('a=1; b=2, still b; c=3');
    });

    // RFC 6265 §5.4: a client sends one. A comma may be part of a value, so nobody can take them apart again.
    test('and several Cookie fields joined by Apache with a comma', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { port } = await stage.apache({ to: address });
      const request = 'GET / HTTP/1.0\r\nCookie: a=1; b=2\r\nCookie: c=3\r\n\r\n';
      const seen = readRawMirrored(await rawExchange(`127.0.0.1:${port}`, request));
      expect(seen.headers['cookie']).toBe('a=1; b=2, c=3');
    });

    test('with credentials where CGIPassAuth is on, and else without', async ({ stage }) => {
      const headers = { Authorization: 'Bearer token' };
      expect((await seenWith(stage, headers)).headers['authorization']).toBe('Bearer token');
      expect((await seenWith(stage, headers, { passAuthorization: false })).headers).not.toHaveProperty(
        'authorization',
      );
    });

    test('that the limit of Apache lets through', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { origin } = await stage.apache({ to: address });
      const value = 'v'.repeat(8_000);
      expect((await seenBy({ origin, headers: { 'X-Large': value } })).headers['x-large']).toBe(value);
      expect((await httpRequest({ origin, headers: { 'X-Large': `${value}${value}` } })).status).toBe(400);
      const raised = ['LimitRequestFieldSize 20000', 'LimitRequestFields 500'];
      const larger = await stage.apache({ to: address, serverDirectives: raised });
      const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`X-${index}`, 'v']));
      const seen = await seenBy({ origin: larger.origin, headers: { 'X-Large': value + value, ...many } });
      expect(seen.headers['x-large']).toHaveLength(16_000);
      expect(seen.headers['x-299']).toBe('v');
    });
  });

  describe('knows', () => {
    test.for(transports)('the client over %s, which no field can forge', async (over, { stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const { origin } = await stage.apache({ to: address });
      const seen = await seenBy({ origin, headers: { 'X-Forwarded-For': '198.51.100.66', Remote_Addr: '1.2.3.4' } });
      expect(seen).toMatchObject({ remoteAddress: '127.0.0.1', encrypted: false });
      expect(seen.remotePort).toBeGreaterThan(1023);
    });

    test('the client behind a load balancer by mod_remoteip', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const serverDirectives = ['RemoteIPHeader X-Forwarded-For', 'RemoteIPInternalProxy 127.0.0.1'];
      const { origin } = await stage.apache({ to: address, modules: ['remoteip'], serverDirectives });
      const seen = await seenBy({ origin, headers: { 'X-Forwarded-For': '192.0.2.7, 198.51.100.66' } });
      expect(seen.remoteAddress).toBe('198.51.100.66');
    });

    test('the scheme that a load balancer names, through SetEnvIf', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const serverDirectives = ['SetEnvIf X-Forwarded-Proto ^https$ HTTPS=on'];
      const { origin } = await stage.apache({ to: address, serverDirectives });
      expect((await seenBy({ origin, headers: { 'X-Forwarded-Proto': 'https' } })).encrypted).toBe(true);
      expect((await seenBy({ origin, headers: { 'X-Forwarded-Proto': 'http' } })).encrypted).toBe(false);
    });

    test('the user whom Apache has let in', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { origin } = await stage.apache({
        to: address,
        modules: ['authn_core', 'auth_basic', 'authz_user'],
        directives: ['AuthType Basic', 'AuthName "admin"', 'AuthBasicFake ada secret', 'Require all granted'],
      });
      const seen = await seenBy({ origin, headers: { Authorization: 'Basic YWRhOnNlY3JldA==' } });
      expect(seen.headers['authorization']).toMatch(/^Basic /);
    });

    test('of an HTTP/1.0 client without a Host that it is one', async ({ stage }) => {
      const { address } = await stage.serve(mirror);
      const { port } = await stage.apache({ to: address });
      const seen = readRawMirrored(await rawExchange(`127.0.0.1:${port}`, 'GET / HTTP/1.0\r\n\r\n'));
      expect(seen.httpVersion).toBe('1.0');
      expect(seen.headers).not.toHaveProperty('host');
    });
  });
});

describeWith(['apache', 'openssl'], 'a request through Apache over TLS', () => {
  test.for(transports)('is known to be one over %s', async (over, { stage }) => {
    const { address } = await stage.serve(mirror, { over });
    const { tlsOrigin, origin } = await stage.apache({ to: address, tls: createCertificate(stage.folder()) });
    expect(await seenBy({ origin: tlsOrigin })).toMatchObject({ encrypted: true, env: { HTTPS: 'on' } });
    expect((await seenBy({ origin })).encrypted).toBe(false);
  });
});

describeWith('apache', 'an application below a prefix of Apache', () => {
  test.for(transports)('sees the rest as url and the whole as originalUrl over %s', async (over, { stage }) => {
    const { address } = await stage.serve(mirror, { over, basePath: '/app' });
    const { origin } = await stage.apache({ path: '/app/', to: address });
    expect(await seenBy({ origin, path: '/app/x%2Fy?q' })).toMatchObject({
      url: '/x%2Fy?q',
      originalUrl: '/app/x%2Fy?q',
      env: { SCRIPT_NAME: '/app/x%2Fy', REQUEST_URI: '/app/x%2Fy?q' },
    });
    expect((await seenBy({ origin, path: '/app/?q' })).url).toBe('/?q');
    expect((await httpRequest({ origin, path: '/application' })).status).toBe(404);
  });

  test('without a slash at its end is met by the prefix alone too, and by nothing like it', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { basePath: '/app' });
    const { origin } = await stage.apache({ path: '/app', to: address });
    expect((await seenBy({ origin, path: '/app' })).url).toBe('/');
    expect((await seenBy({ origin, path: '/app?q' })).url).toBe('/?q');
    expect((await seenBy({ origin, path: '/app/x' })).url).toBe('/x');
    expect((await httpRequest({ origin, path: '/application' })).status).toBe(404);
  });

  test('does not take the mount point from SCRIPT_NAME, which is the whole path here', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { basePath: 'SCRIPT_NAME' });
    const { origin } = await stage.apache({ path: '/app/', to: address });
    expect((await seenBy({ origin, path: '/app/x' })).url).toBe('/app/x');
  });
});
