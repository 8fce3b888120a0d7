// toEnviron(): requests of every kind as the environment of a CGI program.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { toEnviron, type Environ, type ToEnvironOptions } from '../../src/index.js';
import { startStage, type Asked } from '../support/stage.js';

/** The environment of a request that has come over HTTP. */
async function environOf(asked: Asked, options?: ToEnvironOptions): Promise<Environ> {
  let environ: Environ = {};
  const { ask } = await startStage((request, response) => {
    environ = toEnviron(request, options);
    response.end();
  });
  await ask(asked);
  return environ;
}

/** What it throws. */
async function failureOf(asked: Asked, options?: ToEnvironOptions): Promise<unknown> {
  let failure: unknown;
  const { ask } = await startStage((request, response) => {
    try {
      toEnviron(request, options);
    } catch (error) {
      failure = error;
    }
    response.end();
  });
  await ask(asked);
  return failure;
}

test('a request has all the variables of RFC 3875, and no others', async () => {
  const headers = { host: 'app.test:8080', 'Content-Type': 'text/plain', 'X-Forwarded-For': '192.0.2.9' };
  const asked = { method: 'POST', path: '/a/b%20c?q=%20x', headers, body: 'four' };
  const environ = await environOf(asked);
  expect(environ).toEqual({
    CONTENT_LENGTH: '4',
    CONTENT_TYPE: 'text/plain',
    GATEWAY_INTERFACE: 'CGI/1.1',
    HTTP_HOST: 'app.test:8080',
    HTTP_X_FORWARDED_FOR: '192.0.2.9',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    PATH_INFO: '/a/b c',
    QUERY_STRING: 'q=%20x',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_PORT: expect.stringMatching(/^\d+$/),
    REQUEST_METHOD: 'POST',
    REQUEST_SCHEME: 'http',
    REQUEST_URI: '/a/b%20c?q=%20x',
    SCRIPT_NAME: '',
    SERVER_ADDR: '127.0.0.1',
    SERVER_NAME: 'app.test',
    SERVER_PORT: expect.stringMatching(/^\d+$/),
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: expect.stringMatching(/^scgi-cgi\//),
  });
});

test('the folder of a program, or another one, is where PATH_TRANSLATED begins', async () => {
  const asked = { path: '/x/y' };
  const scriptFilename = '/srv/cgi-bin/app.js';
  expect(await environOf(asked, { scriptFilename })).toMatchObject({
    SCRIPT_FILENAME: scriptFilename,
    DOCUMENT_ROOT: '/srv/cgi-bin',
    PATH_TRANSLATED: '/srv/cgi-bin/x/y',
  });
  expect(await environOf(asked, { scriptFilename, documentRoot: '/srv/www/' })).toMatchObject({
    DOCUMENT_ROOT: '/srv/www',
    PATH_TRANSLATED: '/srv/www/x/y',
  });
});

test('the mount is SCRIPT_NAME', async () => {
  const options = { mount: '/cgi-bin/app.js' };
  const environ = await environOf({ path: '/cgi-bin/app.js/x?y' }, options);
  expect([environ['SCRIPT_NAME'], environ['PATH_INFO']]).toEqual(['/cgi-bin/app.js', '/x']);
  const bare = await environOf({ path: '/cgi-bin/app.js?y' }, options);
  expect([bare['SCRIPT_NAME'], bare['PATH_INFO'], bare['QUERY_STRING']]).toEqual(['/cgi-bin/app.js', undefined, 'y']);
});

test('texts are UTF-8 as in process.env, and what is none is U+FFFD', async () => {
  const headers = { 'X-Name': Buffer.from('Zoë').toString('latin1'), 'X-Octet': 'a\xffb' };
  expect(await environOf({ path: '/caf%C3%A9/%ff', headers })).toMatchObject({
    HTTP_X_NAME: 'Zoë',
    HTTP_X_OCTET: 'a\ufffdb',
    PATH_INFO: '/café/\ufffd',
  });
});

describe('nothing is in it that must not be', () => {
  test('no HTTP_PROXY, whatever the client sends, and env cannot set it', async () => {
    const environ = await environOf({ headers: { Proxy: 'http://evil.test/', 'X-A': '1' } });
    expect([environ['HTTP_PROXY'], environ['HTTP_X_A']]).toEqual([undefined, '1']);
    const option = { code: 'ERR_SCGI_OPTION' };
    expect(await failureOf({}, { env: { HTTP_PROXY: 'x' } })).toMatchObject(option);
  });

  test('no password, unless it is asked for', async () => {
    const asked = { headers: { Authorization: 'Basic YTpi' } };
    expect(await environOf(asked)).not.toHaveProperty('HTTP_AUTHORIZATION');
    expect(await environOf(asked, { passAuthorization: true })).toHaveProperty('HTTP_AUTHORIZATION', 'Basic YTpi');
  });

  test('nothing of this process, but what is asked for', async () => {
    vi.stubEnv('SCGI_TEST_SECRET', 'secret');
    vi.stubEnv('SCGI_TEST_ZONE', 'Zürich');
    onTestFinished(() => void vi.unstubAllEnvs());
    const environ = await environOf({}, { inheritEnvironment: ['SCGI_TEST_ZONE'] });
    expect(environ).toMatchObject({ SCGI_TEST_ZONE: 'Zürich' });
    const own = Object.keys(process.env).filter((name) => name !== 'PATH' && name !== 'SCGI_TEST_ZONE');
    expect(own.filter((name) => name in environ)).toEqual([]);
  });

  test('no prototype is touched by the name of a variable', async () => {
    const environ = await environOf({}, { env: JSON.parse('{"__proto__": "x"}') });
    expect(Object.getPrototypeOf(environ)).toBe(Object.prototype);
    expect(Object.entries(environ)).toContainEqual(['__proto__', 'x']);
  });
});

test('variables of one’s own win, and may depend on the request', async () => {
  const env = (request: unknown): Record<string, string> => ({
    REMOTE_USER: 'ada',
    SERVER_NAME: 'own.test',
    SEEN: String(request !== undefined),
  });
  expect(await environOf({}, { env, path: '/opt/bin' })).toMatchObject({ ...env(1), PATH: '/opt/bin' });
  expect(await environOf({}, { serverName: 'name.test' })).toMatchObject({ SERVER_NAME: 'name.test' });
});

test('each environment is an object of its own', async () => {
  const environs: Environ[] = [];
  const { ask } = await startStage((request, response) => {
    environs.push(toEnviron(request), toEnviron(request));
    response.end();
  });
  await ask();
  const [first, second] = environs;
  if (first !== undefined) first['REQUEST_METHOD'] = 'PUT';
  expect(second?.['REQUEST_METHOD']).toBe('GET');
});

describe('a path that no CGI program is asked for', () => {
  test.each(['/a/../b', '/./a', '/a/%2e%2e/b', '/a%2fb', '/a%00b', '/a%0ab', '/a%0d'])('%s', async (path) => {
    expect(await failureOf({ path })).toMatchObject({ code: 'ERR_SCGI_REQUEST_TARGET', statusHint: 400 });
  });

  test('may have encoded slashes where they are allowed', async () => {
    expect(await environOf({ path: '/a%2fb' }, { encodedSlashes: true })).toMatchObject({ PATH_INFO: '/a/b' });
  });
});

test('a request that is not below the mount, and what is no request, is a mistake of the caller', async () => {
  const option = { name: 'LocalProtocolError', code: 'ERR_SCGI_OPTION' };
  expect(await failureOf({ path: '/elsewhere' }, { mount: '/app' })).toMatchObject(option);
  const elsewhere = new Request('http://app.test/elsewhere');
  expect(() => toEnviron(elsewhere, { mount: '/app' })).toThrow(expect.objectContaining(option));
  for (const none of [{}, [], { req: {} }, { req: { raw: null } }, new Map()]) {
    expect(() => toEnviron(none)).toThrow(expect.objectContaining(option));
  }
  const circle: { req?: object } = {};
  circle.req = circle;
  expect(() => toEnviron(circle)).toThrow(expect.objectContaining(option));
});

describe('what frameworks make of a request', () => {
  const told = (environ: Environ): unknown[] => [
    environ['SCRIPT_NAME'],
    environ['PATH_INFO'],
    environ['REQUEST_URI'],
    environ['HTTP_X_A'],
  ];
  const expected = ['/mounted', '/x', '/mounted/x?q=1', '1'];
  const asked = { path: '/mounted/x?q=1', headers: { 'X-A': '1' } };

  test('Express, below a mount', async () => {
    let seen: unknown;
    const app = express().use('/mounted', (request, response) => {
      seen = told(toEnviron(request));
      response.end();
    });
    await (await startStage(app)).ask(asked);
    expect(seen).toEqual(expected);
  });

  test('Koa, below a mount that its context tells of', async () => {
    const seen: unknown[] = [];
    const app = new Koa().use((ctx) => {
      ctx.path = ctx.path.slice('/mounted'.length); // as koa-mount
      seen.push(told(toEnviron(ctx)), told(toEnviron(ctx.request)));
      ctx.body = '';
    });
    await (await startStage(app.callback())).ask(asked);
    expect(seen).toEqual([expected, expected]);
  });

  test('Fastify, which knows no mount: the option says it', async () => {
    let seen: unknown;
    const app = fastify();
    app.get('/mounted/x', (request) => {
      seen = told(toEnviron(request, { mount: '/mounted' }));
      return '';
    });
    await app.ready();
    await (await startStage(app.routing)).ask(asked);
    expect(seen).toEqual(expected);
  });

  test('HTTP/2', async () => {
    let environ: Environ = {};
    const server = http2.createServer((request, response) => {
      environ = toEnviron(request);
      response.end();
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const session = http2.connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
    const stream = session.request({ ':path': '/x', ':authority': 'app.test', 'x-a': '1' });
    await once(stream.end().resume(), 'end');
    session.close();
    expect(environ).toMatchObject({ SERVER_PROTOCOL: 'HTTP/2.0', HTTP_HOST: 'app.test', HTTP_X_A: '1' });
  });
});

describe('a Request of the Fetch standard', () => {
  test('says what it knows, and no address', () => {
    const request = new Request('http://app.test/a%20b?q', {
      method: 'POST',
      body: 'four',
      headers: { 'Content-Length': '4', 'X-A': '1' },
    });
    const environ = toEnviron(request);
    expect(environ).toMatchObject({
      CONTENT_LENGTH: '4',
      HTTP_HOST: 'app.test',
      HTTP_X_A: '1',
      PATH_INFO: '/a b',
      QUERY_STRING: 'q',
      REQUEST_METHOD: 'POST',
      SERVER_NAME: 'app.test',
    });
    expect(environ).not.toHaveProperty('REMOTE_ADDR');
  });

  test('has the facts of its context, which the client cannot say', () => {
    const headers = { 'X-Forwarded-For': '198.51.100.1' };
    const request = new Request('http://app.test/below/x', { headers });
    const env = { REMOTE_ADDR: '192.0.2.1', REMOTE_USER: 'ada', HTTPS: 'on', LD_PRELOAD: '/evil.so', HTTP_X_A: '1' };
    const environ = toEnviron(request, { mount: '/below', context: { env, basePath: '/base' } });
    expect(environ).toMatchObject({
      HTTPS: 'on',
      PATH_INFO: '/x',
      REMOTE_ADDR: '192.0.2.1',
      REMOTE_USER: 'ada',
      REQUEST_SCHEME: 'https',
      REQUEST_URI: '/base/below/x',
      SCRIPT_NAME: '/base/below',
    });
    expect(environ).not.toHaveProperty('LD_PRELOAD');
    expect(environ).not.toHaveProperty('HTTP_X_A');
  });

  test('may come with anything as its context', () => {
    const request = new Request('http://app.test/');
    for (const context of [{ env: 'x' }, { env: null }, { incoming: undefined }] as object[]) {
      expect(toEnviron(request, { context })).toMatchObject({ PATH_INFO: '/' });
    }
  });
});

test('a body that was read already is no matter', async () => {
  let environ: Environ = {};
  const { ask } = await startStage(async (request: IncomingMessage, response) => {
    await request.toArray();
    environ = toEnviron(request);
    response.end();
  });
  await ask({ method: 'POST', body: 'x' });
  expect(environ).toMatchObject({ CONTENT_LENGTH: '1' });
});
