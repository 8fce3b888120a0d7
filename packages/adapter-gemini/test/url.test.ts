// What is a request URL, and what of it handlers and backends see.

import { describe, expect, test } from 'vitest';
import { parseGeminiUrl } from '../src/index.js';

function accepted(text: string): Record<string, unknown> {
  const url = parseGeminiUrl(text);
  if ('fault' in url) throw new Error(`${text} was refused: ${url.fault}`);
  return { ...url };
}

describe('a URL is taken apart', () => {
  test.each([
    ['gemini://example.com/', { host: 'example.com', port: 1965, segments: [''], query: undefined }],
    ['gemini://example.com', { text: 'gemini://example.com/', segments: [''] }],
    ['gemini://example.com?q', { text: 'gemini://example.com/?q', segments: [''], query: 'q' }],
    ['GEMINI://EXAMPLE.com:1965/A', { text: 'gemini://example.com/A', host: 'example.com', segments: ['A'] }],
    ['gemini://example.com:70/a/b/', { text: 'gemini://example.com:70/a/b/', port: 70, segments: ['a', 'b', ''] }],
    ['gemini://example.com:/', { port: 1965 }],
    ['gemini://[::1]:7/x', { text: 'gemini://[::1]:7/x', host: '::1', port: 7 }],
    ['gemini://example.com./', { text: 'gemini://example.com/', host: 'example.com' }],
    ['gemini://h/a%20b?c%20d', { text: 'gemini://h/a%20b?c%20d', segments: ['a b'], query: 'c%20d' }],
    ['gemini://h/a%2Fb', { segments: ['a/b'] }],
    ['gemini://h//a', { segments: ['', 'a'] }],
    ['gemini://h/?', { text: 'gemini://h/?', query: '' }],
    ['gemini://h/?a?b/../c', { query: 'a?b/../c' }],
    ['gemini://h/...', { segments: ['...'] }],
  ])('%s', (text, parts) => expect(accepted(text)).toMatchObject(parts));

  test.each([
    ['a host in Unicode', 'gemini://bücher.test/', 'gemini://xn--bcher-kva.test/'],
    ['a host in Punycode', 'gemini://XN--BCHER-KVA.test/', 'gemini://xn--bcher-kva.test/'],
    ['an escaped host', 'gemini://b%C3%BCcher.test/', 'gemini://xn--bcher-kva.test/'],
    ['a path in Unicode', 'gemini://h/übung', 'gemini://h/%C3%BCbung'],
    ['a query in Unicode', 'gemini://h/?ü', 'gemini://h/?%C3%BC'],
    ['a path with brackets', 'gemini://h/{a|b}', 'gemini://h/%7Ba%7Cb%7D'],
  ])('%s becomes ASCII', (_, text, ascii) => expect(accepted(text)['text']).toBe(ascii));
});

describe('a URL is refused as bad, 59', () => {
  test.each([
    ['without a scheme', '//example.com/'],
    ['that is relative', '/index.gmi'],
    ['without an authority', 'gemini:index.gmi'],
    ['without a host', 'gemini:///index.gmi'],
    ['that is empty', ''],
    ['with a fragment', 'gemini://h/#top'],
    ['with an empty fragment', 'gemini://h/#'],
    ['with userinfo', 'gemini://ada@h/'],
    ['with empty userinfo', 'gemini://@h/'],
    ['with a blank', 'gemini://h/a b'],
    ['with a tab', 'gemini://h/a\tb'],
    ['with a NUL', 'gemini://h/a\0b'],
    ['with a carriage return', 'gemini://h/a\rb'],
    ['behind a byte order mark', '\ufeffgemini://h/'],
    ['with an incomplete escape in the path', 'gemini://h/%4'],
    ['with a bad escape in the query', 'gemini://h/?%zz'],
    ['with octets that are no UTF-8', 'gemini://h/%ff'],
    ['with an escaped NUL in the path', 'gemini://h/%00'],
    ['with an escaped line feed in the path', 'gemini://h/%0A'],
    ['with a dot segment', 'gemini://h/./a'],
    ['with two dots', 'gemini://h/a/../b'],
    ['with two dots at the end', 'gemini://h/a/..'],
    ['with escaped dots', 'gemini://h/a/%2e%2E/b'],
    ['with dots between escaped slashes', 'gemini://h/a%2F..%2Fb'],
    ['with a port that is no number', 'gemini://h:port/'],
    ['with the port 0', 'gemini://h:0/'],
    ['with a port beyond 65535', 'gemini://h:65536/'],
    ['with two ports', 'gemini://h:1:2/'],
    ['with half an address', 'gemini://[::1/'],
    ['with a bad address', 'gemini://[::z]/'],
    ['with a slash in the escaped host', 'gemini://a%2Fb/'],
    ['with an empty label in the host', 'gemini://h../'],
    ['with a dot before the host', 'gemini://.h/'],
    ['with a host of other dots', 'gemini://h\u3002\u3002/'],
    ['with a host of wide marks', 'gemini://h\ufe57/'],
    ['with a backslash in the host', 'gemini://a\\b/'],
  ])('%s', (_, text) => expect(parseGeminiUrl(text)).toMatchObject({ status: 59 }));
});

test.each(['https://example.com/', 'titan://example.com/', 'gopher://example.com/1'])(
  'the URL of another scheme is a proxy request, 53: %s',
  (text) => expect(parseGeminiUrl(text)).toMatchObject({ status: 53 }),
);
