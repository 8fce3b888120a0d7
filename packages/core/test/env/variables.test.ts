import { describe, expect, it } from 'vitest';
import { createEnv } from '../../src/env/index.js';

describe('createEnv', () => {
  it('has no prototype, so that no variable collides with one', () => {
    const env = createEnv(['__proto__', 'x', 'constructor', 'y']);
    expect(Object.getPrototypeOf(env)).toBeNull();
    expect(Object.keys(env)).toEqual(['__PROTO__', 'CONSTRUCTOR']);
    expect(env.TOSTRING).toBeUndefined();
  });

  it('has names in upper case and leaves octets beyond ASCII alone', () => {
    expect({ ...createEnv(['proxy-nokeepalive', '1', 'na\xefve_\xff', '2']) }).toEqual({
      'PROXY-NOKEEPALIVE': '1',
      'NA\xefVE_\xff': '2',
    });
  });

  it.each([
    [
      'the last of a repeated variable',
      ['REQUEST_URI', '/dup', 'REQUEST_URI', '/override'],
      { REQUEST_URI: '/override' },
    ],
    ['the last of a field that has one value', ['HTTP_HOST', 'a', 'http_host', 'b'], { HTTP_HOST: 'b' }],
    [
      'all of a repeated field',
      ['HTTP_X_A', '1', 'HTTP_X_B', 'b', 'HTTP_X_A', '2'],
      { HTTP_X_A: '1, 2', HTTP_X_B: 'b' },
    ],
    ['all cookies', ['HTTP_COOKIE', 'a=1; b=2', 'HTTP_COOKIE', 'c=3'], { HTTP_COOKIE: 'a=1; b=2; c=3' }],
    ['a value that is empty', ['SERVER_NAME', ''], { SERVER_NAME: '' }],
  ])('has %s', (_, variables, expected) => {
    expect({ ...createEnv(variables) }).toEqual(expected);
  });
});
