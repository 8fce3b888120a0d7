// What of a file a request asks for: preconditions and one byte range (RFC 9110 §13 and §14). Pure; knows no files.

/** A request, as far as it matters here. */
export interface ConditionalRequest {
  readonly method: string;
  /** A field by its lower-case name. */
  requestField(name: string): string | undefined;
}

/** What tells one state of the file from another. */
export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  /** An HTTP date. */
  readonly lastModified: string;
}

/** The status of the answer; its bytes are those from `start` up to `end`, without the latter. */
export interface FilePart {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly start: number;
  readonly end: number;
}

/**
 * Preconditions and ranges are for GET and, but for the range, HEAD: an answer to any other method is about what it did.
 * Several ranges, other units than bytes and those of an empty file get the whole file, a malformed byte range gets 416:
 * as with nginx, but for several, which it sends.
 */
export function choosePart(request: ConditionalRequest, validators: Validators, size: number): FilePart {
  const whole: FilePart = { status: 200, start: 0, end: size };
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') return whole;
  const failed = failedCondition(request, validators);
  if (failed !== undefined) return { status: failed, start: 0, end: 0 };
  const range = method === 'GET' ? request.requestField('range') : undefined;
  if (range === undefined || !/^bytes=/i.test(range) || range.includes(',') || size === 0) return whole;
  return isStillTheSame(request.requestField('if-range'), validators) ? byteRange(range, size) : whole;
}

/** RFC 9110 §13.2.2: the order of the four. */
function failedCondition(request: ConditionalRequest, { etag, lastModified }: Validators): 304 | 412 | undefined {
  const modified = Date.parse(lastModified);
  const match = request.requestField('if-match');
  if (match !== undefined) {
    if (!lists(match, etag, true)) return 412;
  } else if (modified > dateOf(request.requestField('if-unmodified-since'), Infinity)) {
    return 412;
  }
  const noneMatch = request.requestField('if-none-match');
  if (noneMatch !== undefined) return lists(noneMatch, etag, false) ? 304 : undefined;
  return modified <= dateOf(request.requestField('if-modified-since'), -Infinity) ? 304 : undefined;
}

/** RFC 9110 §8.8.3.2: a weak tag is like another one only in the weak comparison. */
function lists(value: string, etag: string, strongly: boolean): boolean {
  if (value.trim() === '*') return true;
  const tags: readonly string[] = value.match(/(?:W\/)?"[^"]*"/g) ?? [];
  if (strongly) return !etag.startsWith('W/') && tags.includes(etag);
  return tags.some((tag) => opaque(tag) === opaque(etag));
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}

/** RFC 9110 §13.1.3: a date that is none is as if it were not there. */
function dateOf(value: string | undefined, otherwise: number): number {
  const time = value === undefined ? Number.NaN : Date.parse(value);
  return Number.isNaN(time) ? otherwise : time;
}

/** RFC 9110 §13.1.5: the very tag, strongly compared, or the very date. */
function isStillTheSame(condition: string | undefined, { etag, lastModified }: Validators): boolean {
  if (condition === undefined) return true;
  const value = condition.trim();
  if (value.startsWith('"') || value.startsWith('W/')) return value === etag && !etag.startsWith('W/');
  return Date.parse(value) === Date.parse(lastModified);
}

function byteRange(range: string, size: number): FilePart {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)[ \t]*-[ \t]*(\d*)[ \t]*$/i.exec(range) ?? [];
  // Without a first position the last one counts from the end.
  const start = first === '' ? size - Math.min(Number(last), size) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if ((first === '' && last === '') || start >= end) return { status: 416, start: 0, end: 0 };
  return { status: 206, start, end };
}
