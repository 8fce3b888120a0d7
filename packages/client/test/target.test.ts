import { describe, expect, test } from 'vitest';
import { parseTarget } from '../src/exchange/target.js';

describe('a target', () => {
  test.each([
    [4000, '127.0.0.1:4000', { host: '127.0.0.1', port: 4000 }],
    ['4000', '127.0.0.1:4000', { host: '127.0.0.1', port: 4000 }],
    ['10.0.0.7:9000', '10.0.0.7:9000', { host: '10.0.0.7', port: 9000 }],
    ['app.internal:9000', 'app.internal:9000', { host: 'app.internal', port: 9000 }],
    ['[::1]:4000', '[::1]:4000', { host: '::1', port: 4000 }],
    ['unix:/run/app.sock', 'unix:/run/app.sock', { path: '/run/app.sock' }],
    ['unix:./app.sock', 'unix:./app.sock', { path: './app.sock' }],
  ])('%s is %s', (target, text, connect) => {
    expect(parseTarget(target)).toEqual({ text, connect });
  });

  test.each([
    ['', 'the port is not a number'],
    ['0', 'the port is not a number'],
    ['65536', 'the port is not a number'],
    ['127.0.0.1:04', 'the port is not a number'],
    ['localhost:', 'the port is not a number'],
    [Number.NaN, 'the port is not a number'],
    [-1, 'the port is not a number'],
    [':4000', 'the host is not a name'],
    ['a b:4000', 'the host is not a name'],
    ['::1:4000', '[::1]:4000'],
    ['scgi://localhost:4000', 'host:4000'],
    ['/run/app.sock', 'unix:/run/app.sock'],
    ['./app.sock', 'unix:./app.sock'],
    ['unix:', 'the path is empty'],
    ['unix:///run/app.sock', 'unix:/run/app.sock'],
  ])('%s is refused and the message helps: %s', (target, help) => {
    expect(() => parseTarget(target)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION', message: expect.stringContaining(help) }),
    );
  });
});
