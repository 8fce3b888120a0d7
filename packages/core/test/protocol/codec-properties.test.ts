// What holds for all inputs, tried on random ones.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeRequest,
  encodeResponseHead,
  RequestDecoder,
  ResponseDecoder,
  ScgiError,
} from '../../src/protocol/index.js';
import { decode, eof, text, wire } from './drive.js';

const octet = (least: number, most = 0xff): fc.Arbitrary<string> =>
  fc.integer({ min: least, max: most }).map((code) => String.fromCharCode(code));

const variables = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(fc.string({ unit: octet(1), minLength: 1 }), fc.constantFrom('HTTP_HOST', 'http_x', 'REQUEST_URI')),
      fc.string({ unit: octet(1) }),
    ),
    { selector: ([name]) => name.toUpperCase() },
  )
  .map((pairs) => pairs.flat());

const body = fc.uint8Array({ maxLength: 300 });

const tokenCharacter = fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ");
const fieldCharacter = fc.oneof(octet(0x21, 0x7e), octet(0x80), fc.constantFrom(' ', '\t'));
const kept = (name: string): boolean =>
  !/^(te|status|trailer|upgrade|connection|keep-alive|content-length|proxy-connection|transfer-encoding)$/i.test(name);
const fields = fc
  .array(
    fc.tuple(
      fc.oneof(fc.string({ unit: tokenCharacter, minLength: 1 }).filter(kept), fc.constantFrom('Set-Cookie', 'ETag')),
      fc.string({ unit: fieldCharacter }).map((value) => value.replace(/^[ \t]+|[ \t]+$/g, '')),
    ),
  )
  .map((pairs) => pairs.flat());

/** A way to cut bytes into chunks. */
const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 12 });

function chunked(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const edges = [0, ...places.filter((place) => place < bytes.length).toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test('a request that was encoded decodes to itself, however it is cut', () => {
  fc.assert(
    fc.property(variables, body, cuts, fc.boolean(), (sent, content, places, strict) => {
      const bytes = joined(encodeRequest(sent, content.length), content);
      const transcript = decode(new RequestDecoder({ strict }), chunked(bytes, places));
      const received = ['CONTENT_LENGTH', String(content.length), 'SCGI', '1', ...sent];
      const size = received.reduce((sum, string) => sum + string.length + 1, 0);
      expect(transcript).toEqual([
        { head: { variables: received, bodyLength: content.length, bytes: size } },
        ...(content.length > 0 ? [{ body: text(content) }] : []),
        { end: true },
      ]);
    }),
  );
});

test('a response that was encoded decodes to itself, however it is cut', () => {
  const status = fc.integer({ min: 200, max: 999 }).filter((code) => code !== 204 && code !== 304);
  const reason = fc.string({ unit: fieldCharacter }).map((phrase) => phrase.trim() || 'Fine');
  fc.assert(
    fc.property(status, reason, fields, body, cuts, fc.boolean(), (code, phrase, sent, content, places, counted) => {
      const length = counted ? ['Content-Length', String(content.length)] : [];
      const bytes = joined(encodeResponseHead(code, phrase, [...length, ...sent]), content);
      const [first, ...rest] = decode(new ResponseDecoder(), [...chunked(bytes, places), eof]);
      expect(first).toMatchObject({ head: { status: code, reason: phrase, fields: [...length, ...sent] } });
      expect(rest).toEqual([...(content.length > 0 ? [{ body: text(content) }] : []), { end: true }]);
    }),
  );
});

/** Mostly nonsense, but of the kind that gets past the first checks. */
const requestLike = fc
  .array(
    fc.oneof(
      fc.constantFrom('24:', '0', ':', ',', '␀', 'CONTENT_LENGTH␀', 'SCGI␀1␀', '3␀', 'abc', 'GET / HTTP/1.1\r\n'),
      fc.constantFrom('24:CONTENT_LENGTH␀0␀SCGI␀1␀,', '24:CONTENT_LENGTH␀3␀SCGI␀1␀,'),
      fc.string({ unit: octet(0), maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => wire(parts.join('')));

const responseLike = fc
  .array(
    fc.oneof(
      fc.constantFrom('Status: ', 'HTTP/1.1 ', '200', ' OK', '\r\n', '\n', '\r', 'Content-Length: ', '3', ' ', ':'),
      fc.constantFrom('Location: /x\r\n', 'Status: 101\r\n\r\n', 'Status: 103\n\n', 'Transfer-Encoding: chunked\r\n'),
      fc.string({ unit: octet(0), maxLength: 5 }),
    ),
    { maxLength: 10 },
  )
  .map((parts) => wire(parts.join('')));

test.each([
  ['RequestDecoder', () => new RequestDecoder({ maxHeadBytes: 200 }), requestLike],
  ['lax RequestDecoder', () => new RequestDecoder({ lax: true }), requestLike],
  ['ResponseDecoder', () => new ResponseDecoder({ maxHeadBytes: 60, maxLineBytes: 20 }), responseLike],
] as const)('a %s says the same however any bytes are cut', (_, create, bytesLike) => {
  fc.assert(
    fc.property(fc.oneof(bytesLike, fc.uint8Array({ maxLength: 80 })), cuts, fc.boolean(), (bytes, places, ends) => {
      const ending = ends ? ([eof] as const) : [];
      // decode() lets anything but a ScgiError through, which fails this test.
      const whole = decode(create(), [bytes, ...ending]);
      expect(decode(create(), [...chunked(bytes, places), ...ending])).toEqual(whole);
    }),
    { numRuns: 1000 },
  );
});

test('nothing but a ScgiError is thrown for anything that is to be encoded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' })),
      fc.double(),
      fc.string({ unit: 'binary' }),
      (list, number, reason) => {
        for (const encode of [() => encodeRequest(list, number), () => encodeResponseHead(number, reason, list)]) {
          try {
            encode();
          } catch (error) {
            expect(error).toBeInstanceOf(ScgiError);
          }
        }
      },
    ),
  );
});
