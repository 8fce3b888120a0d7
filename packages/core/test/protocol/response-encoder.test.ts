import { STATUS_CODES } from 'node:http';
import { describe, expect, test } from 'vitest';
import { encodeResponseHead, formatResponseHead, reasonPhrase } from '../../src/protocol/index.js';
import { text } from './drive.js';

describe('a response head', () => {
  test('is Status first, the fields in their order, an empty line', () => {
    expect(
      formatResponseHead(200, 'OK', ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']),
    ).toBe('Status: 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n');
  });

  test.each([
    [200, undefined, 'Status: 200 OK\r\n\r\n'],
    [404, '', 'Status: 404 Not Found\r\n\r\n'],
    [404, ' ', 'Status: 404 Not Found\r\n\r\n'],
    [299, undefined, 'Status: 299 Unknown\r\n\r\n'],
    [999, undefined, 'Status: 999 Unknown\r\n\r\n'],
    [200, 'Très bien', 'Status: 200 Très bien\r\n\r\n'],
  ])('never has an empty reason: %d %j', (status, reason, head) => {
    expect(formatResponseHead(status, reason, [])).toBe(head);
  });

  test('is one octet per character as bytes', () => {
    expect(text(encodeResponseHead(200, undefined, ['X', '\x80\xe9\xff']))).toBe(
      'Status: 200 OK\r\nX: \x80\xe9\xff\r\n\r\n',
    );
  });

  test.each([99, 1000, 100, 102, 103, 200.5, NaN, Infinity, -200])('is refused for status %d', (status) => {
    expect(() => formatResponseHead(status, undefined, [])).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_SCGI_STATUS_CODE' }),
    );
  });

  test.each([
    ['an empty name', ['', 'value']],
    ['a space in a name', ['A B', 'value']],
    ['a colon in a name', ['A:', 'value']],
    ['a line break in a name', ['A\r\nB', 'value']],
    ['a name beyond ASCII', ['N\xe4me', 'value']],
    ['a line break in a value', ['A', 'x\r\nSet-Cookie: evil=1']],
    ['a line feed in a value', ['A', 'x\ny']],
    ['a NUL in a value', ['A', 'x\0y']],
    ['a DEL in a value', ['A', '\x7f']],
    ['a value beyond latin1', ['A', '€']],
    ['a name without a value', ['A']],
    ['a line break in a field that would be left out', ['Status', '200\r\n\r\n<script>']],
    ['different Content-Length', ['Content-Length', '1', 'content-length', '2']],
    ['a Content-Length that is no length', ['Content-Length', '1, 1']],
    ['a negative Content-Length', ['Content-Length', '-1']],
  ])('is refused for %s', (_, fields) => {
    expect(() => formatResponseHead(200, undefined, fields)).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_SCGI_RESPONSE_FIELD' }),
    );
  });

  test.each(['OK\r\nX: y', 'OK\0', '€'])('is refused for the reason %j', (reason) => {
    expect(() => formatResponseHead(200, reason, [])).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_RESPONSE_FIELD' }),
    );
  });

  test('may have tabs in values and odd characters in names', () => {
    expect(formatResponseHead(200, undefined, ["!#$%&'*+-.^_`|~", 'a\tb'])).toBe(
      "Status: 200 OK\r\n!#$%&'*+-.^_`|~: a\tb\r\n\r\n",
    );
  });

  test('leaves out what ends with this hop, in any case of letters', () => {
    const fields = [
      ['Connection', 'close'],
      ['KEEP-ALIVE', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['te', 'trailers'],
      ['Trailer', 'Expires'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'h2c'],
      ['Status', '500 Other'],
      ['X-Kept', 'yes'],
    ].flat();
    expect(formatResponseHead(200, undefined, fields)).toBe('Status: 200 OK\r\nX-Kept: yes\r\n\r\n');
  });

  test('keeps fields whose names are only as long as those left out', () => {
    const names = ['ab', 'abcdef', 'abcdefg', 'abcdefghij', 'abcdefghijklmn', 'abcdefghijklmnop', 'abcdefghijklmnopq'];
    expect(
      formatResponseHead(
        200,
        undefined,
        names.flatMap((name) => [name, '1']),
      ),
    ).toBe(`Status: 200 OK\r\n${names.map((name) => `${name}: 1\r\n`).join('')}\r\n`);
  });

  test('leaves out the fields that Connection names, wherever it stands', () => {
    const fields = [
      'X-Hop',
      '1',
      'Connection',
      'close, x-HOP',
      'X-Other',
      '2',
      'connection',
      'x-third',
      'X-Third',
      '3',
    ];
    expect(formatResponseHead(200, undefined, fields)).toBe('Status: 200 OK\r\nX-Other: 2\r\n\r\n');
  });

  test('keeps what makes a 101 an upgrade, but neither framing nor Content-Length', () => {
    const hop = ['Upgrade', 'websocket', 'Connection', 'Upgrade, X-Hop', 'X-Hop', '1'];
    const fields = [...hop, 'Transfer-Encoding', 'chunked', 'Content-Length', '0'];
    expect(formatResponseHead(101, undefined, fields)).toBe(
      'Status: 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\n\r\n',
    );
  });

  test('has Content-Length once, and none with 204', () => {
    const fields = ['Content-Length', '0', 'content-length', '0'];
    expect(formatResponseHead(200, undefined, fields)).toBe('Status: 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(formatResponseHead(204, undefined, fields)).toBe('Status: 204 No Content\r\n\r\n');
    expect(formatResponseHead(304, undefined, fields)).toBe('Status: 304 Not Modified\r\nContent-Length: 0\r\n\r\n');
  });
});

describe('the reason phrases', () => {
  // Where Node keeps an older registration, or one that never was.
  const different = new Set(['413', '418', '422', '509']);

  test('are the ones of Node, except where the registry has moved on', () => {
    for (const [status, phrase] of Object.entries(STATUS_CODES)) {
      if (!different.has(status)) expect(reasonPhrase(Number(status)), status).toBe(phrase);
    }
    expect([413, 418, 422, 509].map(reasonPhrase)).toEqual([
      'Content Too Large',
      'Unknown',
      'Unprocessable Content',
      'Unknown',
    ]);
  });
});
