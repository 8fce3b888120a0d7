// What a request says about itself.

import { encodeRequest } from '@scgi/core/protocol';
import { expect, test } from 'vitest';
import { scgi, ScgiClient, type ScgiClientOptions, type ScgiRequestOptions } from '../src/index.js';
import { answering } from './support/backend.js';
import { rejection } from './support/rejection.js';

/** The variables that a request sends, without CONTENT_LENGTH and SCGI. */
async function variablesOf(
  options: ScgiRequestOptions = {},
  defaults: ScgiClientOptions = {},
): Promise<Record<string, string>> {
  const backend = await answering('Status: 200 OK\r\n\r\n');
  await new ScgiClient(backend.target, defaults).request(options);
  const { flat } = await backend.connection();
  expect(flat.slice(0, 4)).toEqual(['CONTENT_LENGTH', expect.any(String), 'SCGI', '1']);
  const variables: Record<string, string> = {};
  for (let index = 4; index < flat.length; index += 2) variables[flat[index] ?? ''] = flat[index + 1] ?? '';
  return variables;
}

test('a simple call has the variables of RFC 3875 and little else', async () => {
  const variables = await variablesOf({ path: '/RPC2' });
  expect(variables).toEqual({
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/RPC2',
    SCRIPT_NAME: '',
    PATH_INFO: '/RPC2',
    QUERY_STRING: '',
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_SCHEME: 'http',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '127.0.0.1',
  });
  expect(encodeRequest(Object.entries(variables).flat(), 1000).length).toBeLessThanOrEqual(500);
});

test('a call with a body is a POST, and still small', async () => {
  const variables = await variablesOf({ path: '/RPC2', body: '<x/>', headers: { 'Content-Type': 'text/xml' } });
  expect(variables).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_TYPE: 'text/xml' });
  expect(encodeRequest(Object.entries(variables).flat(), 1000).length).toBeLessThanOrEqual(500);
});

test('the path is given as in a URL, and decoded for PATH_INFO', async () => {
  expect(await variablesOf({ path: '/a%20b%2Fc/d%C3%A4?x=%20' })).toMatchObject({
    REQUEST_URI: '/a%20b%2Fc/d%C3%A4?x=%20',
    PATH_INFO: '/a b/c/d\u00c3\u00a4',
    QUERY_STRING: 'x=%20',
  });
});

test('what no URL holds is encoded as UTF-8', async () => {
  expect(await variablesOf({ path: '/a b/ä', query: 'ö= ü' })).toMatchObject({
    REQUEST_URI: '/a%20b/%C3%A4?%C3%B6=%20%C3%BC',
    QUERY_STRING: '%C3%B6=%20%C3%BC',
  });
});

test.each<[NonNullable<ScgiRequestOptions['query']>, string]>([
  ['a=1&b', 'a=1&b'],
  ['?a=1', 'a=1'],
  ['', ''],
  [new URLSearchParams({ a: 'b c', d: '&' }), 'a=b+c&d=%26'],
  [{ a: 1, b: true, c: ['x', 'y'], d: undefined, e: '' }, 'a=1&b=true&c=x&c=y&e='],
])('the query may be %j', async (query, expected) => {
  const variables = await variablesOf({ path: '/p', query });
  expect(variables).toMatchObject({ QUERY_STRING: expected, REQUEST_URI: expected === '' ? '/p' : `/p?${expected}` });
});

test('a mount point is part of the target, and its own variable', async () => {
  expect(await variablesOf({ path: '/x', scriptName: '/my%20app' })).toMatchObject({
    REQUEST_URI: '/my%20app/x',
    SCRIPT_NAME: '/my app',
    PATH_INFO: '/x',
  });
});

test('https, names and ports', async () => {
  expect(await variablesOf({ scheme: 'https' })).toMatchObject({
    HTTPS: 'on',
    REQUEST_SCHEME: 'https',
    SERVER_PORT: '443',
  });
  expect(await variablesOf({ serverName: 'a.test', serverPort: 8080, remoteAddress: '::1' })).toMatchObject({
    SERVER_NAME: 'a.test',
    SERVER_PORT: '8080',
    REMOTE_ADDR: '::1',
  });
  expect(await variablesOf({ headers: { Host: 'b.test:81' } })).toMatchObject({
    SERVER_NAME: 'b.test',
    HTTP_HOST: 'b.test:81',
  });
});

test.each<[string, NonNullable<ScgiRequestOptions['headers']>]>([
  ['a record', { 'X-A': '1', 'x-b': ['2', '3'], 'X-C': undefined, X_D: '4' }],
  [
    'pairs',
    [
      ['X-A', '1'],
      ['x-b', '2'],
      ['X-B', '3'],
      ['X_D', '4'],
    ],
  ],
  [
    'Headers',
    new Headers([
      ['X-A', '1'],
      ['x-b', '2'],
      ['X-B', '3'],
      ['X_D', '4'],
    ]),
  ],
])('fields may be %s', async (_, headers) => {
  expect(await variablesOf({ headers })).toMatchObject({ HTTP_X_A: '1', HTTP_X_B: '2, 3', HTTP_X_D: '4' });
});

