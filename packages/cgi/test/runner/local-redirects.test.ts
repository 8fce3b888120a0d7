// Chains of local redirects (RFC 3875 §6.2.2): where they lead, and what the program at their end is told.

import { describe, expect, test } from 'vitest';
import { LocalRedirects } from '../../src/runner/local-redirects.js';

const from = { target: '/cgi-bin/a/x?begin=1', scriptNameLength: '/cgi-bin'.length };

describe('a local redirect', () => {
  test('leads to a path below the same mount point', () => {
    const redirects = new LocalRedirects(10);
    const to = { target: '/cgi-bin/b?c', scriptNameLength: '/cgi-bin'.length };
    expect(redirects.follow(from, 'POST', '/cgi-bin/b?c')).toEqual(to);
    const requestUri = '/cgi-bin/a/x?begin=1';
    expect(redirects.origin).toEqual({ url: '/cgi-bin/a/x', query: 'begin=1', method: 'POST', requestUri });
  });

  test('to another path is not ours, and no redirect', () => {
    const redirects = new LocalRedirects(0);
    expect(redirects.follow(from, 'GET', '/other')).toBeUndefined();
    expect(redirects.origin).toBeUndefined();
  });

  test.each([
    ['/cgi-bin/b/c d?e=f g', '/cgi-bin/b/c%20d?e=f%20g'],
    ['/cgi-bin/b\tc', '/cgi-bin/b%09c'],
    ['/cgi-bin/b%20c', '/cgi-bin/b%20c'],
  ])('to %j asks for %s', (location, target) => {
    expect(new LocalRedirects(1).follow(from, 'GET', location)).toMatchObject({ target });
  });

  test.each([
    ['POST', 'GET'],
    ['GET', 'GET'],
    ['HEAD', 'HEAD'],
  ])('behind another tells of the last one, which a %s has made a %s, and of what the client asked', (method, then) => {
    const redirects = new LocalRedirects(10);
    const next = redirects.follow(from, method, '/cgi-bin/b?middle=1') ?? from;
    redirects.follow(next, method, '/cgi-bin/c');
    const requestUri = '/cgi-bin/a/x?begin=1';
    expect(redirects.origin).toEqual({ url: '/cgi-bin/b', query: 'middle=1', method: then, requestUri });
  });

  test('tells of the path that redirected without its escapes', () => {
    const redirects = new LocalRedirects(1);
    redirects.follow({ ...from, target: '/cgi-bin/a/b%20c%3Fd?e%20f' }, 'GET', '/cgi-bin/b');
    const requestUri = '/cgi-bin/a/b%20c%3Fd?e%20f';
    expect(redirects.origin).toMatchObject({ url: '/cgi-bin/a/b c?d', query: 'e%20f', requestUri });
  });

  test('of a request in absolute form tells of its path', () => {
    const redirects = new LocalRedirects(1);
    redirects.follow({ ...from, target: `http://example.test${from.target}` }, 'GET', '/cgi-bin/b');
    expect(redirects.origin).toMatchObject({ url: '/cgi-bin/a/x', requestUri: '/cgi-bin/a/x?begin=1' });
  });

  test('beyond the limit is refused', () => {
    const redirects = new LocalRedirects(1);
    redirects.follow(from, 'GET', '/cgi-bin/b');
    expect(() => redirects.follow(from, 'GET', '/cgi-bin/c')).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_REDIRECT_LOOP' }),
    );
  });
});
