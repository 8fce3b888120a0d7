// Where the mount point ends, by what routers leave in a request.

import { expect, test } from 'vitest';
import { locateRedirect, Mount, type RoutedRequest } from '../../src/relay/mount.js';

/** SCRIPT_NAME as the target spells it, and the target. */
function locate(prefix: string, request: RoutedRequest): [string, string] | undefined {
  const located = new Mount(prefix).locate(request);
  const path = located?.target.replace(/^[a-z]+:\/\/[^/]*/, '') ?? '';
  return located && [path.slice(0, located.scriptNameLength), located.target];
}

test.each([
  ['', '/users?x', ['', '/users?x']],
  ['/api', '/api/users', ['/api', '/api/users']],
  ['/api', '/api', ['/api', '/api']],
  ['/api', '/api?x', ['/api', '/api?x']],
  ['/api', '/api/', ['/api', '/api/']],
  ['/api', '/%61pi/x', ['/%61pi', '/%61pi/x']],
  ['/%61pi', '/api/x', ['/api', '/api/x']],
  ['/a b', '/a%20b/x', ['/a%20b', '/a%20b/x']],
  ['/a/b', '/a/b/c', ['/a/b', '/a/b/c']],
  ['', '*', ['', '*']],
  ['', 'example.org:443', ['', 'example.org:443']],
  ['/api', 'http://h:1/api/x', ['/api', 'http://h:1/api/x']],
  ['/api', 'http://h/api?x', ['/api', 'http://h/api?x']],
])('below the prefix %j, %s is cut into %j', (prefix, url, expected) => {
  expect(locate(prefix, { url })).toEqual(expected);
});

test.each([
  ['/api', '/apis'],
  ['/api', '/'],
  ['/api', '/API'],
  ['/api', '/x?/api/'],
  ['/api', '*'],
  ['/a/b', '/a%2Fb/c'],
  ['/api', 'http://h/other'],
])('nothing is taken for below the prefix %j that is not: %s', (prefix, url) => {
  expect(locate(prefix, { url })).toBeUndefined();
});

test.each([
  ['a mount', '', { url: '/x?q', baseUrl: '/api', originalUrl: '/api/x?q' }, ['/api', '/api/x?q']],
  ['the mount itself', '', { url: '/', baseUrl: '/api', originalUrl: '/api' }, ['/api', '/api']],
  [
    'the mount itself, with a query',
    '',
    { url: '/?q=/', baseUrl: '/api', originalUrl: '/api?q=/' },
    ['/api', '/api?q=/'],
  ],
  ['the mount with a slash', '', { url: '/', baseUrl: '/api', originalUrl: '/api/' }, ['/api', '/api/']],
  [
    'a mount and a prefix',
    '/v1',
    { url: '/v1/x', baseUrl: '/api', originalUrl: '/api/v1/x' },
    ['/api/v1', '/api/v1/x'],
  ],
  [
    'a mount with an encoded slash',
    '',
    { url: '/x', baseUrl: '/a%2Fb', originalUrl: '/a%2Fb/x' },
    ['/a%2Fb', '/a%2Fb/x'],
  ],
  ['no mount', '', { url: '/x', baseUrl: '', originalUrl: '/x' }, ['', '/x']],
  ['a url rewritten below the mount', '', { url: '/y', baseUrl: '/api', originalUrl: '/api/x' }, ['/api', '/api/y']],
  ['a url rewritten before the mount', '', { url: '/x', baseUrl: '/api', originalUrl: '/old/x' }, ['/api', '/api/x']],
  ['a url shortened by hand', '', { url: '/x', baseUrl: '', originalUrl: '/v1/x' }, ['', '/x']],
  [
    'an absolute form',
    '',
    { url: 'http://h/x', baseUrl: '/api', originalUrl: 'http://h/api/x' },
    ['/api', 'http://h/api/x'],
  ],
] as const)('Express says in baseUrl where it has mounted: %s', (_, prefix, request, expected) => {
  expect(locate(prefix, request)).toEqual(expected);
});

test.each([
  ['a mount', '', { url: '/x?q', originalUrl: '/api/x?q' }, ['/api', '/api/x?q']],
  ['the mount itself', '', { url: '/', originalUrl: '/api' }, ['/api', '/api']],
  ['the mount itself, with a query', '', { url: '/?q', originalUrl: '/api?q' }, ['/api', '/api?q']],
  ['a mount and a prefix', '/v1', { url: '/v1/x', originalUrl: '/api/v1/x' }, ['/api/v1', '/api/v1/x']],
  ['no mount', '', { url: '/x', originalUrl: '/x' }, ['', '/x']],
  ['a rewritten url', '', { url: '/y', originalUrl: '/api/x' }, ['', '/y']],
] as const)(
  'connect and middie leave the original url, and what was taken off it is the mount: %s',
  (_, prefix, request, expected) => {
    expect(locate(prefix, request)).toEqual(expected);
  },
);

test.each([
  ['/api/x', 4, '/api/y?q', 4],
  ['/api/x', 4, '/%61pi/y', 6],
  ['http://h/api/x', 4, '/api', 4],
  ['/x', 0, '/y', 0],
  ['/api/x', 4, '/other', undefined],
  ['/api/x', 4, '/apis', undefined],
])(
  'a local redirect from %s (mount of %i) to %s stays below the mount, or is none of ours',
  (target, length, path, expected) => {
    expect(locateRedirect({ target, scriptNameLength: length }, path)?.scriptNameLength).toBe(expected);
  },
);
