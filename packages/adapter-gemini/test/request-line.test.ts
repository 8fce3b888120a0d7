// The request line, however its bytes are cut.

import { describe, expect, test } from 'vitest';
import { RequestLine } from '../src/front/request-line.js';

function take(...pieces: (string | Uint8Array)[]): string | null {
  const line = new RequestLine();
  let result: string | null = null;
  for (const piece of pieces) result ??= line.take(typeof piece === 'string' ? Buffer.from(piece) : piece);
  return result;
}

const url = (length: number): string => `gemini://h/${'a'.repeat(length - 'gemini://h/'.length)}`;
const refused = expect.objectContaining({ code: 'ERR_SCGI_GEMINI_REQUEST' });

test('a line is the same at every cut', () => {
  const bytes = Buffer.from('gemini://h/ü\r\nrest');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(take(bytes.subarray(0, cut), bytes.subarray(cut))).toBe('gemini://h/ü');
  }
  expect(take(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe('gemini://h/ü');
});

test('a URL may have 1024 bytes', () => expect(take(`${url(1024)}\r\n`)).toBe(url(1024)));

test('a URL of 1024 bytes may come byte by byte', () => {
  expect(take(...Array.from(Buffer.from(`${url(1024)}\r\n`), (byte) => Uint8Array.of(byte)))).toBe(url(1024));
});

describe('a line is refused', () => {
  test.each([
    ['with a URL of 1025 bytes', `${url(1025)}\r\n`],
    ['with a URL that goes on for ever', url(5000)],
    ['as soon as its URL has 1025 bytes', url(1025)],
    ['without a carriage return', 'gemini://h/\n'],
    ['that is only a line feed', '\n'],
  ])('%s', (_, bytes) => {
    expect(() => take(bytes)).toThrow(refused);
    expect(() => take(...Array.from(Buffer.from(bytes), (byte) => Uint8Array.of(byte)))).toThrow(refused);
  });

  test('that is no UTF-8', () => expect(() => take(Buffer.from('gemini://h/\xff\r\n', 'latin1'))).toThrow(refused));
});

test('an empty line is a line', () => expect(take('\r\n')).toBe(''));
