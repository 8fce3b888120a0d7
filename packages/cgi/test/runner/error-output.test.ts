// Standard error on its way to the log: what arrives there, and what cannot.

import { describe, expect, test } from 'vitest';
import { ErrorOutput, escapeControls } from '../../src/runner/error-output.js';

/** The lines that pieces make. */
function linesOf(pieces: readonly (string | Uint8Array)[], maxBytes = 65_536): string[] {
  const lines: string[] = [];
  const output = new ErrorOutput(maxBytes, (line) => lines.push(line));
  for (const piece of pieces) output.receive(typeof piece === 'string' ? Buffer.from(piece) : piece);
  output.end();
  return lines;
}

describe('lines', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['\n', []],
    ['\r\n', []],
    ['\n\n\n', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\r\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\n\nb\n', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['tab\there\n', ['tab\there']],
    ['Zoë ☃ 💥\n', ['Zoë ☃ 💥']],
  ])('%j makes %j, wherever it is cut', (text, lines) => {
    const bytes = Buffer.from(text);
    expect(linesOf([bytes])).toEqual(lines);
    expect(linesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(lines);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(linesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(lines);
    }
  });

  test('come when they are whole, the last one at the end', () => {
    const lines: string[] = [];
    const output = new ErrorOutput(100, (line) => lines.push(line));
    output.receive(Buffer.from('one\ntw'));
    expect(lines).toEqual(['one']);
    output.receive(Buffer.from('o\nthree'));
    expect(lines).toEqual(['one', 'two']);
    output.end();
    output.end();
    expect(lines).toEqual(['one', 'two', 'three']);
  });
});

describe('what could pass for something else is escaped', () => {
  test.each([
    ['a carriage return, which would write over the line', 'a\rb', 'a\\u000db'],
    ['several of them', '\r\r\nb', '\\u000d\nb'],
    ['a terminal sequence', '\x1b[2J\x1b]0;x\x07', '\\u001b[2J\\u001b]0;x\\u0007'],
    ['one of a single character', 'a\u009b2Jb', 'a\\u009b2Jb'],
    ['a backspace and its kin', '\b\v\f\x7f\0', '\\u0008\\u000b\\u000c\\u007f\\u0000'],
    ['other ends of lines', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\u0085d'],
    [
      'turns of direction',
      '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
      '\\u202a\\u202b\\u202c\\u202d\\u202e\\u2066\\u2067\\u2068\\u2069',
    ],
    ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ])('%s', (_, text, expected) => {
    expect(linesOf([text])).toEqual(expected.split('\n'));
    expect(escapeControls(text.replace(/\r\n/g, '\n')).includes('\x1b')).toBe(false);
  });

  test.each([
    ['a lone continuation byte', [0x61, 0x80, 0x62], 'a\ufffdb'],
    ['a control that hides in overlong UTF-8', [0xc0, 0x8d, 0x62], '\ufffd\ufffdb'],
    ['the first half of a character', [0x61, 0xe2, 0x98], 'a\ufffd'],
    ['Latin-1', [0x5a, 0x6f, 0xeb], 'Zo\ufffd'],
  ])('invalid UTF-8 is replaced: %s', (_, bytes, expected) => {
    expect(linesOf([Buffer.from(bytes)])).toEqual([expected]);
  });
});

describe('bounds', () => {
  test('a line of 2,048 bytes is whole, a longer one is cut and says so', () => {
    expect(linesOf([`${'x'.repeat(2048)}\ny\n`])).toEqual(['x'.repeat(2048), 'y']);
    expect(linesOf([`${'x'.repeat(2049)}\ny\n`])).toEqual([`${'x'.repeat(2048)} … 1 more bytes`, 'y']);
    expect(linesOf(['x'.repeat(1000), 'x'.repeat(1000), 'x'.repeat(1000), '\n', 'y'])).toEqual([
      `${'x'.repeat(2048)} … 952 more bytes`,
      'y',
    ]);
  });

  test.each([1, 7, 2048, 4096])('maxErrorBytes is kept when pieces of %d bytes come', (size) => {
    const pieces = Array.from({ length: Math.ceil(20_000 / size) }, () => 'x'.repeat(size));
    const lines = linesOf(pieces, 5000);
    expect(lines).toEqual([
      `${'x'.repeat(2048)} … 2952 more bytes`,
      `… ${pieces.length * size - 5000} more bytes (maxErrorBytes)`,
    ]);
  });

  test('what comes behind maxErrorBytes is counted, whole lines too', () => {
    expect(linesOf(['a\nb\nc\nd\n'], 4)).toEqual(['a', 'b', '… 4 more bytes (maxErrorBytes)']);
    expect(linesOf(['a\nb\nc\nd\n'], 3)).toEqual(['a', 'b', '… 5 more bytes (maxErrorBytes)']);
    expect(linesOf(['a\n'], 0)).toEqual(['… 2 more bytes (maxErrorBytes)']);
  });

  test('a limit of Infinity is none', () => {
    const lines = linesOf(
      Array.from({ length: 100 }, () => `${'x'.repeat(1000)}\n`),
      Infinity,
    );
    expect(lines).toEqual(Array.from({ length: 100 }, () => 'x'.repeat(1000)));
  });

  test('a flood of empty lines logs nothing', () => {
    expect(linesOf(['\n'.repeat(60_000)])).toEqual([]);
  });

  test('a chunk is not kept: whoever gave it may write into it', () => {
    const lines: string[] = [];
    const output = new ErrorOutput(100, (line) => lines.push(line));
    const chunk = Buffer.from('abc');
    output.receive(chunk);
    chunk.fill('x');
    output.end();
    expect(lines).toEqual(['abc']);
  });
});
