// What programs print that speak HTTP themselves: read at every cut, at the pace of the sink.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResponseHead } from '@scgi/core/protocol';
import { describe, expect, test } from 'vitest';
import { NphOutput } from '../../src/runner/nph-output.js';
import { RecordingSink } from '../support/recording-sink.js';

const limits = { maxHeadBytes: 1000, maxLineBytes: 200 };

function* cuts(bytes: Buffer): Generator<readonly Buffer[]> {
  for (let cut = 0; cut <= bytes.length; cut += 1) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  yield Array.from(bytes, (byte) => Buffer.from([byte]));
}

async function read(pieces: readonly Buffer[], method = 'GET'): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const output = new NphOutput(limits, method, sink, () => {});
  for (const piece of pieces) output.receive(piece);
  output.end();
  await sink.end();
  // Nothing may follow.
  await nextTurn();
  return sink;
}

describe('an answer is the same however it is cut', () => {
  test.each<[string, Partial<ResponseHead>, string]>([
    [
      'HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody',
      { status: 200, reason: 'OK', fields: ['A', 'b'], kind: 'document' },
      'body',
    ],
    ['HTTP/1.0 200 OK\nA: b\n\nbody', { status: 200, fields: ['A', 'b'] }, 'body'],
    ['HTTP/1.1 404\r\n\r\n', { status: 404, reason: 'Not Found' }, ''],
    ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more', { status: 200, contentLength: 4 }, 'body'],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n',
      { status: 200, fields: [] },
      'body',
    ],
    ['HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n', { status: 302, kind: 'document' }, ''],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody', { status: 200 }, 'body'],
    ['HTTP/1.1 204 No Content\r\n\r\n', { status: 204 }, ''],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', { status: 304 }, ''],
  ])('%j', async (text, head, body) => {
    for (const pieces of cuts(Buffer.from(text, 'latin1'))) {
      const sink = await read(pieces);
      expect(sink.ended).toEqual(['whole']);
      expect(sink.heads).toEqual([expect.objectContaining(head)]);
      expect(sink.body).toBe(body);
    }
  });

  test('the answer to HEAD has no body', async () => {
    for (const pieces of cuts(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'))) {
      const sink = await read(pieces, 'HEAD');
      expect([sink.heads.length, sink.body, sink.ended]).toEqual([1, '', ['whole']]);
    }
  });
});

describe('a fault is the same however it is cut', () => {
  test.each([
    ['', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['Content-Type: text/plain\r\n\r\nbody', 'ERR_SCGI_RESPONSE_HEAD'],
    ['HTTP/1.1 200 OK\r\nA: b', 'ERR_SCGI_RESPONSE_HEAD'],
    ['HTTP/1.1 abc\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['HTTP/1.1 000 Nothing\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['HTTP/1.1 099 Less\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['HTTP/1.1 200 O\x01K\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'ERR_SCGI_RESPONSE_HEAD'],
  ])('%j', async (text, code) => {
    for (const pieces of cuts(Buffer.from(text, 'latin1'))) {
      const sink = await read(pieces);
      expect(sink.ended).toEqual([code]);
      expect(sink.heads).toEqual([]);
    }
  });

  test('a head that is too large', async () => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${'A: 12345\r\n'.repeat(200)}\r\n`);
    for (const cut of [1, 500, 999, 1000, 1001, 1500]) {
      const sink = await read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(sink.ended).toEqual(['ERR_SCGI_RESPONSE_HEAD_TOO_LARGE']);
    }
  });

  test.each([
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nzz\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbody',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n',
  ])('%j is not whole', async (text) => {
    for (const pieces of cuts(Buffer.from(text, 'latin1'))) {
      const sink = await read(pieces);
      expect(sink.ended).toEqual(['ERR_SCGI_RESPONSE_TRUNCATED']);
      expect(sink.heads).toHaveLength(1);
    }
  });
});

test('how the program frames its body goes no further', async () => {
  const text =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 77\r\nA: b\r\n\r\n4\r\nbody\r\n0\r\nTrailer-Field: x\r\n\r\n';
  const sink = await read([Buffer.from(text)]);
  // RFC 9112 §6.3: the chunks count.
  expect(sink.heads).toEqual([expect.objectContaining({ fields: ['A', 'b'], contentLength: undefined })]);
  expect([sink.body, sink.ended]).toEqual(['body', ['whole']]);
});

describe('the pace of the sink', () => {
  const chunk = Buffer.alloc(65_536, 'x');

  /** Gives as much as is taken, and says how much that was. */
  async function fill(output: NphOutput): Promise<number> {
    for (let given = 0; given < 1000; given += 1) {
      if (!output.receive(chunk)) return given + 1;
      await nextTurn();
    }
    return 1000;
  }

  test.each([
    ['until its end', ''],
    ['with a length', `Content-Length: ${65_536 * 1000}\r\n`],
  ])('holds a program back that prints a body %s', async (_, fields) => {
    const sink = new RecordingSink();
    sink.takesMore = false;
    let wanted = 0;
    const output = new NphOutput(limits, 'GET', sink, () => (wanted += 1));
    output.receive(Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n`));
    await nextTurn();
    expect(await fill(output)).toBeLessThan(10);
    const asked = wanted;
    await nextTurn();
    expect(wanted).toBe(asked);
    sink.takesMore = true;
    output.resume();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(wanted).toBeGreaterThan(asked);
    expect(sink.bodyBytes % chunk.length).toBe(0);
    expect(sink.bodyBytes).toBeGreaterThan(0);
  });

  test('holds back what comes in chunks of HTTP, too', async () => {
    const sink = new RecordingSink();
    sink.takesMore = false;
    const output = new NphOutput(limits, 'GET', sink, () => {});
    output.receive(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
    const piece = Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]);
    let given = 0;
    while (given < 1000 && output.receive(piece)) {
      given += 1;
      await nextTurn();
    }
    expect(given).toBeLessThan(10);
  });

  test('does not matter behind the end', async () => {
    const sink = new RecordingSink();
    const output = new NphOutput(limits, 'GET', sink, () => {});
    output.receive(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na'));
    await sink.end();
    for (let given = 0; given < 100; given += 1) expect(output.receive(chunk)).toBe(true);
    output.end();
    await nextTurn();
    expect([sink.body, sink.ended]).toEqual(['a', ['whole']]);
  });

  test('a body that waits for it comes to its end when it goes on', async () => {
    const sink = new RecordingSink();
    sink.takesMore = false;
    const output = new NphOutput(limits, 'GET', sink, () => {});
    output.receive(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    for (let given = 0; given < 3; given += 1) output.receive(chunk);
    output.end();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(sink.ended).toEqual([]);
    sink.takesMore = true;
    output.resume();
    await sink.end();
    expect([sink.bodyBytes, sink.ended]).toEqual([3 * chunk.length, ['whole']]);
  });
});
