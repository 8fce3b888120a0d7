// A backend's answer, however its bytes are cut.

import { describe, expect, test } from 'vitest';
import { GeminiResponseDecoder } from '../src/index.js';
import { ScgiError } from '@scgi/core';

/** What an answer comes to: its header, its body, and the end or the error. */
function decode(pieces: readonly Uint8Array[], ends = true): string[] {
  const decoder = new GeminiResponseDecoder();
  const seen: string[] = [];
  let body = '';
  const drain = (): void => {
    for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
      if (event.type === 'head') seen.push(`${event.head.status}|${event.head.meta}`);
      else if (event.type === 'body') body += Buffer.from(event.data).toString('latin1');
      else seen.push(`body:${body}`, 'end');
    }
  };
  try {
    for (const piece of pieces) {
      decoder.receiveData(piece);
      drain();
    }
    if (ends) {
      decoder.receiveEof();
      drain();
    }
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    seen.push(`${error.code} ${String(error.details['fault'] ?? '')}`.trim());
  }
  return seen;
}

/** At every cut into two, byte by byte and whole, the same. */
function decodeAtEveryCut(bytes: Uint8Array): string[] {
  const whole = decode([bytes]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
  }
  expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  return whole;
}

describe('an answer', () => {
  test.each([
    ['20 text/gemini\r\n# Hello World', ['20|text/gemini', 'body:# Hello World', 'end']],
    ['20 text/gemini\r\n', ['20|text/gemini', 'body:', 'end']],
    ['20 text/gemini\nprinted', ['20|text/gemini', 'body:printed', 'end']],
    ['20 text/plain; charset=utf-8\r\n\r\n\r\n', ['20|text/plain; charset=utf-8', 'body:\r\n\r\n', 'end']],
    ['29 text/gemini\r\nx', ['29|text/gemini', 'body:x', 'end']],
    ['10 Enter your name:\r\n', ['10|Enter your name:', 'body:', 'end']],
    ['30 gemini://example.com/new-location\r\n', ['30|gemini://example.com/new-location', 'body:', 'end']],
    ['51 Not found\r\n', ['51|Not found', 'body:', 'end']],
    ['51\r\n', ['51|', 'body:', 'end']],
    ['51 \r\n', ['51|', 'body:', 'end']],
    ['69 \u00fcber\r\n', ['69|\u00fcber', 'body:', 'end']],
  ])('%j', (text, events) => expect(decodeAtEveryCut(Buffer.from(text))).toEqual(events));

  test('without a body has none, whatever follows', () => {
    expect(decodeAtEveryCut(Buffer.from('51 Not found\r\n<html>'))).toEqual(['51|Not found', 'body:', 'end']);
  });

  test('without a body is over with its header', () => {
    expect(decode([Buffer.from('51 Not found\r\n')], false)).toEqual(['51|Not found', 'body:', 'end']);
  });

  test('with a body is over with the connection', () => {
    expect(decode([Buffer.from('20 text/gemini\r\nmore')], false)).toEqual(['20|text/gemini']);
  });

  test.each([
    ['with CRLF', '\r\n'],
    ['with LF', '\n'],
  ])('may have a meta of 1024 bytes, %s', (_, end) => {
    const meta = 'm'.repeat(1024);
    expect(decodeAtEveryCut(Buffer.from(`20 ${meta}${end}body`))).toEqual([`20|${meta}`, 'body:body', 'end']);
  });
});

describe('an answer is refused', () => {
  test.each([
    ['Status: 200 OK\r\nContent-Type: text/html\r\n\r\n', 'no status from 10 to 69'],
    ['HTTP/1.1 200 OK\r\n', 'no status from 10 to 69'],
    ['text/gemini\r\n', 'no status from 10 to 69'],
    ['2 text/gemini\r\n', 'no status from 10 to 69'],
    ['200 text/gemini\r\n', 'no status from 10 to 69'],
    ['20text/gemini\r\n', 'no status from 10 to 69'],
    ['20\ttext/gemini\r\n', 'no status from 10 to 69'],
    [' 20 text/gemini\r\n', 'no status from 10 to 69'],
    ['+2 text/gemini\r\n', 'no status from 10 to 69'],
    ['09 x\r\n', 'no status from 10 to 69'],
    ['70 x\r\n', 'no status from 10 to 69'],
    ['\r\n', 'no status from 10 to 69'],
    ['\n20 text/gemini\r\n', 'no status from 10 to 69'],
    ['20 a\rb\r\n', 'no status from 10 to 69'],
    ['20\r\nbody', 'no meta'],
    ['20 \r\nbody', 'no meta'],
    ['10\r\n', 'no meta'],
    ['31 \r\n', 'no meta'],
    ['51 a\0b\r\n', 'a control character in the meta'],
    ['51 a\x1b[2Jb\r\n', 'a control character in the meta'],
    ['51 \ufeffx\r\n', 'a byte order mark in the meta'],
    ['20 text/gemini', 'it ends inside the header'],
    ['2', 'it ends inside the header'],
  ])('%j', (text, fault) => {
    expect(decodeAtEveryCut(Buffer.from(text))).toEqual([`ERR_SCGI_GEMINI_RESPONSE ${fault}`]);
  });

  test('with a header that is no UTF-8', () => {
    expect(decodeAtEveryCut(Buffer.from('51 \xff\r\n', 'latin1'))).toEqual(['ERR_SCGI_GEMINI_RESPONSE no UTF-8']);
  });

  test('with a meta of 1025 bytes', () => {
    const fault = ['ERR_SCGI_GEMINI_RESPONSE no end within 1029 bytes'];
    expect(decodeAtEveryCut(Buffer.from(`20 ${'m'.repeat(1025)}\r\nbody`))).toEqual(fault);
    const short = ['ERR_SCGI_GEMINI_RESPONSE a meta of more than 1024 bytes'];
    expect(decodeAtEveryCut(Buffer.from(`20 ${'m'.repeat(1025)}\nbody`))).toEqual(short);
  });

  test('with a header that never ends, as soon as it is too long', () => {
    expect(decode([Buffer.alloc(1029, 'x')], false)).toEqual(['ERR_SCGI_GEMINI_RESPONSE no end within 1029 bytes']);
  });

  test('that is empty', () => expect(decode([])).toEqual(['ERR_SCGI_RESPONSE_EMPTY']));
});

test('what is left of a body is known only where there is none', () => {
  const decoder = new GeminiResponseDecoder();
  expect(decoder.bodyBytesLeft).toBeUndefined();
  decoder.receiveData(Buffer.from('51 Not found\r\n'));
  decoder.nextEvent();
  expect(decoder.bodyBytesLeft).toBe(0);
});
