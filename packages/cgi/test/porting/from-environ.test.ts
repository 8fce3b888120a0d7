// fromEnviron(): the environment of a CGI program as the request it describes.

import type { IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fromEnviron, toEnviron, type Environ } from '../../src/index.js';
import { startStage } from '../support/stage.js';

const environ: Environ = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'POST',
  REQUEST_URI: '/cgi-bin/app.js/x%20y?q=1',
  SCRIPT_NAME: '/cgi-bin/app.js',
  PATH_INFO: '/x y',
  QUERY_STRING: 'q=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'app.test',
  SERVER_ADDR: '::1',
  SERVER_PORT: '443',
  REMOTE_ADDR: '192.0.2.1',
  REMOTE_PORT: '5000',
  HTTPS: 'on',
  CONTENT_LENGTH: '4',
  CONTENT_TYPE: 'text/plain',
  HTTP_HOST: 'app.test',
  HTTP_X_A: '1',
  PATH: '/usr/bin',
  HOME: '/home/ada',
};

test('the variables of a CGI program are a request', () => {
  expect(fromEnviron(environ)).toEqual({
    method: 'POST',
    url: '/cgi-bin/app.js/x%20y?q=1',
    httpVersion: '1.1',
    headers: { host: 'app.test', 'x-a': '1', 'content-type': 'text/plain', 'content-length': '4' },
    rawHeaders: ['host', 'app.test', 'x-a', '1', 'content-type', 'text/plain', 'content-length', '4'],
    remoteAddress: '192.0.2.1',
    remotePort: 5000,
    localAddress: '::1',
    localPort: 443,
    serverName: 'app.test',
    encrypted: true,
    scriptName: '/cgi-bin/app.js',
    pathInfo: '/x y',
    queryString: 'q=1',
    contentLength: 4,
  });
});

test('they are those of this process where no others are given', () => {
  for (const [name, value] of Object.entries({ ...environ, REQUEST_METHOD: 'PATCH' })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(fromEnviron().method).toBe('PATCH');
});

test('a process that no web server has called has a typed error', () => {
  const error = { name: 'LocalProtocolError', code: 'ERR_SCGI_NOT_CGI', statusHint: 500 };
  expect(() => fromEnviron()).toThrow(expect.objectContaining(error));
  expect(() => fromEnviron({})).toThrow(expect.objectContaining(error));
  expect(() => fromEnviron({ PATH: '/bin', HTTP_HOST: 'x' })).toThrow(expect.objectContaining(error));
});

describe('variables that describe no request have the error of what is wrong', () => {
  test.each<[string, Environ, string]>([
    ['no method', { REQUEST_METHOD: undefined }, 'ERR_SCGI_REQUEST_METHOD'],
    ['a method that is none', { REQUEST_METHOD: 'GET /' }, 'ERR_SCGI_REQUEST_METHOD'],
    ['a target with a blank', { REQUEST_URI: '/a b' }, 'ERR_SCGI_REQUEST_TARGET'],
    [
      'no target at all',
      { REQUEST_URI: undefined, SCRIPT_NAME: undefined, PATH_INFO: undefined },
      'ERR_SCGI_REQUEST_TARGET',
    ],
    ['a line break in a field', { HTTP_X_A: 'a\nb' }, 'ERR_SCGI_REQUEST_FIELD'],
    ['a NUL', { HTTP_X_A: 'a\0b' }, 'ERR_SCGI_REQUEST_FIELD'],
    ['a length that is none', { CONTENT_LENGTH: '4x' }, 'ERR_SCGI_CONTENT_LENGTH'],
    ['a negative length', { CONTENT_LENGTH: '-1' }, 'ERR_SCGI_CONTENT_LENGTH'],
  ])('%s', (_name, changes, code) => {
    const wrong = { name: 'RemoteProtocolError', code };
    expect(() => fromEnviron({ ...environ, ...changes })).toThrow(expect.objectContaining(wrong));
  });
});

test('a length that is missing, or empty as behind fcgiwrap, is none', () => {
  for (const CONTENT_LENGTH of [undefined, '']) {
    const request = fromEnviron({ ...environ, CONTENT_LENGTH });
    expect([request.contentLength, request.headers['content-length']]).toEqual([undefined, undefined]);
  }
  expect(fromEnviron({ ...environ, CONTENT_LENGTH: '0' }).contentLength).toBe(0);
});

test('what the client calls its length does not count', () => {
  expect(fromEnviron({ ...environ, HTTP_CONTENT_LENGTH: '9999' }).contentLength).toBe(4);
});

test('without REQUEST_URI the target is made of what there is', () => {
  expect(fromEnviron({ ...environ, REQUEST_URI: undefined }).url).toBe('/cgi-bin/app.js/x%20y?q=1');
});

test('behind a local redirect the target is where it leads', () => {
  const redirected = {
    ...environ,
    REQUEST_URI: '/cgi-bin/app.js/old',
    REDIRECT_URL: '/cgi-bin/app.js/old',
    REDIRECT_REQUEST_METHOD: 'GET',
  };
  expect(fromEnviron(redirected).url).toBe('/cgi-bin/app.js/x%20y?q=1');
  // A rewrite sets REDIRECT_URL too, and applications expect what the client has asked for.
  expect(fromEnviron({ ...redirected, REDIRECT_REQUEST_METHOD: undefined }).url).toBe('/cgi-bin/app.js/old');
});

test('HTTP_PROXY is no field, and those of the connection are none', () => {
  const { headers } = fromEnviron({ ...environ, HTTP_PROXY: 'http://evil.test', HTTP_CONNECTION: 'x', HTTP_TE: 'y' });
  expect(Object.keys(headers)).toEqual(['host', 'x-a', 'content-type', 'content-length']);
});

test('texts that are not ASCII are octets in fields, as Node has them, and text in the path', () => {
  const request = fromEnviron({ ...environ, HTTP_X_A: 'Zoë', PATH_INFO: '/é', REQUEST_URI: undefined });
  expect(request.headers['x-a']).toBe(Buffer.from('Zoë').toString('latin1'));
  expect([request.pathInfo, request.url]).toEqual(['/é', '/cgi-bin/app.js/%C3%A9?q=1']);
});

test('a client of HTTP/1.0, and one of HTTP/2', () => {
  expect(fromEnviron({ ...environ, SERVER_PROTOCOL: 'HTTP/1.0' }).httpVersion).toBe('1.0');
  expect(fromEnviron({ ...environ, SERVER_PROTOCOL: 'HTTP/2.0' }).httpVersion).toBe('1.1');
});

test('it takes back what toEnviron makes', async () => {
  const seen: [IncomingMessage, Environ][] = [];
  const { ask } = await startStage((request, response) => {
    seen.push([request, toEnviron(request, { mount: '/m' })]);
    response.end();
  });
  const paths = ['/m', '/m/', '/m/x', '/m?q=1', '/m/caf%C3%A9?%20', '/m/a+b%20c?a&b'];
  for (const path of paths) await ask({ path, method: 'PUT', body: 'äöü', headers: { Cookie: 'a=1', 'X-B': '' } });
  expect(seen.length).toBe(paths.length);
  for (const [request, made] of seen) {
    const { connection: _connection, ...headers } = request.headers;
    const back = fromEnviron(made);
    expect(back).toMatchObject({ method: 'PUT', url: request.url, remotePort: request.socket.remotePort });
    expect({ ...back.headers }).toEqual(headers);
    expect(back.scriptName + back.pathInfo).toBe(decodeURIComponent(request.url?.split('?')[0] ?? ''));
  }
});
