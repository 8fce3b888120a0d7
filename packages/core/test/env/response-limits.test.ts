// What each front end refuses of a response head, by default, and the advice for it.

import { describe, expect, it } from 'vitest';
import { createEnv, longHeadAdvice } from '../../src/env/index.js';

const nginx = createEnv(['SERVER_SOFTWARE', 'nginx/1.22.1']);
const unnamed = createEnv([]);
const apache = createEnv(['SERVER_SOFTWARE', 'Apache', 'SCRIPT_FILENAME', 'proxy:scgi://localhost/']);
const lighttpd = createEnv(['SERVER_SOFTWARE', 'lighttpd/1.4.69']);

const headOf = (bytes: number): string => {
  const start = 'Status: 200 OK\r\nSet-Cookie: a=';
  return `${start}${'x'.repeat(bytes - start.length - 4)}\r\n\r\n`;
};

describe('longHeadAdvice', () => {
  it.each([
    ['nginx', nginx, 4096],
    ['a front end that names itself nowhere, as nginx with its stock parameters', unnamed, 4096],
    ['lighttpd', lighttpd, 65_535],
  ])('of %s begins behind the last byte it takes', (_name, env, bytes) => {
    expect(headOf(bytes)).toHaveLength(bytes);
    expect(longHeadAdvice(env, headOf(bytes))).toBe(undefined);
    expect(longHeadAdvice(env, headOf(bytes + 1))).toContain(`${bytes + 1}`);
  });

  it('names the directives of nginx with a size that is enough', () => {
    expect(longHeadAdvice(nginx, headOf(9000))).toContain('scgi_buffer_size 12k; and scgi_buffers 8 12k;');
  });

  it('counts lines for Apache, which takes any number of them', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `X-${index}: ${'y'.repeat(8000)}\r\n`).join('');
    expect(longHeadAdvice(apache, `Status: 200 OK\r\n${lines}\r\n`)).toBe(undefined);
    expect(longHeadAdvice(apache, `Status: 200 OK\r\nX-Long: ${'y'.repeat(8181)}\r\n\r\n`)).toBe(undefined);
    expect(longHeadAdvice(apache, `Status: 200 OK\r\nX-Long: ${'y'.repeat(8182)}\r\n\r\n`)).toContain(
      'X-Long has 8190',
    );
  });
});
