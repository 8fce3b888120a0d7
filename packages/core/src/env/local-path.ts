// The path of a local redirect, as it may stand in a response field. Strings only.

import { LocalProtocolError } from '../protocol/errors.js';

/** In a path, decoded, these end a string or a line of whoever decodes it. */
const unspeakable = /%(?:00|0a|0d)/i;
const controlCharacter = /[^\x20-\x7e\x80-\u{10ffff}]/u;
const brokenEscape = /%(?![0-9A-Fa-f]{2})/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Path and query as RFC 3875 §6.2.2 has them: absolute, on this server, without a fragment, percent-encoded. Characters
 * that no URI has are encoded as UTF-8, dot segments are resolved, as a browser would, so that all front ends see one path.
 * @throws {LocalProtocolError} ERR_SCGI_REDIRECT_PATH
 */
export function checkLocalPath(path: string): string {
  const fault = faultOf(path);
  if (fault !== undefined) throw refuse(path, fault);
  const { pathname, search } = new URL(path, 'http://localhost');
  // `/.//host` is such a path, too.
  if (pathname.startsWith('//')) throw refuse(path, 'it begins with two slashes, which would name a host');
  return pathname + search;
}

function faultOf(path: unknown): string | undefined {
  if (typeof path !== 'string') return 'it is no string';
  if (!path.startsWith('/')) return 'it does not begin with a slash';
  if (path.startsWith('//')) return 'it begins with two slashes, which would name a host';
  // Browsers take it for a slash.
  if (path.includes('\\')) return 'it has a backslash';
  if (controlCharacter.test(path)) return 'it has a control character';
  if (loneSurrogate.test(path)) return 'it has half a character';
  if (path.includes('#')) return 'it has a fragment, which is for clients only: encode the # of a name as %23';
  if (brokenEscape.test(path)) return 'it has a % that begins no escape: encode that of a name as %25';
  if (unspeakable.test(path.replace(/\?[^]*$/, ''))) return 'it has an encoded control character';
  return undefined;
}

function refuse(path: unknown, fault: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_REDIRECT_PATH', { path: String(path).slice(0, 80), fault });
}
