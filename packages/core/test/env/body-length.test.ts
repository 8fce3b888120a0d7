import { describe, expect, it } from 'vitest';
import { resolveBodyLength } from '../../src/env/index.js';

const refused = expect.objectContaining({ code: 'ERR_SCGI_CONTENT_LENGTH' });

describe('CONTENT_LENGTH', () => {
  it.each([
    ['0', 0],
    ['11', 11],
    ['0011', 11],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%j is a length', (value, length) => {
    expect(resolveBodyLength(['CONTENT_LENGTH', value])).toBe(length);
  });

  it.each(['-1', '+3', ' 3', '3 ', '3.0', '0x3', '1_0', '3, 3', '1e3', '٣', '9007199254740992'])(
    '%j is refused',
    (value) => {
      expect(() => resolveBodyLength(['CONTENT_LENGTH', value])).toThrow(refused);
    },
  );

  it('is refused when it is missing', () => {
    expect(() => resolveBodyLength(['SCGI', '1'])).toThrow(refused);
  });

  it('may stand anywhere, in any case of letters', () => {
    expect(resolveBodyLength(['SCGI', '1', 'content_Length', '7'])).toBe(7);
  });

  it('may come twice with one value, however it is spelled', () => {
    expect(resolveBodyLength(['CONTENT_LENGTH', '7', 'CONTENT_LENGTH', '007'])).toBe(7);
  });

  it('is refused when it comes twice with two values', () => {
    expect(() => resolveBodyLength(['CONTENT_LENGTH', '1', 'content_length', '2'])).toThrow(refused);
  });

  it('counts as 0 when it is empty: whether that is allowed is up to the decoder', () => {
    expect(resolveBodyLength(['CONTENT_LENGTH', ''])).toBe(0);
  });

  it('says nothing when it is empty beside a number: scgi_param CONTENT_LENGTH $content_length on a chunked upload', () => {
    expect(resolveBodyLength(['CONTENT_LENGTH', '11', 'CONTENT_LENGTH', ''])).toBe(11);
  });
});

describe('nginx before 1.29.6 with scgi_request_buffering off', () => {
  it('declares what it has read so far; the length is what the client announced', () => {
    expect(resolveBodyLength(['CONTENT_LENGTH', '1000', 'HTTP_CONTENT_LENGTH', '307200'])).toBe(307200);
  });

  it('may name itself', () => {
    const variables = ['CONTENT_LENGTH', '0', 'SERVER_SOFTWARE', 'nginx/1.22.1', 'HTTP_CONTENT_LENGTH', '11'];
    expect(resolveBodyLength(variables)).toBe(11);
  });

  it('sends a second, right CONTENT_LENGTH when the configuration adds one', () => {
    const variables = ['CONTENT_LENGTH', '0', 'CONTENT_LENGTH', '11', 'HTTP_CONTENT_LENGTH', '11'];
    expect(resolveBodyLength(variables)).toBe(11);
  });

  it.each([
    ['is a third length', ['CONTENT_LENGTH', '0', 'CONTENT_LENGTH', '5', 'HTTP_CONTENT_LENGTH', '11']],
    ['is below the first', ['CONTENT_LENGTH', '11', 'CONTENT_LENGTH', '5', 'HTTP_CONTENT_LENGTH', '5']],
    ['is not what the client announced', ['CONTENT_LENGTH', '0', 'CONTENT_LENGTH', '11']],
    [
      'follows two others',
      ['CONTENT_LENGTH', '0', 'CONTENT_LENGTH', '11', 'CONTENT_LENGTH', '12', 'HTTP_CONTENT_LENGTH', '11'],
    ],
  ])('is refused when a CONTENT_LENGTH %s', (_, variables) => {
    expect(() => resolveBodyLength(variables)).toThrow(refused);
  });
});

describe('HTTP_CONTENT_LENGTH counts for nothing', () => {
  it.each([
    ['when it is smaller', ['CONTENT_LENGTH', '11', 'HTTP_CONTENT_LENGTH', '5'], 11],
    ['when it is not a number', ['CONTENT_LENGTH', '3', 'HTTP_CONTENT_LENGTH', '9e9'], 3],
    [
      'when it comes twice: nginx with underscores_in_headers on adds the client’s Content_Length',
      ['CONTENT_LENGTH', '3', 'HTTP_CONTENT_LENGTH', '3', 'HTTP_CONTENT_LENGTH', '9999'],
      3,
    ],
    [
      'beside chunks, which nginx has counted',
      ['CONTENT_LENGTH', '5', 'HTTP_CONTENT_LENGTH', '9999', 'HTTP_TRANSFER_ENCODING', 'chunked'],
      5,
    ],
    [
      'behind lighttpd, where Content_Length: 9999 becomes one',
      ['CONTENT_LENGTH', '3', 'SERVER_SOFTWARE', 'lighttpd', 'HTTP_CONTENT_LENGTH', '9999'],
      3,
    ],
    ['behind Apache', ['CONTENT_LENGTH', '3', 'SERVER_SOFTWARE', 'Apache', 'HTTP_CONTENT_LENGTH', '9999'], 3],
  ])('%s', (_, variables, length) => {
    expect(resolveBodyLength(variables)).toBe(length);
  });
});
