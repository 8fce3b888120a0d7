import { describe, expect, it } from 'vitest';
import { splitBasePath } from '../../src/env/index.js';

describe('splitBasePath', () => {
  it.each([
    ['/app/x?q', '/app', '/x?q'],
    ['/app', '/app', '/'],
    ['/app/', '/app', '/'],
    ['/app?q', '/app', '/?q'],
    ['/app/x', '/app/', '/x'],
    ['/a/b/c', '/a/b', '/c'],
    ['/app//x', '/app', '//x'],
    ['/a%20b/c', '/a%20b', '/c'],
    ['/%61pp/%78', '/app', '/%78'],
    ['/caf%c3%a9/x', '/caf%C3%A9', '/x'],
    ['/caf\xc3\xa9/x', '/caf%C3%A9', '/x'],
    ['/100%/x', '/100%', '/x'],
    ['/x', '', '/x'],
    ['/x', '/', '/x'],
    ['*', '', '*'],
  ])('%s below %j is %s', (target, basePath, rest) => {
    expect(splitBasePath(target, basePath)).toBe(rest);
  });

  it.each([
    ['/appzzz', '/app'],
    ['/ap', '/app'],
    ['/', '/app'],
    ['/App', '/app'],
    ['/x?/app', '/app'],
    ['/a?b', '/a/b'],
    ['/a%2Fb/c', '/a/b'],
    ['/app%2Fx', '/app'],
    ['*', '/app'],
    ['host:443', '/app'],
  ])('%s is not below %s', (target, basePath) => {
    expect(splitBasePath(target, basePath)).toBeUndefined();
  });
});
