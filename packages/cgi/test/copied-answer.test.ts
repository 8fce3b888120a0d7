// The decoder of cgi2scgi: what goes out does not depend on how the bytes were cut.

import { ScgiError } from '@scgi/core/protocol';
import { describe, expect, test } from 'vitest';
import { CopiedAnswer } from '../src/cgi2scgi/copied-answer.js';

/** What goes out for these pieces and their end, and what is wrong with them. */
function copy(
  pieces: readonly Uint8Array[],
  method = 'GET',
): { output: string; whole: boolean; fault: string | undefined } {
  const answer = new CopiedAnswer(method);
  const output: Uint8Array[] = [];
  let whole = false;
  const drain = (): void => {
    for (let event = answer.nextEvent(); event !== null; event = answer.nextEvent()) {
      if (event.type === 'head') output.push(event.head);
      else if (event.type === 'body') output.push(event.data);
      else whole = true;
    }
  };
  let fault: string | undefined;
  try {
    for (const piece of pieces) {
      answer.receiveData(piece);
      drain();
    }
    answer.receiveEof();
    drain();
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    fault = error.code;
  }
  return { output: Buffer.concat(output).toString('latin1'), whole, fault };
}

describe.each([
  'Status: 200 OK\r\nContent-Length: 4\r\n\r\nbody',
  'Status: 200 OK\r\nContent-Length: 4\r\n\r\nbody and more',
  'Status: 200 OK\r\nContent-Length: 9\r\n\r\nbody',
  'Content-Type: text/plain\n\nbody\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nX: 1\r\n\r\nbody',
  'Status: 103\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\n\nStatus: 200\r\n\r\nbody',
  'Status: 204\r\n\r\nbody',
  'Status: 101\r\n\r\nbody',
  'Status: 200\r\nno field\r\n\r\n',
  'Status: 200\r\nX: 1\r\n',
  '\n',
  '',
])('%o', (text) => {
  const bytes = Buffer.from(text, 'latin1');
  const atOnce = copy([bytes]);

  test('comes out the same for two pieces, cut anywhere', () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      expect({ at, ...copy([bytes.subarray(0, at), bytes.subarray(at)]) }).toEqual({ at, ...atOnce });
    }
  });

  test('comes out the same byte by byte', () => {
    expect(copy(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(atOnce);
  });
});

test('an answer is whole with the last byte of its Content-Length, before the connection ends', () => {
  const answer = new CopiedAnswer('GET');
  answer.receiveData(Buffer.from('Content-Length: 2\r\n\r\nok'));
  expect([answer.nextEvent(), answer.nextEvent(), answer.nextEvent()]).toMatchObject([
    { type: 'head' },
    { type: 'body' },
    { type: 'end' },
  ]);
});

test('how much of a body is missing is known only where a length was given', () => {
  const counted = new CopiedAnswer('GET');
  expect(counted.bodyBytesLeft).toBeUndefined();
  counted.receiveData(Buffer.from('Content-Length: 3\r\n\r\no'));
  counted.nextEvent();
  counted.nextEvent();
  expect(counted.bodyBytesLeft).toBe(2);
  const open = new CopiedAnswer('GET');
  open.receiveData(Buffer.from('\n'));
  open.nextEvent();
  expect(open.bodyBytesLeft).toBeUndefined();
});