test('fields of the hop are not sent', async () => {
  const headers = {
    Connection: 'keep-alive',
    'Transfer-Encoding': 'chunked',
    Proxy: 'http://evil',
    'Content-Length': '0',
  };
  expect(Object.keys(await variablesOf({ headers })).filter((name) => name.startsWith('HTTP_'))).toEqual([]);
});

test('env overrides, adds and removes', async () => {
  const env = { REMOTE_ADDR: '192.0.2.1', GATEWAY_INTERFACE: undefined, X_OWN: '\u00e4', GONE: undefined };
  const variables = await variablesOf({ env });
  expect(variables).toMatchObject({ REMOTE_ADDR: '192.0.2.1', X_OWN: '\u00e4' });
  expect(Object.keys(variables)).not.toContain('GATEWAY_INTERFACE');
  expect(Object.keys(variables)).not.toContain('GONE');
});

test('a client has defaults, and a request the last word', async () => {
  const defaults = { env: { A: '1', B: '2' }, serverName: 'a.test', scriptName: '/app', scheme: 'https' } as const;
  const variables = await variablesOf({ env: { B: '3' }, serverName: 'b.test', path: '/x' }, defaults);
  expect(variables).toMatchObject({ A: '1', B: '3', SERVER_NAME: 'b.test', SCRIPT_NAME: '/app', HTTPS: 'on' });
});

test.each<[string, ScgiRequestOptions, string]>([
  ['a NUL in a value', { env: { A: 'a\0b' } }, 'ERR_SCGI_VARIABLE'],
  ['a line feed in a value', { env: { A: 'a\nb' } }, 'ERR_SCGI_VARIABLE'],
  ['a carriage return in a value', { env: { A: 'a\rb' } }, 'ERR_SCGI_VARIABLE'],
  ['a line feed in a name', { env: { 'A\nB': 'x' } }, 'ERR_SCGI_VARIABLE'],
  ['a NUL in a name', { env: { 'A\0B': 'x' } }, 'ERR_SCGI_VARIABLE'],
  ['an empty name', { env: { '': 'x' } }, 'ERR_SCGI_VARIABLE'],
  ['a character beyond latin1', { env: { A: '€' } }, 'ERR_SCGI_VARIABLE'],
  ['CONTENT_LENGTH', { env: { CONTENT_LENGTH: '5' } }, 'ERR_SCGI_VARIABLE'],
  ['SCGI', { env: { scgi: '1' } }, 'ERR_SCGI_VARIABLE'],
  ['a name in another case', { env: { remote_addr: 'x' } }, 'ERR_SCGI_VARIABLE'],
  ['a line feed in a field', { headers: { 'X-A': 'a\nb' } }, 'ERR_SCGI_VARIABLE'],
  ['a character beyond latin1 in a field', { headers: { 'X-A': '€' } }, 'ERR_SCGI_VARIABLE'],
  ['a field name that is no token', { headers: { 'X A': 'b' } }, 'ERR_SCGI_VARIABLE'],
  ['a Content-Length that is no number', { headers: { 'Content-Length': '+5' } }, 'ERR_SCGI_OPTION'],
  ['a negative contentLength', { contentLength: -1, body: 'x' }, 'ERR_SCGI_OPTION'],
  ['a method that is no token', { method: 'GET /' }, 'ERR_SCGI_OPTION'],
  ['an empty method', { method: '' }, 'ERR_SCGI_OPTION'],
  ['a path without a slash', { path: 'x' }, 'ERR_SCGI_OPTION'],
  ['an empty path', { path: '' }, 'ERR_SCGI_OPTION'],
  ['a fragment', { path: '/x#y' }, 'ERR_SCGI_OPTION'],
  ['a line feed in a path', { path: '/x\ny' }, 'ERR_SCGI_OPTION'],
  ['an encoded NUL in a path', { path: '/x%00y' }, 'ERR_SCGI_OPTION'],
  ['an encoded line feed in a path', { path: '/x%0Ay' }, 'ERR_SCGI_OPTION'],
  ['an encoded carriage return in a path', { path: '/x%0dy' }, 'ERR_SCGI_OPTION'],
  ['half a character in a path', { path: '/\ud800' }, 'ERR_SCGI_OPTION'],
  ['a control character in a query', { query: 'a\tb' }, 'ERR_SCGI_OPTION'],
  ['a query twice', { path: '/x?a', query: 'b' }, 'ERR_SCGI_OPTION'],
  ['a mount point that ends with a slash', { scriptName: '/x/' }, 'ERR_SCGI_OPTION'],
  ['a mount point without a slash', { scriptName: 'x' }, 'ERR_SCGI_OPTION'],
  ['an encoded line feed in a mount point', { scriptName: '/x%0a' }, 'ERR_SCGI_OPTION'],
  ['a time that is negative', { idleTimeout: -1 }, 'ERR_SCGI_OPTION'],
  ['a limit that is no integer', { maxHeadBytes: 1.5 }, 'ERR_SCGI_OPTION'],
])('refuses %s before it connects', async (_, options, code) => {
  const backend = await answering('Status: 200 OK\r\n\r\n');
  expect(await rejection(scgi(backend.target, options))).toMatchObject({ name: 'LocalProtocolError', code });
  expect(backend.connections).toHaveLength(0);
});

test('an encoded line feed in a query is a query', async () => {
  expect(await variablesOf({ path: '/x?a=%0A' })).toMatchObject({ QUERY_STRING: 'a=%0A' });
});
