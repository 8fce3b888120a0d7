// What arrives beside the request: the front end's variables, for any object that an application may hold in its hands.

import http from 'node:http';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { getScgiEnv } from '../../src/index.js';
import type { CgiEnv } from '../../src/index.js';
import { exchange, head } from '../support/raw-client.js';
import { firstAddress, serve } from './support.js';

/** Runs `look` on the request of one exchange. */
async function lookAt<T>(
  variables: Record<string, string | undefined>,
  look: (req: http.IncomingMessage) => T,
  body = '',
): Promise<T> {
  let seen: { readonly value: T } | undefined;
  const running = await serve((req, res) => {
    seen = { value: look(req) };
    res.end();
  });
  const { text } = await exchange(firstAddress(running), head(variables) + body);
  if (seen === undefined) throw new Error(`the application was not asked: ${text}`);
  return seen.value;
}

describe('req.scgi.env', () => {
  it('has every variable as it came, those of the client beside those of the front end', async () => {
    const env = await lookAt(
      {
        REMOTE_ADDR: '192.0.2.7',
        REMOTE_USER: 'ada',
        HTTPS: 'on',
        SSL_CLIENT_S_DN: 'CN=ada',
        SERVER_PROTOCOL: 'HTTP/2.0',
        HTTP_X_A: 'b',
        EMPTY: '',
      },
      (req) => ({ ...req.scgi.env }),
    );
    expect(env).toEqual({
      CONTENT_LENGTH: '0',
      SCGI: '1',
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/',
      SERVER_PROTOCOL: 'HTTP/2.0',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_USER: 'ada',
      HTTPS: 'on',
      SSL_CLIENT_S_DN: 'CN=ada',
      HTTP_X_A: 'b',
      EMPTY: '',
    });
  });

  it('has no prototype, so that no name of a variable reaches one', async () => {
    const env = await lookAt({ CONSTRUCTOR: 'c' }, (req) => req.scgi.env);
    expect(Object.getPrototypeOf(env)).toBeNull();
    expect(env['constructor']).toBeUndefined();
    expect(env['CONSTRUCTOR']).toBe('c');
    expect(env['toString']).toBeUndefined();
  });

  it('keeps a variable named __proto__ a plain variable', async () => {
    const payload = 'CONTENT_LENGTH\x000\0SCGI\x001\0REQUEST_METHOD\0GET\0REQUEST_URI\0/\0__proto__\0p\0';
    const seen: CgiEnv[] = [];
    const running = await serve((req, res) => {
      seen.push(req.scgi.env);
      res.end();
    });
    await exchange(firstAddress(running), `${payload.length}:${payload},`);
    expect(seen).toHaveLength(1);
    expect(Object.getPrototypeOf(seen[0])).toBeNull();
    expect(Object.entries(seen[0] ?? {})).toContainEqual(['__PROTO__', 'p']);
  });

  it('has bytes beyond ASCII as latin1, as header values have them', async () => {
    const value = await lookAt({ REMOTE_USER: 'Zo\xc3\xab' }, (req) => req.scgi.env['REMOTE_USER']);
    expect(value).toBe('Zo\xc3\xab');
    expect(Buffer.from(value ?? '', 'latin1').toString()).toBe('Zoë');
  });

  it('is the same object each time', async () => {
    expect(await lookAt({}, (req) => req.scgi.env === req.scgi.env)).toBe(true);
  });

  it('is never put into the environment of the process', async () => {
    await lookAt({ SCGI_TEST_LEAK: 'leaked', PATH_TRANSLATED: '/leaked' }, (req) => req.scgi.env);
    expect(process.env['SCGI_TEST_LEAK']).toBeUndefined();
    expect(process.env['PATH_TRANSLATED']).toBeUndefined();
  });
});

describe('getScgiEnv', () => {
  const user = (message: object): string | undefined => getScgiEnv(message)?.['REMOTE_USER'];

  it.each<[string, (req: http.IncomingMessage) => object]>([
    ['the request', (req) => req],
    ['an object that keeps it in `req`, as Koa does', (req) => ({ req })],
    ['an object that keeps it in `raw`, as Fastify does', (req) => ({ raw: req })],
    ['a wrapper of a wrapper', (req) => ({ req: { raw: req } })],
    ['a request with another prototype, as Express makes one', (req) => Object.create(req)],
    ['a Proxy of the request', (req) => new Proxy(req, {})],
  ])('finds the variables of %s', async (_name, wrap) => {
    expect(await lookAt({ REMOTE_USER: 'ada' }, (req) => user(wrap(req)))).toBe('ada');
  });

  it('finds the variables of a response', async () => {
    const seen: (string | undefined)[] = [];
    const running = await serve((_req, res) => {
      seen.push(user(res));
      res.end();
    });
    await exchange(firstAddress(running), head({ REMOTE_USER: 'ada' }));
    expect(seen).toEqual(['ada']);
  });

  it.each<[string, object]>([
    ['an empty object', {}],
    ['a request over HTTP', new http.IncomingMessage(new net.Socket())],
    ['an object with a `scgi` of its own', { scgi: { env: { REMOTE_USER: 'forged' } } }],
    ['an object whose `req` is null', { req: null }],
    ['an object whose `req` is text', { req: 'req' }],
    ['a function', () => {}],
    ['a Request', new Request('http://localhost/')],
  ])('returns undefined for %s', (_name, message) => {
    expect(getScgiEnv(message)).toBeUndefined();
  });

  it('returns undefined for an object that is its own `req`', () => {
    const loop: { req?: object } = {};
    loop.req = loop;
    expect(getScgiEnv(loop)).toBeUndefined();
  });
});

describe('HTTP_PROXY', () => {
  // httpoxy, CVE-2016-5385: a client's Proxy field, taken for the environment's HTTP_PROXY.
  it('never becomes a header', async () => {
    const [headers, raw] = await lookAt({ HTTP_PROXY: 'http://evil.example/', HTTP_PROXY_X: 'kept' }, (req) => [
      req.headers,
      req.rawHeaders,
    ]);
    expect(headers).toEqual({ 'proxy-x': 'kept' });
    expect(raw).toEqual(['proxy-x', 'kept']);
  });

  it('never reaches the environment of the process', async () => {
    const before = process.env['HTTP_PROXY'];
    await lookAt({ HTTP_PROXY: 'http://evil.example/' }, (req) => req.scgi.env);
    expect(process.env['HTTP_PROXY']).toBe(before);
  });
});

describe('variables that look like headers', () => {
  it.each([
    ['REMOTE_USER', 'HTTP_REMOTE_USER', 'remote-user'],
    ['HTTPS', 'HTTP_HTTPS', 'https'],
    ['REMOTE_ADDR', 'HTTP_REMOTE_ADDR', 'remote-addr'],
  ])('a client cannot forge %s by sending a field of that name', async (variable, fieldVariable, field) => {
    const [env, headers] = await lookAt({ [fieldVariable]: 'forged' }, (req) => [req.scgi.env, req.headers] as const);
    expect(env[variable]).toBeUndefined();
    expect(headers[field]).toBe('forged');
  });
});
