// Status and fields as an SSGI application gives them, checked and put into the form that @scgi/core sends.

import { LocalProtocolError } from '@scgi/core';
import { reasonPhrase } from '@scgi/core/protocol';
import type { SsgiHeaders } from './types.js';

/** A status with the phrase that was given with it. */
export interface StatusLine {
  readonly status: number;
  readonly reason: string | undefined;
}

/** A response of ours: a phrase, nothing of the request. */
export interface PlainAnswer {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Reads 404 and '404 Not Found'. @throws {LocalProtocolError} ERR_SCGI_STATUS_CODE unless it is 200 to 999 */
export function parseStatus(given: number | string): StatusLine {
  const text = String(given);
  const status = Number(text.slice(0, 3));
  // An interim response would be taken for the final one: only lighttpd knows better.
  if (!/^[2-9][0-9]{2}(?: |$)/.test(text)) throw new LocalProtocolError('ERR_SCGI_STATUS_CODE', { status: text });
  return { status, reason: text.length > 4 ? text.slice(4) : undefined };
}

/** Appends to `fields`: name, value, name, value … */
export function addFields(fields: string[], headers: SsgiHeaders): void {
  for (const pair of headers) fields.push(String(pair[0]), String(pair[1]));
}

/** What a Content-Length among `fields` says; undefined if there is none, NaN if it is no number. */
export function contentLengthOf(fields: readonly string[]): number | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(fields[index + 1]);
  }
  return undefined;
}

/** An answer that says its status and nothing else. */
export function plainAnswer(status: number): PlainAnswer {
  const body = `${reasonPhrase(status)}\n`;
  return { status, fields: ['Content-Type', 'text/plain'], body };
}
