// The URL of a request: absolute, in the form the URL parser gives it, and of the host that the front end vouches for.

import { describe, expect, test } from 'vitest';
import { askOnce, observe } from './support/stage.js';

const urlOf = (target: string, variables: Record<string, string> = {}, method = 'GET'): Promise<unknown> =>
  observe(({ url }) => url, { target, variables: { HTTP_HOST: 'example.com', ...variables }, method });

describe('scheme and authority', () => {
  test.each([
    ['the Host field', {}, 'http://example.com/'],
    ['HTTPS of the front end', { HTTPS: 'on' }, 'https://example.com/'],
    ['a port', { HTTP_HOST: 'example.com:8080' }, 'http://example.com:8080/'],
    ['no default port', { HTTP_HOST: 'example.com:443', HTTPS: 'on' }, 'https://example.com/'],
    ['lower case', { HTTP_HOST: 'EXAMPLE.Com' }, 'http://example.com/'],
    ['an IPv6 address', { HTTP_HOST: '[::1]:81' }, 'http://[::1]:81/'],
    ['SERVER_NAME where Host is no authority', { HTTP_HOST: 'evil.test/path?' }, 'http://server.test/'],
    ['SERVER_NAME where Host has a user', { HTTP_HOST: 'good@evil.test' }, 'http://server.test/'],
    ['SERVER_NAME and SERVER_PORT', { HTTP_HOST: '', SERVER_PORT: '8443', HTTPS: 'on' }, 'https://server.test:8443/'],
  ])('come from %s', async (_what, variables, url) => {
    expect(await urlOf('/', variables)).toBe(url);
  });

  test('do not believe forwarding fields of the client', async () => {
    const forwarded = { HTTP_X_FORWARDED_HOST: 'evil.test', HTTP_X_FORWARDED_PROTO: 'https' };
    expect(await urlOf('/', forwarded)).toBe('http://example.com/');
  });
});

describe('the target', () => {
  test.each([
    ['keeps path and query', '/a/b?c=d&e', '/a/b?c=d&e'],
    ['is a path even if it begins with two slashes', '//evil.test/x', '//evil.test/x'],
    ['keeps percent escapes', '/%E4%2F?%20', '/%E4%2F?%20'],
    ['has its octets from 0x80 escaped one by one', '/caf\xe9\xff', '/caf%E9%FF'],
    ['has UTF-8 octets escaped as they came', '/\xc3\xa9?\xc3\xa9', '/%C3%A9?%C3%A9'],
    ['has no fragment', '/a#b', '/a%23b'],
    ['has its dots resolved', '/a/../b/./c', '/b/c'],
    ['has escaped dots resolved, as every URL', '/a/%2e%2E/b', '/b'],
    ['does not leave the root', '/../../etc', '/etc'],
    ['keeps names that begin with a dot', '/.well-known/x', '/.well-known/x'],
    ['has backslashes turned to slashes', '/a\\b', '/a/b'],
    ['cannot become another host by a backslash', '/\\evil.test', '//evil.test'],
    ['is escaped as the URL parser does it', '/<a>"{b}?\'<>', '/%3Ca%3E%22%7Bb%7D?%27%3C%3E'],
    ['keeps brackets and bars', '/[a]|b', '/[a]|b'],
    ['keeps an absolute URL in the query', '/?u=http://a/../b', '/?u=http://a/../b'],
  ])('%s', async (_what, target, path) => {
    const url = await urlOf(target);
    expect(url).toBe(`http://example.com${path}`);
    expect(new URL(String(url)).href).toBe(url);
    expect(new URL(String(url)).host).toBe('example.com');
  });

  test('in absolute form shows without its own authority', async () => {
    expect(await urlOf('http://example.com/x?y')).toBe('http://example.com/x?y');
  });

  test('of OPTIONS * is a path', async () => {
    expect(await urlOf('*', {}, 'OPTIONS')).toBe('http://example.com/*');
  });
});

describe('basePath', () => {
  test.each([
    ['/app', '/app/x?y', 'http://server.test/x?y', '/app'],
    ['/app', '/app', 'http://server.test/', '/app'],
    ['/app', '/%61pp/x', 'http://server.test/x', '/app'],
  ])('%s is cut off %s', async (basePath, target, url, cut) => {
    const answer = await askOnce(
      (request, { basePath: seen }) => Response.json([request.url, seen]),
      { target },
      { basePath },
    );
    expect(JSON.parse(answer.text)).toEqual([url, cut]);
  });

  test('answers 404 outside of it, without the application', async () => {
    let calls = 0;
    const answer = await askOnce(() => (calls++, new Response()), { target: '/apple' }, { basePath: '/app' });
    expect([answer.status, calls]).toEqual([404, 0]);
  });
});

test.each([
  ['TRACE', 501],
  ['TRACK', 501],
  ['CONNECT', 400],
])('%s, which no Request can have, is refused with %i', async (method, status) => {
  let calls = 0;
  const target = method === 'CONNECT' ? 'example.com:443' : '/';
  const answer = await askOnce(() => (calls++, new Response()), { method, target });
  expect([answer.status, calls]).toEqual([status, 0]);
});
