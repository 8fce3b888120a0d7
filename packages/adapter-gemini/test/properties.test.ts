// What holds for every URL, every answer and every cut.

import { ScgiError } from '@scgi/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GeminiResponseDecoder, parseGeminiUrl } from '../src/index.js';
import { RequestLine } from '../src/front/request-line.js';

const urlPart = fc.oneof(
  fc.constantFrom(
    'gemini://',
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2F',
    '%00',
    '%C3%BC',
    '%',
    '?',
    '#',
    '@',
    ':',
    '[::1]',
    'ü',
    '\0',
  ),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const urls = fc.tuple(
  fc.constantFrom('gemini://h', 'gemini://h/', 'gemini://', ''),
  fc.array(urlPart, { maxLength: 8 }),
);

test('a URL that is accepted is ASCII, and accepted again as it is', () => {
  fc.assert(
    fc.property(urls, ([start, parts]) => {
      const url = parseGeminiUrl(start + parts.join(''));
      if ('fault' in url) return;
      expect(url.text).toMatch(/^gemini:\/\/[\x21-\x7e]+$/);
      expect(parseGeminiUrl(url.text)).toEqual(url);
    }),
    { numRuns: 2000 },
  );
});

test('no segment of a URL that is accepted leads upwards or ends a line', () => {
  fc.assert(
    fc.property(urls, ([start, parts]) => {
      const url = parseGeminiUrl(start + parts.join(''));
      if ('fault' in url) return;
      const path = url.segments.join('/');
      expect(path.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false);
      expect(path).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 2000 },
  );
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(`20 ${text}\r\n${text}`)),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(`5${text}\n${text}`)),
  fc.nat(1100).map((length) => Buffer.from(`20 ${'m'.repeat(length)}\r\nx`)),
);

/** The pieces of `whole` between these places. */
function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (whole.length + 1)).toSorted((a, b) => a - b);
  return [...sorted, whole.length].map((end, index) => whole.subarray(index === 0 ? 0 : sorted[index - 1], end));
}

function decode(pieces: readonly Uint8Array[]): unknown[] {
  const decoder = new GeminiResponseDecoder();
  const seen: unknown[] = [];
  const body: Uint8Array[] = [];
  try {
    for (const piece of [...pieces, null]) {
      if (piece === null) decoder.receiveEof();
      else decoder.receiveData(piece);
      for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
        if (event.type === 'body') body.push(event.data);
        else seen.push(event.type === 'head' ? event.head : event.type);
      }
    }
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    seen.push(error.message);
  }
  return [...seen, Buffer.concat(body).toString('hex')];
}

test('an answer is the same at every cut, or fails the same way', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(2000), { maxLength: 6 }), (whole, places) => {
      expect(decode(cut(whole, places))).toEqual(decode([whole]));
    }),
    { numRuns: 2000 },
  );
});

test('a request line is the same at every cut, or fails the same way', () => {
  const read = (pieces: readonly Uint8Array[]): string | null => {
    const line = new RequestLine();
    try {
      for (const piece of pieces) {
        const text = line.take(piece);
        if (text !== null) return text;
      }
      return null;
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      return error.message;
    }
  };
  const lines = fc.oneof(
    bytes,
    fc.nat(1100).map((length) => Buffer.from(`${'u'.repeat(length)}\r\nx`)),
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(2000), { maxLength: 6 }), (whole, places) => {
      expect(read(cut(whole, places))).toEqual(read([whole]));
    }),
    { numRuns: 2000 },
  );
});
