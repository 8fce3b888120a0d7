// The default limits of the codecs and how a caller's own are checked.
// Deadlines are not here: the codecs have no clock.

import { LocalProtocolError } from './errors.js';

/**
 * Largest request head (netstring payload) in bytes.
 * Precedents: nginx sends at most 4 × 8 KiB of fields, Apache up to 100 × 8,190 bytes; sioscgi refuses above 64 KiB.
 */
export const defaultMaxHeadBytes = 131_072;

/** Most variables in a request head. Precedents: uWSGI refuses more than 64, Node's HTTP parser takes 2,000 fields. */
export const defaultMaxVariables = 1000;

/** Largest response head in bytes. Precedent: lighttpd, 64 KiB; nginx takes 4 KiB unless told otherwise. */
export const defaultMaxResponseHeadBytes = 65_536;

/** Longest line of a response head in bytes, without its line end. Precedent: Apache, about 8 KiB. */
export const defaultMaxResponseLineBytes = 8192;

/** How many bytes after a request body are kept for `takeTrailing()`; the rest is counted only. */
export const maxTrailingBytes = 65_536;

/**
 * The caller's limit or its default.
 * @throws LocalProtocolError ERR_SCGI_OPTION unless it is a safe integer from `least` upwards
 */
export function resolveLimit(option: string, value: number | undefined, fallback: number, least: number): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || value < least) throw new LocalProtocolError('ERR_SCGI_OPTION', { option, value });
  return value;
}
