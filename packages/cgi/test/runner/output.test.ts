// What programs print, read at every cut: CGI responses.

import type { ResponseHead, ScgiError } from '@scgi/core/protocol';
import { describe, expect, test } from 'vitest';
import { CgiOutput } from '../../src/runner/output.js';
import { RecordingSink } from '../support/recording-sink.js';

const limits = { maxHeadBytes: 1000, maxLineBytes: 200 };

/** Cuts in two at each place, and into single bytes. */
function* cuts(bytes: Buffer): Generator<readonly Buffer[]> {
  for (let cut = 0; cut <= bytes.length; cut += 1) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  yield Array.from(bytes, (byte) => Buffer.from([byte]));
}

function read(pieces: readonly Buffer[], method = 'GET'): RecordingSink {
  const sink = new RecordingSink();
  const output = new CgiOutput(limits, method, sink);
  for (const piece of pieces) output.receive(piece);
  output.end();
  return sink;
}

describe('an answer is the same however it is cut', () => {
  test.each<[string, Partial<ResponseHead>, string]>([
    ['Content-Type: text/plain\r\n\r\nbody', { status: 200, kind: 'document' }, 'body'],
    ['Content-Type: text/plain\n\nbody', { status: 200, kind: 'document' }, 'body'],
    [
      'Status: 404 Gone fishing\r\nA: 1\r\nA: 2\r\n\r\n',
      { status: 404, reason: 'Gone fishing', fields: ['A', '1', 'A', '2'] },
      '',
    ],
    ['\r\nbody', { status: 200, fields: [] }, 'body'],
    ['Location: /b?c\n\n', { status: 302, kind: 'local-redirect' }, ''],
    ['Location: http://b/c\n\n', { status: 302, kind: 'client-redirect' }, ''],
    ['Location: //b/c\n\n', { status: 302, kind: 'client-redirect' }, ''],
    ['Status: 301\nLocation: /b\n\nmoved', { status: 301, kind: 'client-redirect' }, 'moved'],
    ['Status: 201\nLocation: /b\n\nmade', { status: 201, kind: 'document' }, 'made'],
    ['Content-Length: 4\r\n\r\nbody and more', { status: 200, contentLength: 4 }, 'body'],
    ['Content-Length: 0\r\n\r\n', { status: 200, contentLength: 0 }, ''],
    ['Status: 304\nContent-Length: 9\n\nnothing of this', { status: 304, contentLength: 9 }, ''],
    ['Status: 204\n\nnothing of this', { status: 204 }, ''],
    ['HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody', { status: 200, fields: ['A', 'b'] }, 'body'],
    ['Status: 103\nLink: x\n\nStatus: 200\n\nbody', { status: 200, fields: [] }, 'body'],
  ])('%j', (text, head, body) => {
    for (const pieces of cuts(Buffer.from(text, 'latin1'))) {
      const sink = read(pieces);
      expect(sink.heads).toEqual([expect.objectContaining(head)]);
      expect(sink.body).toBe(body);
      expect(sink.ended).toEqual(['whole']);
    }
  });

  test('the answer to HEAD has no body', () => {
    for (const pieces of cuts(Buffer.from('Content-Length: 4\n\nbody'))) {
      const sink = read(pieces, 'HEAD');
      expect([sink.heads.length, sink.body, sink.ended]).toEqual([1, '', ['whole']]);
    }
  });
});

describe('a fault is the same however it is cut', () => {
  test.each([
    ['', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['Content-Type: text/plain', 'ERR_SCGI_RESPONSE_HEAD'],
    ['Content-Type: text/plain\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['Hello, world!\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['Hello, world!\n\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['<html>\n\n</html>', 'ERR_SCGI_RESPONSE_HEAD'],
    ['A: b\n folded\n\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['A: \x01\n\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['Status: 99\n\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['Status: OK\n\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['Content-Length: -1\n\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['Content-Length: 1\nContent-Length: 2\n\nab', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['Transfer-Encoding: chunked\n\n0\r\n\r\n', 'ERR_SCGI_RESPONSE_FRAMING'],
    [`A: ${'x'.repeat(300)}\n\n`, 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
    ['A: 12345\n'.repeat(200), 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
    ['Content-Length: 9\n\nbody', 'ERR_SCGI_RESPONSE_TRUNCATED'],
    ['\x7fELF\x02\x01\x01\0\0\0', 'ERR_SCGI_RESPONSE_HEAD'],
  ])('%j', (text, code) => {
    for (const pieces of cuts(Buffer.from(text, 'latin1'))) {
      const sink = read(pieces);
      expect(sink.ended).toEqual([code]);
      expect(sink.errors.map((error) => Object(error) as ScgiError).every(({ statusHint }) => statusHint === 502)).toBe(
        true,
      );
    }
  });
});

describe('the pace of the sink', () => {
  test('is passed on, and nothing is held back', () => {
    const sink = new RecordingSink();
    sink.takesMore = false;
    const output = new CgiOutput(limits, 'GET', sink);
    expect(output.receive(Buffer.from('A: b\n\n'))).toBe(true);
    expect(output.receive(Buffer.from('one'))).toBe(false);
    expect(output.receive(Buffer.from('two'))).toBe(false);
    sink.takesMore = true;
    expect(output.receive(Buffer.from('three'))).toBe(true);
    expect(sink.body).toBe('onetwothree');
  });

  test('does not matter behind the end: a program must not block on what nobody reads', () => {
    const sink = new RecordingSink();
    const output = new CgiOutput(limits, 'GET', sink);
    output.receive(Buffer.from('Content-Length: 1\n\na'));
    sink.takesMore = false;
    expect(output.receive(Buffer.alloc(1000))).toBe(true);
    output.end();
    expect([sink.body, sink.ended]).toEqual(['a', ['whole']]);
  });

  test('nothing follows a fault', () => {
    const sink = new RecordingSink();
    const output = new CgiOutput(limits, 'GET', sink);
    output.receive(Buffer.from('garbage\n\n'));
    expect(output.receive(Buffer.from('A: b\n\nbody'))).toBe(true);
    output.end();
    expect([sink.heads, sink.body, sink.ended]).toEqual([[], '', ['ERR_SCGI_RESPONSE_HEAD']]);
  });
});
