// Every way in which a request can break the protocol, and what nearly breaks it but is accepted.
// Each row is decoded whole, byte by byte and at every split point, with equal results.

import { describe, expect, test } from 'vitest';
import { RequestDecoder } from '../../src/protocol/index.js';
import type { RequestDecoderOptions } from '../../src/protocol/index.js';
import { decodeEveryWay, eof, faultOf, netstring, wire } from './drive.js';

type Row = [behaviour: string, bytes: Uint8Array, code: string, options?: RequestDecoderOptions];

const rows: Row[] = [
  // The netstring length.
  ['an empty head', wire('0:,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a leading zero', wire('024:CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a plus sign', wire('+24:CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a space before the length', wire(' 24:CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a space after the length', wire('24 :CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['an underscore in the length', wire('2_4:CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a negative length', wire('-5:'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a missing length', wire(':'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a blank length', wire(' :'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a hexadecimal length', wire('0x18:'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a letter inside the length', wire('1A:'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['a NUL', wire('␀'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['an octet beyond ASCII', wire('\xb2'), 'ERR_SCGI_NETSTRING_LENGTH'],
  ['sixteen digits and no colon', wire('1234567890123456'), 'ERR_SCGI_HEAD_TOO_LARGE'],
  ['a length above the default limit', wire('131073:'), 'ERR_SCGI_HEAD_TOO_LARGE'],
  ['a length above maxHeadBytes', wire('25:'), 'ERR_SCGI_HEAD_TOO_LARGE', { maxHeadBytes: 24 }],

  // Other protocols on this port.
  ['HTTP/1.1', wire('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'), 'ERR_SCGI_PLAIN_HTTP'],
  ['an HTTP request with a body method', wire('POST / HTTP/1.0\r\n\r\n'), 'ERR_SCGI_PLAIN_HTTP'],
  ['an HTTP CONNECT', wire('CONNECT example.com:443 HTTP/1.1\r\n\r\n'), 'ERR_SCGI_PLAIN_HTTP'],
  ['an HTTP method in lower case', wire('get / HTTP/1.1\r\n\r\n'), 'ERR_SCGI_PLAIN_HTTP'],
  ['the HTTP/2 preface', wire('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'ERR_SCGI_PLAIN_HTTP'],
  ['a letter for a length, which reads like HTTP', wire('A:'), 'ERR_SCGI_PLAIN_HTTP'],
  ['a TLS handshake', wire('\x16\x03\x01\x02␀\x01'), 'ERR_SCGI_TLS'],

  // The netstring.
  ['no comma after the head', wire('24:CONTENT_LENGTH␀0␀SCGI␀1␀;'), 'ERR_SCGI_NETSTRING_TERMINATOR'],
  ['a length one too small', wire('23:CONTENT_LENGTH␀0␀SCGI␀1␀,'), 'ERR_SCGI_NETSTRING_TERMINATOR'],
  ['no NUL at the end of the head', wire('23:CONTENT_LENGTH␀0␀SCGI␀1,'), 'ERR_SCGI_HEAD_NOT_TERMINATED'],
  ['a name without a value', wire('29:CONTENT_LENGTH␀0␀SCGI␀1␀NAME␀,'), 'ERR_SCGI_HEAD_ODD_STRINGS'],
  ['a head of one NUL', wire('1:␀,'), 'ERR_SCGI_HEAD_ODD_STRINGS'],
  ['a head of two NULs', wire('2:␀␀,'), 'ERR_SCGI_VARIABLE_NAME_EMPTY'],
  ['an empty name', netstring('CONTENT_LENGTH␀0␀SCGI␀1␀␀value␀'), 'ERR_SCGI_VARIABLE_NAME_EMPTY'],
  [
    'one variable too many',
    netstring('CONTENT_LENGTH␀0␀SCGI␀1␀A␀1␀'),
    'ERR_SCGI_TOO_MANY_VARIABLES',
    { maxVariables: 2 },
  ],

  // SCGI.
  ['a missing SCGI', netstring('CONTENT_LENGTH␀0␀'), 'ERR_SCGI_VERSION'],
  ['SCGI=2', netstring('CONTENT_LENGTH␀0␀SCGI␀2␀'), 'ERR_SCGI_VERSION'],
  ['an empty SCGI', netstring('CONTENT_LENGTH␀0␀SCGI␀␀'), 'ERR_SCGI_VERSION'],
  ['SCGI=1 and later SCGI=2', netstring('CONTENT_LENGTH␀0␀SCGI␀1␀SCGI␀2␀'), 'ERR_SCGI_VERSION'],
  ['scgi in lower case', netstring('CONTENT_LENGTH␀0␀scgi␀1␀'), 'ERR_SCGI_VERSION'],
  ['SCGI=2 even when lax', netstring('CONTENT_LENGTH␀0␀SCGI␀2␀'), 'ERR_SCGI_VERSION', { lax: true }],

  // CONTENT_LENGTH.
  ['a missing CONTENT_LENGTH', netstring('SCGI␀1␀'), 'ERR_SCGI_CONTENT_LENGTH'],
  ['a body of unknown length', netstring('SCGI␀1␀HTTP_TRANSFER_ENCODING␀chunked␀'), 'ERR_SCGI_LENGTH_REQUIRED'],
  ['an empty CONTENT_LENGTH', netstring('CONTENT_LENGTH␀␀SCGI␀1␀'), 'ERR_SCGI_CONTENT_LENGTH'],
  ...['-1', '+3', ' 3 ', '1_0', '3.0', '0x3', '3, 3', '3e2', '\xb3', '9007199254740992', `1${'0'.repeat(30)}`].map(
    (value): Row => [
      `CONTENT_LENGTH "${value}"`,
      netstring(`CONTENT_LENGTH␀${value}␀SCGI␀1␀`),
      'ERR_SCGI_CONTENT_LENGTH',
    ],
  ),
  [
    'an empty CONTENT_LENGTH before another',
    netstring('CONTENT_LENGTH␀␀CONTENT_LENGTH␀3␀SCGI␀1␀'),
    'ERR_SCGI_CONTENT_LENGTH',
  ],
  ['two different CONTENT_LENGTH', netstring('CONTENT_LENGTH␀1␀SCGI␀1␀CONTENT_LENGTH␀2␀'), 'ERR_SCGI_CONTENT_LENGTH'],
  [
    'a contradiction that a third CONTENT_LENGTH does not settle',
    netstring('CONTENT_LENGTH␀1␀SCGI␀1␀CONTENT_LENGTH␀2␀CONTENT_LENGTH␀2␀'),
    'ERR_SCGI_CONTENT_LENGTH',
  ],
  [
    'a different CONTENT_LENGTH in lower case',
    netstring('CONTENT_LENGTH␀1␀SCGI␀1␀content_length␀2␀'),
    'ERR_SCGI_CONTENT_LENGTH',
  ],
  [
    'a body above maxBodyBytes',
    netstring('CONTENT_LENGTH␀11␀SCGI␀1␀'),
    'ERR_SCGI_BODY_TOO_LARGE',
    { maxBodyBytes: 10 },
  ],

  // The specification to the letter.
  ...(
    [
      ['a name given twice', 'CONTENT_LENGTH␀0␀SCGI␀1␀A␀1␀A␀1␀', 'ERR_SCGI_DUPLICATE_VARIABLE'],
      ['a name given twice in different case', 'CONTENT_LENGTH␀0␀SCGI␀1␀Ab␀1␀aB␀2␀', 'ERR_SCGI_DUPLICATE_VARIABLE'],
      ['the same CONTENT_LENGTH twice', 'CONTENT_LENGTH␀0␀SCGI␀1␀CONTENT_LENGTH␀0␀', 'ERR_SCGI_DUPLICATE_VARIABLE'],
      ['CONTENT_LENGTH repeated empty', 'CONTENT_LENGTH␀0␀SCGI␀1␀CONTENT_LENGTH␀␀', 'ERR_SCGI_CONTENT_LENGTH'],
      ['CONTENT_LENGTH in second place', 'SCGI␀1␀CONTENT_LENGTH␀0␀', 'ERR_SCGI_VARIABLE_ORDER'],
      ['content_length in lower case', 'content_length␀0␀SCGI␀1␀', 'ERR_SCGI_VARIABLE_ORDER'],
      ['no CONTENT_LENGTH', 'SCGI␀1␀A␀1␀', 'ERR_SCGI_CONTENT_LENGTH'],
    ] as const
  ).map(([what, payload, code]): Row => [`${what} when strict`, netstring(payload), code, { strict: true }]),
];

describe('a malformed request', () => {
  test.each(rows)('is refused for %s', (_, bytes, code, options) => {
    const transcript = decodeEveryWay(() => new RequestDecoder(options), bytes);
    expect(transcript).toHaveLength(1);
    expect(faultOf(transcript)).toBe(code);
  });

  test.each([
    ['inside the length', '2'],
    ['after the colon', '24:'],
    ['inside the head', '24:CONTENT_LENGTH␀0␀SCGI'],
    ['before the comma', '24:CONTENT_LENGTH␀0␀SCGI␀1␀'],
  ])('is refused when the peer closes %s', (_, bytes) => {
    const transcript = decodeEveryWay(() => new RequestDecoder(), wire(bytes), [eof]);
    expect(transcript).toEqual([{ fault: 'ERR_SCGI_PREMATURE_EOF', details: { part: 'head' }, statusHint: 400 }]);
  });

  test('delivers head and partial body before it is refused for a missing rest', () => {
    const bytes = wire('24:CONTENT_LENGTH␀5␀SCGI␀1␀,abc');
    expect(decodeEveryWay(() => new RequestDecoder(), bytes, [eof])).toEqual([
      { head: { variables: ['CONTENT_LENGTH', '5', 'SCGI', '1'], bodyLength: 5, bytes: 24 } },
      { body: 'abc' },
      { fault: 'ERR_SCGI_PREMATURE_EOF', details: { part: 'body' }, statusHint: 400 },
    ]);
  });

  test('is refused at its first impossible byte, without waiting for more', () => {
    for (const [bytes, code] of [
      ['0', 'ERR_SCGI_NETSTRING_LENGTH'],
      ['2x', 'ERR_SCGI_NETSTRING_LENGTH'],
      ['G', 'ERR_SCGI_PLAIN_HTTP'],
      ['\x16', 'ERR_SCGI_TLS'],
      ['999999', 'ERR_SCGI_HEAD_TOO_LARGE'],
      ['24:CONTENT_LENGTH␀0␀SCGI␀1␀.', 'ERR_SCGI_NETSTRING_TERMINATOR'],
    ] as const) {
      const decoder = new RequestDecoder();
      decoder.receiveData(wire(bytes.slice(0, -1)));
      expect(decoder.nextEvent()).toBeNull();
      decoder.receiveData(wire(bytes.slice(-1)));
      expect(() => decoder.nextEvent(), bytes).toThrow(expect.objectContaining({ code }));
    }
  });

  test('names the offending value in the error, but only its beginning', () => {
    const bytes = netstring(`CONTENT_LENGTH␀${'x'.repeat(500)}␀SCGI␀1␀`);
    const [fault] = decodeEveryWay(() => new RequestDecoder(), bytes);
    expect(fault).toMatchObject({ details: { value: 'x'.repeat(40) } });
  });
});

describe('an unusual request', () => {
  const accepted: [behaviour: string, payload: string, bodyLength: number, options?: RequestDecoderOptions][] = [
    ['CONTENT_LENGTH repeated empty, as nginx can be told to', 'CONTENT_LENGTH␀3␀SCGI␀1␀CONTENT_LENGTH␀␀', 3],
    ['a name given twice, kept in order', 'CONTENT_LENGTH␀0␀SCGI␀1␀A␀1␀A␀2␀', 0],
    ['the same name in another case', 'CONTENT_LENGTH␀0␀SCGI␀1␀HTTP_A␀1␀http_a␀2␀', 0],
    ['the same CONTENT_LENGTH twice', 'CONTENT_LENGTH␀3␀SCGI␀1␀CONTENT_LENGTH␀3␀', 3],
    ['two CONTENT_LENGTH that differ only in leading zeros', 'CONTENT_LENGTH␀3␀SCGI␀1␀CONTENT_LENGTH␀003␀', 3],
    ['CONTENT_LENGTH in second place', 'SCGI␀1␀CONTENT_LENGTH␀3␀', 3],
    ['content_length in lower case', 'content_length␀3␀SCGI␀1␀', 3],
    ['CONTENT_LENGTH with leading zeros', 'CONTENT_LENGTH␀003␀SCGI␀1␀', 3],
    ['the largest CONTENT_LENGTH', 'CONTENT_LENGTH␀9007199254740991␀SCGI␀1␀', Number.MAX_SAFE_INTEGER],
    ['octets beyond ASCII in names and values', 'CONTENT_LENGTH␀0␀SCGI␀1␀N\xe4me\x80␀\x01\x7f\x80\x9f\xff␀', 0],
    ['empty values', 'CONTENT_LENGTH␀0␀SCGI␀1␀CONTENT_TYPE␀␀QUERY_STRING␀␀', 0],
    ['a line break inside a value', 'CONTENT_LENGTH␀0␀SCGI␀1␀A␀1\r\n2␀', 0],
    ['exactly maxVariables variables', 'CONTENT_LENGTH␀0␀SCGI␀1␀A␀1␀', 0, { maxVariables: 3 }],
    ['exactly maxHeadBytes', 'CONTENT_LENGTH␀0␀SCGI␀1␀', 0, { maxHeadBytes: 24 }],
    ['exactly maxBodyBytes', 'CONTENT_LENGTH␀10␀SCGI␀1␀', 10, { maxBodyBytes: 10 }],
    ['a missing SCGI when lax', 'CONTENT_LENGTH␀3␀', 3, { lax: true }],
    ['scgi in lower case when lax', 'CONTENT_LENGTH␀3␀scgi␀1␀', 3, { lax: true }],
    ['a missing CONTENT_LENGTH when lax', 'SCGI␀1␀', 0, { lax: true }],
    ['an empty CONTENT_LENGTH when lax', 'CONTENT_LENGTH␀␀SCGI␀1␀', 0, { lax: true }],
    ['the letter of the specification when strict', 'CONTENT_LENGTH␀3␀SCGI␀1␀A␀1␀', 3, { strict: true }],
  ];

  test.each(accepted)('is accepted with %s', (_, payload, bodyLength, options) => {
    const transcript = decodeEveryWay(() => new RequestDecoder(options), netstring(payload));
    const variables = payload.split('␀').slice(0, -1);
    expect(transcript[0]).toEqual({ head: { variables, bodyLength, bytes: payload.length } });
  });

  test('may have 1,000 variables, and no more', () => {
    const fillers = Array.from({ length: 998 }, (_, index) => `V${index}␀${'x'.repeat(120)}␀`).join('');
    const decoder = new RequestDecoder();
    decoder.receiveData(netstring(`CONTENT_LENGTH␀0␀SCGI␀1␀${fillers}`));
    const event = decoder.nextEvent();
    expect(event?.type === 'head' && event.head.variables).toHaveLength(2000);
    const oneMore = new RequestDecoder();
    oneMore.receiveData(netstring(`CONTENT_LENGTH␀0␀SCGI␀1␀${fillers}A␀1␀`));
    expect(() => oneMore.nextEvent()).toThrow(expect.objectContaining({ code: 'ERR_SCGI_TOO_MANY_VARIABLES' }));
  });
});
