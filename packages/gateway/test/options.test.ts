import { expect, test } from 'vitest';
import { createHttpFront } from '../src/index.js';

test.each([
  ['to', { to: 'unix:' }],
  ['connectTimeout', { to: 4000, connectTimeout: -1 }],
  ['firstByteTimeout', { to: 4000, firstByteTimeout: 1.5 }],
  ['idleTimeout', { to: 4000, idleTimeout: 2 ** 31 }],
  ['lingerTimeout', { to: 4000, lingerTimeout: Number.NaN }],
  ['maxHeadBytes', { to: 4000, maxHeadBytes: -1 }],
  ['maxHeldBody', { to: 4000, maxHeldBody: Infinity }],
])('an impossible %s is refused when the front is made', (_, options) => {
  expect(() => createHttpFront(options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
});
