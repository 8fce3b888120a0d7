// Header fields as a caller writes them, made flat; and the two of them that belong to the body.

import { LocalProtocolError, parseContentLength } from '@scgi/core/protocol';
import type { ScgiHeaders } from './options.js';

/** The fields of a request. */
export interface RequestFields {
  /** Flat: name, value, name, value … without Content-Length. */
  readonly flat: string[];
  /** What Content-Length said. */
  readonly contentLength: number | undefined;
  readonly hasContentType: boolean;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for a Content-Length that is no number */
export function readFields(headers: ScgiHeaders | undefined): RequestFields {
  const flat: string[] = [];
  let contentLength: number | undefined;
  let hasContentType = false;
  const take = (name: string, value: string): void => {
    switch (name.toLowerCase()) {
      case 'content-length':
        // SCGI has its own place for it.
        contentLength = readLength(value);
        return;
      case 'content-type':
        hasContentType = true;
    }
    flat.push(name, value);
  };
  if (headers !== undefined) eachField(headers, take);
  return { flat, contentLength, hasContentType };
}

function eachField(headers: ScgiHeaders, take: (name: string, value: string) => void): void {
  if (isIterable(headers)) {
    for (const [name, value] of headers) take(name, String(value));
    return;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const single of value) take(name, String(single));
    else take(name, String(value));
  }
}

function isIterable(headers: ScgiHeaders): headers is Headers | Iterable<readonly [string, string]> {
  return Symbol.iterator in headers;
}

function readLength(value: string): number {
  const length = parseContentLength(value);
  if (length !== undefined) return length;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'headers', problem: 'Content-Length is no number', value });
}
