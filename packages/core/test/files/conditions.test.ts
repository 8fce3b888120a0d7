// Preconditions and ranges: the table of what a request asks of a file.

import { describe, expect, it } from 'vitest';
import { choosePart } from '../../src/files/conditions.js';

const size = 100;
const date = 'Mon, 01 Jan 2024 00:00:00 GMT';
const earlier = 'Sun, 31 Dec 2023 23:59:59 GMT';
const later = 'Mon, 01 Jan 2024 00:00:01 GMT';

function choose(fields: Readonly<Record<string, string>>, method = 'GET', etag = '"a"', bytes = size): unknown[] {
  const request = { method, requestField: (name: string) => fields[name] };
  const { status, start, end } = choosePart(request, { etag, lastModified: date }, bytes);
  return status === 206 ? [status, start, end] : [status];
}

describe('a byte range', () => {
  it.each<[string, unknown[]]>([
    ['bytes=0-0', [206, 0, 1]],
    ['bytes=0-99', [206, 0, 100]],
    ['bytes=0-', [206, 0, 100]],
    ['bytes=10-19', [206, 10, 20]],
    ['bytes=90-200', [206, 90, 100]],
    ['bytes=99-', [206, 99, 100]],
    ['bytes=-1', [206, 99, 100]],
    ['bytes=-200', [206, 0, 100]],
    ['BYTES=1-2', [206, 1, 3]],
    ['bytes= 1 - 2 ', [206, 1, 3]],
    ['bytes=0-99999999999999999999', [206, 0, 100]],
    ['bytes=100-', [416]],
    ['bytes=99999999999999999999-', [416]],
    ['bytes=5-4', [416]],
    ['bytes=-0', [416]],
    ['bytes=-', [416]],
    ['bytes=', [416]],
    ['bytes=a-b', [416]],
    ['bytes=+1-2', [416]],
    ['bytes=0x1-2', [416]],
    ['bytes=1-2;x', [416]],
    ['bytes=0-1,5-6', [200]],
    ['items=0-1', [200]],
    ['0-1', [200]],
  ])('%j', (range, expected) => {
    expect(choose({ range })).toEqual(expected);
  });

  it('of an empty file is the empty file', () => {
    for (const range of ['bytes=0-', 'bytes=5-9', 'bytes=-1'])
      expect(choose({ range }, 'GET', '"a"', 0)).toEqual([200]);
  });

  it('is for GET alone', () => {
    for (const method of ['HEAD', 'POST']) expect(choose({ range: 'bytes=0-1' }, method)).toEqual([200]);
  });

  it.each<[string, string, number]>([
    ['the tag', '"a"', 206],
    ['another tag', '"b"', 200],
    ['the tag as a weak one', 'W/"a"', 200],
    ['the date', date, 206],
    ['an earlier date', earlier, 200],
    ['a later date', later, 200],
    ['nonsense', 'x', 200],
  ])('is given if If-Range is still true: %s', (_name, condition, status) => {
    expect(choose({ range: 'bytes=0-1', 'if-range': condition })[0]).toBe(status);
  });

  it('is not given to a weak tag', () => {
    expect(choose({ range: 'bytes=0-1', 'if-range': 'W/"a"' }, 'GET', 'W/"a"')).toEqual([200]);
  });
});

describe('the preconditions', () => {
  it.each<[string, Record<string, string>, number]>([
    ['If-None-Match with the tag', { 'if-none-match': '"a"' }, 304],
    ['If-None-Match with the tag as a weak one', { 'if-none-match': 'W/"a"' }, 304],
    ['If-None-Match with the tag among others', { 'if-none-match': '"x", "a" ,"y"' }, 304],
    ['If-None-Match with any', { 'if-none-match': '*' }, 304],
    ['If-None-Match with another tag', { 'if-none-match': '"b"' }, 200],
    ['If-None-Match with the tag inside of another', { 'if-none-match': '"b, a"' }, 200],
    ['If-None-Match with no tag at all', { 'if-none-match': 'a' }, 200],
    ['If-Modified-Since with the date', { 'if-modified-since': date }, 304],
    ['If-Modified-Since with a later date', { 'if-modified-since': later }, 304],
    ['If-Modified-Since with an earlier date', { 'if-modified-since': earlier }, 200],
    ['If-Modified-Since with no date', { 'if-modified-since': 'x' }, 200],
    ['If-None-Match before If-Modified-Since', { 'if-none-match': '"b"', 'if-modified-since': date }, 200],
    ['If-Match with the tag', { 'if-match': '"a"' }, 200],
    ['If-Match with any', { 'if-match': '*' }, 200],
    ['If-Match with the tag as a weak one', { 'if-match': 'W/"a"' }, 412],
    ['If-Match with another tag', { 'if-match': '"b"' }, 412],
    ['If-Unmodified-Since with the date', { 'if-unmodified-since': date }, 200],
    ['If-Unmodified-Since with an earlier date', { 'if-unmodified-since': earlier }, 412],
    ['If-Unmodified-Since with no date', { 'if-unmodified-since': 'x' }, 200],
    ['If-Match before If-Unmodified-Since', { 'if-match': '"a"', 'if-unmodified-since': earlier }, 200],
    ['If-Match before If-None-Match', { 'if-match': '"b"', 'if-none-match': '"a"' }, 412],
    ['a precondition before the range', { 'if-none-match': '"a"', range: 'bytes=0-1' }, 304],
    ['a precondition before a range that is not there', { 'if-match': '"b"', range: 'bytes=200-' }, 412],
  ])('%s', (_name, fields, status) => {
    expect(choose(fields)[0]).toBe(status);
    expect(choose(fields, 'HEAD')[0]).toBe(status);
    expect(choose(fields, 'POST')[0]).toBe(200);
  });
});
