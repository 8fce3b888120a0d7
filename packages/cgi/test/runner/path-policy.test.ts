// Which paths are taken at all.

import { decodePath } from '@scgi/core/env';
import { describe, expect, test } from 'vitest';
import { isPlainPath, mergeSlashes } from '../../src/runner/path-policy.js';

const isPlain = (encoded: string, allowsEncodedSlashes = false): boolean =>
  isPlainPath(decodePath(encoded), encoded, allowsEncodedSlashes);

describe('a path is plain', () => {
  test.each([
    '',
    '/',
    '/a',
    '/a/b.pl/c',
    '//a//b',
    '/a..b',
    '/..a',
    '/a..',
    '/...',
    '/a.',
    '/a/.b',
    // Not slashes and dots but octets of a name: nobody decodes twice, and nobody takes overlong UTF-8.
    '/%252e%252e/a',
    '/%c0%af',
    '/%c0%ae%c0%ae/',
    '/%e0%80%ae%e0%80%ae/',
    '/..%c0%af..%c0%afetc',
    '/%u002e%u002e/',
    '/.%09./',
    '/%2e%2e%3b/a',
    '/..;/a',
  ])('if it is %j', (path) => expect(isPlain(path)).toBe(true));
});

describe('a path is not plain', () => {
  test.each([
    '/..',
    '/../',
    '/../etc/passwd',
    '/a/..',
    '/a/../b',
    '/a/../../b',
    '/.',
    '/./a',
    '/a/.',
    '/a/./b',
    '/%2e%2e/a',
    '/%2E%2e/a',
    '/.%2e/a',
    '/%2e./a',
    '/%2e',
    '/a/%2e%2e',
    '//../a',
    '/..//a',
  ])('with dot segments: %j', (path) => {
    expect(isPlain(path)).toBe(false);
    expect(isPlain(path, true)).toBe(false);
  });

  test.each(['/%00', '/a%00.pl', '/a/%00/b', '/\0'])('with a NUL: %j', (path) => {
    expect(isPlain(path)).toBe(false);
    expect(isPlain(path, true)).toBe(false);
  });

  test.each(['/a%2fb', '/a%2Fb', '/%2f', '/a/%2Fetc'])('with an encoded slash: %j', (path) => {
    expect(isPlain(path)).toBe(false);
    expect(isPlain(path, true)).toBe(true);
  });

  test.each(['/%2e%2e%2fa', '/..%2fa', '/a%2f..%2f..', '/a%2f%2e%2e'])(
    'with dot segments between encoded slashes: %j',
    (path) => {
      expect(isPlain(path, true)).toBe(false);
    },
  );

  // `OPTIONS *`, and what Node's parser lets through behind the asterisk: joined to a folder it would leave it.
  test.each(['*', '*/a', 'a', '.', 'http:'])('without a slash before it: %j', (path) => {
    expect(isPlain(path)).toBe(false);
    expect(isPlain(path, true)).toBe(false);
  });
});

test.each([
  ['', ''],
  ['/', '/'],
  ['//', '/'],
  ['///a////b//', '/a/b/'],
  ['/a/b', '/a/b'],
])('%j merges to %j', (path, merged) => expect(mergeSlashes(path)).toBe(merged));
