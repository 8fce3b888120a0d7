import { describe, expect, test } from 'vitest';
import { Routes } from '../../src/front/routes.js';

const same = (_: string, entry: string): string => entry;
const routes = new Routes('backends', { '/': 'root', '/api': 'api', '/api/v2/': 'v2', '/caf%C3%A9': 'café' }, same);

test.each([
  ['/', 'root', '/'],
  ['/?q=/api', 'root', '/?q=/api'],
  ['/api', 'api', '/'],
  ['/api?x=1', 'api', '/?x=1'],
  ['/api/', 'api', '/'],
  ['/api/users/1?x=1', 'api', '/users/1?x=1'],
  ['/%61pi/users', 'api', '/users'],
  ['/apis', 'root', '/apis'],
  ['/API', 'root', '/API'],
  ['/api%2Fv2', 'root', '/api%2Fv2'],
  ['/api/v2', 'v2', '/'],
  ['/api/v2/x', 'v2', '/x'],
  ['/api/v20', 'api', '/v20'],
  ['/caf%c3%a9/menu', 'café', '/menu'],
  ['//api', 'root', '//api'],
  ['http://example.org/api/x', 'api', '/x'],
  ['http://example.org', 'root', '/'],
  ['http://example.org?api', 'root', '/?api'],
  ['*', 'root', '*'],
])('%s belongs to %s', (target, entry, rest) => {
  expect(routes.find(target)).toMatchObject({ entry, rest });
});

test('without an entry for / a path may belong nowhere', () => {
  const some = new Routes('backends', { '/api': 'api' }, same);
  for (const target of ['/', '/apis', '*', 'example.org:443', 'http://api/']) {
    expect(some.find(target), target).toBeUndefined();
  }
});

describe('a prefix', () => {
  test.each(['api', '', '/api?x', '/a#b'])('%j is refused', (prefix) => {
    expect(() => new Routes('backends', { [prefix]: 'x' }, same)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION' }),
    );
  });

  test('is there once, whether or not it ends with a slash', () => {
    expect(() => new Routes('backends', { '/api': 'a', '/api/': 'b' }, same)).toThrow(/twice/);
  });
});
