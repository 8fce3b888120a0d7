import { describe, expect, test } from 'vitest';
import { encodeRequest } from '../../src/protocol/index.js';
import { text, wire } from './drive.js';

describe('encodeRequest', () => {
  test('writes the example of the SCGI specification', () => {
    const bytes = encodeRequest(['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/deepthought'], 27);
    expect(text(bytes)).toBe(text(wire('70:CONTENT_LENGTH␀27␀SCGI␀1␀REQUEST_METHOD␀POST␀REQUEST_URI␀/deepthought␀,')));
  });

  test('writes CONTENT_LENGTH and SCGI even if there is nothing else', () => {
    expect(text(encodeRequest([], 0))).toBe(text(wire('24:CONTENT_LENGTH␀0␀SCGI␀1␀,')));
  });

  test('writes one octet per character, empty values included', () => {
    expect(text(encodeRequest(['N\xe4me', '\x01\x80\xff', 'EMPTY', ''], 0))).toBe(
      text(wire('40:CONTENT_LENGTH␀0␀SCGI␀1␀N\xe4me␀\x01\x80\xff␀EMPTY␀␀,')),
    );
  });

  test.each([
    ['an empty name', ['', 'value']],
    ['a NUL in a name', ['A\0B', 'value']],
    ['a NUL in a value', ['A', 'x\0y']],
    ['a name beyond latin1', ['€', 'value']],
    ['a value beyond latin1', ['A', '😀']],
    ['a name without a value', ['A', '1', 'B']],
    ['a name given twice', ['A', '1', 'A', '1']],
    ['a name given twice in different case', ['Http_A', '1', 'HTTP_a', '2']],
    ['CONTENT_LENGTH, which it writes itself', ['content_length', '5']],
    ['SCGI, which it writes itself', ['SCGI', '1']],
  ])('refuses %s', (_, variables) => {
    expect(() => encodeRequest(variables, 0)).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_SCGI_VARIABLE' }),
    );
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses the body length %d', (bodyLength) => {
    expect(() => encodeRequest([], bodyLength)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_VARIABLE' }));
  });
});
