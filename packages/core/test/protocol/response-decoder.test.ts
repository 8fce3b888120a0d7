import { describe, expect, test, vi } from 'vitest';
import { ResponseDecoder, ResponseState } from '../../src/protocol/index.js';
import type { ResponseDecoderOptions, ResponseHead } from '../../src/protocol/index.js';
import { byteByByte, decode, decodeEveryWay, eof, faultOf, text, wire } from './drive.js';
import type { Transcript } from './drive.js';

/** What a response decodes to, however it is cut into chunks, when the backend closes after it. */
function response(bytes: string, options?: ResponseDecoderOptions): Transcript {
  return decodeEveryWay(() => new ResponseDecoder(options), wire(bytes), [eof]);
}

function head(bytes: string): Partial<ResponseHead> {
  const [first] = response(bytes);
  if (first === undefined || !('head' in first)) throw new Error(`no head: ${JSON.stringify(first)}`);
  return first.head;
}

describe('the response head', () => {
  test('holds status, reason, fields and content length', () => {
    const bytes = 'Status: 404 Not here\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nsorry';
    expect(response(bytes)).toEqual([
      {
        head: {
          status: 404,
          reason: 'Not here',
          fields: ['Content-Type', 'text/plain', 'Content-Length', '5'],
          kind: 'document',
          contentLength: 5,
        },
      },
      { body: 'sorry' },
      { end: true },
    ]);
  });

  test.each([
    ['CRLF', 'Status: 201 Created\r\nA: 1\r\n\r\n'],
    ['LF', 'Status: 201 Created\nA: 1\n\n'],
    ['both mixed', 'Status: 201 Created\r\nA: 1\n\r\n'],
    ['Status last', 'A: 1\r\nStatus: 201 Created\r\n\r\n'],
    ['Status in lower case', 'status: 201 Created\r\nA: 1\r\n\r\n'],
    ['the same Status twice', 'Status: 201 Created\r\nA: 1\r\nStatus: 201 Created\r\n\r\n'],
    ['a status line of HTTP/1.0', 'HTTP/1.0 201 Created\r\nA: 1\r\n\r\n'],
    ['a status line of HTTP/1.1', 'HTTP/1.1 201 Created\nA: 1\n\n'],
    ['a status line and the same Status', 'HTTP/1.1 201 Created\r\nStatus: 201\r\nA: 1\r\nStatus: 201 Created\r\n\r\n'],
    ['no reason', 'Status: 201\r\nA: 1\r\n\r\n'],
    ['no reason but a space', 'Status: 201 \r\nA: 1\r\n\r\n'],
    ['a status line without a reason', 'HTTP/1.1 201\r\nA: 1\r\n\r\n'],
    ['whitespace around values', 'Status:  201 Created \t\r\nA:\t1 \r\n\r\n'],
    ['no whitespace after the colon', 'Status:201 Created\r\nA:1\r\n\r\n'],
  ])('is understood with %s', (_, bytes) => {
    expect(head(bytes)).toMatchObject({ status: 201, reason: 'Created', fields: ['A', '1'], kind: 'document' });
  });

  test('may be empty: the status is 200', () => {
    expect(head('\r\n')).toEqual({ status: 200, reason: 'OK', fields: [], kind: 'document', contentLength: undefined });
    expect(head('\n')).toMatchObject({ status: 200 });
  });

  test('takes the reason from the registry, or Unknown, if none is sent', () => {
    expect(head('Status: 418\r\n\r\n')).toMatchObject({ status: 418, reason: 'Unknown' });
    expect(head('Status: 503\r\n\r\n')).toMatchObject({ status: 503, reason: 'Service Unavailable' });
  });

  test('keeps repeated fields, empty values, odd names and octets beyond ASCII', () => {
    const bytes = 'Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty:\r\n!#$%&\'*+-.^_`|~9: \x80\xff"\r\n\r\n';
    expect(head(bytes)).toMatchObject({
      fields: ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Empty', '', "!#$%&'*+-.^_`|~9", '\x80\xff"'],
    });
  });

  test('may have any status code up to 999', () => {
    expect(head('Status: 999 Odd\r\n\r\n')).toMatchObject({ status: 999, reason: 'Odd' });
  });

  test('keeps one Content-Length of several that agree', () => {
    expect(head('Content-Length: 0\r\nContent-Length: 00\r\ncontent-length: 0\r\n\r\n')).toMatchObject({
      fields: ['Content-Length', '0'],
      contentLength: 0,
    });
  });
});

describe('the kind of a response', () => {
  test.each([
    ['document', 200, 'Content-Type: text/html\r\n\r\n'],
    ['document', 200, 'Status: 200 OK\r\nLocation: /elsewhere\r\n\r\n'],
    ['document', 201, 'Status: 201 Created\r\nLocation: /new\r\n\r\n'],
    ['document', 304, 'Status: 304 Not Modified\r\nLocation: /same\r\n\r\n'],
    ['local-redirect', 302, 'Location: /path?query\r\n\r\n'],
    ['client-redirect', 302, 'Location: http://example.com/\r\n\r\n'],
    ['client-redirect', 302, 'Location: //example.com/\r\n\r\n'],
    ['client-redirect', 302, 'Location: relative\r\n\r\n'],
    ['client-redirect', 302, 'Location: /path\r\nContent-Type: text/html\r\n\r\n'],
    ['client-redirect', 302, 'Set-Cookie: a=1\r\nLocation: /path\r\n\r\n'],
    ['client-redirect', 301, 'Status: 301 Moved Permanently\r\nLocation: /path\r\n\r\n'],
    ['upgrade', 101, 'Status: 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
  ])('is %s with status %d for %j', (kind, status, bytes) => {
    expect(head(bytes)).toMatchObject({ kind, status });
  });
});

describe('a malformed response', () => {
  test.each([
    ['a line without a colon', 'Status: 200 OK\r\nnonsense\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a folded line', 'A: 1\r\n 2\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a line folded with a tab', 'A: 1\r\n\t: 2\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a space before the colon', 'A : 1\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a space before the name', ' A: 1\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['an empty name', ': 1\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a name beyond ASCII', 'N\xe4me: 1\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a NUL in a value', 'A: 1␀\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a CR in a value', 'A: 1\r2\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a second CR before LF', 'A: 1\r\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a DEL in a value', 'A: \x7f\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a status line in second place', 'A: 1\r\nHTTP/1.1 200 OK\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a status that is no number', 'Status: abc\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['an empty status', 'Status:\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a status below 100', 'Status: 099 Low\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a status of four digits', 'Status: 2000 OK\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['no space after the status', 'Status: 200OK\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['two different statuses', 'Status: 200 OK\r\nStatus: 404 Not Found\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a Status unlike the status line', 'HTTP/1.1 200 OK\r\nStatus: 404\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a status line of another version', 'HTTP/2 200 OK\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a status line without a status', 'HTTP/1.1\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a NUL in the reason', 'HTTP/1.1 200 O␀K\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    [
      'two different Content-Length',
      'Content-Length: 1\r\nContent-Length: 2\r\n\r\n',
      'ERR_SCGI_RESPONSE_CONTENT_LENGTH',
    ],
    ['an empty Content-Length', 'Content-Length:\r\n\r\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['a list in Content-Length', 'Content-Length: 1, 1\r\n\r\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['a negative Content-Length', 'Content-Length: -1\r\n\r\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['a huge Content-Length', 'Content-Length: 9007199254740992\r\n\r\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['chunked framing', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'ERR_SCGI_RESPONSE_FRAMING'],
    ['nothing at all', '', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['nothing after an interim response', 'Status: 103\r\n\r\n', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['an end inside the head', 'Status: 200 OK\r\nContent-Type: text/pl', 'ERR_SCGI_RESPONSE_HEAD'],
    ['an end before the empty line', 'Status: 200 OK\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['an end inside the empty line', 'Status: 200 OK\r\n\r', 'ERR_SCGI_RESPONSE_HEAD'],
  ])('is refused for %s', (_, bytes, code) => {
    const transcript = response(bytes);
    expect(transcript).toHaveLength(1);
    expect(faultOf(transcript)).toBe(code);
  });

  test('delivers its head and the bytes that came before it is refused as truncated', () => {
    const transcript = response('Content-Length: 5\r\n\r\nabc');
    expect(transcript.slice(1)).toEqual([
      { body: 'abc' },
      { fault: 'ERR_SCGI_RESPONSE_TRUNCATED', details: { bytesMissing: 2 }, statusHint: 502 },
    ]);
  });

  test('stays refused', () => {
    const decoder = new ResponseDecoder();
    decoder.receiveData(wire('nonsense\n\n'));
    expect(() => decoder.nextEvent()).toThrow('malformed');
    decoder.receiveData(wire('Status: 200 OK\n\n'));
    expect(() => decoder.nextEvent()).toThrow('malformed');
    expect(decoder.state).toBe(ResponseState.Failed);
  });
});

describe('the limits of a response head', () => {
  const limits = { maxHeadBytes: 30, maxLineBytes: 12 };

  test.each([
    ['a line of just maxLineBytes', 'A: 34567890\r\n\r\n'],
    ['a head of just maxHeadBytes', 'A: 345678\r\nB: 345678\r\nC: 4\r\n\r\n'],
  ])('admit %s', (_, bytes) => {
    expect(faultOf(response(bytes, limits))).toBeUndefined();
  });

  test.each([
    ['a longer line', 'A: 345678901\r\n\r\n', { maxLineBytes: 12 }],
    ['a longer line that never ends', 'x'.repeat(13), { maxLineBytes: 12 }],
    ['a larger head', 'A: 345678\r\nB: 345678\r\nC: 45\r\n\r\n', { maxHeadBytes: 30 }],
    [
      'a line that crosses both limits in its last bytes',
      'A: 345678\r\nB: 345678\r\nC: 45678901234',
      { maxHeadBytes: 30 },
    ],
    ['many interim heads', 'Status: 103\r\n\r\n'.repeat(3), { maxHeadBytes: 30 }],
  ])('stop %s', (_, bytes, details) => {
    expect(response(bytes, limits)).toEqual([{ fault: 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', details, statusHint: 502 }]);
  });

  test('are 64 KiB for a head and 8 KiB for a line by default', () => {
    const line = `A: ${'x'.repeat(8187)}\r\n`;
    const fitting = new ResponseDecoder();
    fitting.receiveData(wire(`${line.repeat(7)}\r\n`));
    expect(fitting.nextEvent()).toMatchObject({ type: 'head' });
    for (const bytes of [`A: ${'x'.repeat(8189)}\r\n\r\n`, `${line.repeat(8)}\r\n`]) {
      const decoder = new ResponseDecoder();
      decoder.receiveData(wire(bytes));
      expect(() => decoder.nextEvent()).toThrow(expect.objectContaining({ code: 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE' }));
    }
  });

  test.each([{ maxHeadBytes: -1 }, { maxLineBytes: NaN }])('must be possible: %o', (options) => {
    expect(() => new ResponseDecoder(options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
  });
});

describe('the response body', () => {
  test('goes up to the end of input without a Content-Length', () => {
    expect(response('\r\nany\r\n\r\nbytes').slice(1)).toEqual([{ body: 'any\r\n\r\nbytes' }, { end: true }]);
  });

  test('ends at its Content-Length, before the backend closes; what exceeds it is ignored', () => {
    const decoder = new ResponseDecoder();
    const transcript = decode(decoder, [wire('Content-Length: 3\r\n\r\nabcdef'), wire('ghi')]);
    expect(transcript.slice(1)).toEqual([{ body: 'abc' }, { end: true }]);
    decoder.receiveEof();
    expect(decoder.nextEvent()).toBeNull();
    expect(response('Content-Length: 3\r\n\r\nabcdef').slice(1)).toEqual([{ body: 'abc' }, { end: true }]);
  });

  test('is empty with Content-Length: 0', () => {
    expect(response('Content-Length: 0\r\n\r\n').slice(1)).toEqual([{ end: true }]);
  });

  test.each([
    ['204', {}],
    ['304', {}],
    ['200', { requestMethod: 'HEAD' }],
  ])('does not exist for status %s and %o, whatever the backend sends', (status, options) => {
    const transcript = response(`Status: ${status}\r\nContent-Length: 5\r\n\r\nabc`, options);
    expect(transcript.slice(1)).toEqual([{ end: true }]);
    expect(transcript[0]).toMatchObject({ head: { contentLength: 5 } });
  });

  test('exists for other methods', () => {
    expect(response('\r\nabc', { requestMethod: 'GET' }).slice(1)).toEqual([{ body: 'abc' }, { end: true }]);
  });

  test('comes after skipped interim responses', () => {
    const bytes = 'Status: 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\nLink: </a>\n\nStatus: 200 OK\r\n\r\nabc';
    const transcript = response(bytes);
    expect(transcript[0]).toMatchObject({ head: { status: 200, fields: [] } });
    expect(transcript.slice(1)).toEqual([{ body: 'abc' }, { end: true }]);
  });

  test('is everything up to the end of input after a 101', () => {
    const bytes = 'Status: 101 Switching Protocols\r\nContent-Length: 2\r\nUpgrade: echo\r\n\r\nframes';
    expect(response(bytes).slice(1)).toEqual([{ body: 'frames' }, { end: true }]);
  });

  test('consists of views of the received chunks', () => {
    const decoder = new ResponseDecoder();
    const first = wire('Status: 200 OK\r\n\r\nab');
    const second = wire('cd');
    decoder.receiveData(first);
    decoder.nextEvent();
    const one = decoder.nextEvent();
    decoder.receiveData(second);
    const two = decoder.nextEvent();
    expect(one?.type === 'body' && one.data.buffer).toBe(first.buffer);
    expect(one?.type === 'body' && text(one.data)).toBe('ab');
    expect(two?.type === 'body' && two.data).toBe(second);
  });

  test('is a view even where the chunk also ends a head that was split', () => {
    const decoder = new ResponseDecoder();
    const second = wire('\nbody');
    decode(decoder, [wire('Status: 200 OK\r\n\r')]);
    decoder.receiveData(second);
    decoder.nextEvent();
    const body = decoder.nextEvent();
    expect(body?.type === 'body' && body.data.buffer).toBe(second.buffer);
    expect(body?.type === 'body' && text(body.data)).toBe('body');
  });
});

describe('ResponseDecoder', () => {
  test('forbids data after the end of input', () => {
    const decoder = new ResponseDecoder();
    decoder.receiveEof();
    expect(() => decoder.receiveData(wire('S'))).toThrow(expect.objectContaining({ code: 'ERR_SCGI_STATE' }));
  });

  test('copies each byte of a head in one-byte chunks a bounded number of times', () => {
    const bytes = wire(`${'A: 1\r\n'.repeat(10_000)}\r\n`);
    const copies = vi.spyOn(Uint8Array.prototype, 'set');
    try {
      decode(new ResponseDecoder(), byteByByte(bytes));
      const copied = copies.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
      expect(copied).toBeGreaterThanOrEqual(bytes.length);
      expect(copied).toBeLessThan(3 * bytes.length);
    } finally {
      copies.mockRestore();
    }
  });
});
