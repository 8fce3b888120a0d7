// Mount point, path and query as a caller writes them, made a request target.

import { isToken, LocalProtocolError } from '@scgi/core/protocol';
import type { ScgiQuery } from './options.js';

/** A checked target. */
export interface RequestTarget {
  /** REQUEST_URI. */
  readonly target: string;
  /** How much of it is the mount point. */
  readonly scriptNameLength: number;
}

/** What no URL holds as it is. Encoded it may mean something; a line break or a NUL never does. */
const unspeakable = /\p{Cc}/u;

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function makeTarget(scriptName: string, path: string, query: ScgiQuery | undefined): RequestTarget {
  const mount = encodePath('scriptName', scriptName);
  if (mount !== '' && (!mount.startsWith('/') || mount.endsWith('/') || mount.includes('?'))) {
    throw refuse('scriptName', scriptName, 'a mount point begins with a slash, ends without one and has no query');
  }
  const below = encodePath('path', path);
  if (!below.startsWith('/')) throw refuse('path', path, 'a path begins with a slash');
  const search = query === undefined ? '' : encodeQuery(query);
  if (search !== '' && below.includes('?'))
    throw refuse('path', path, 'it has a query already: leave out the other one');
  return { target: mount + below + (search === '' ? '' : `?${search}`), scriptNameLength: mount.length };
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function checkMethod(method: string): string {
  if (!isToken(method)) throw refuse('method', method, 'it is not a token');
  return method;
}

function encodeQuery(query: ScgiQuery): string {
  if (typeof query === 'string') return encode('query', query.startsWith('?') ? query.slice(1) : query);
  if (query instanceof URLSearchParams) return query.toString();
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const single of value) parameters.append(name, String(single));
    else parameters.append(name, String(value));
  }
  return parameters.toString();
}

/** RFC 3875 §4.1.5 has it decoded in a variable; core refuses these as well, and blames a remote client for it. */
function encodePath(option: string, text: string): string {
  const path = encode(option, text);
  if (/%(?:00|0a|0d)/i.test(path.split('?', 1)[0] ?? '')) throw refuse(option, text, 'it has a NUL or a line break');
  return path;
}

/** What is encoded stays as it is; blanks and what is not ASCII are encoded as UTF-8, as a browser does. */
function encode(option: string, text: string): string {
  if (typeof text !== 'string') throw refuse(option, String(text), 'it is not a string');
  if (unspeakable.test(text)) throw refuse(option, text, 'it has control characters');
  if (text.includes('#')) throw refuse(option, text, 'nobody sends a fragment: write %23 for a number sign');
  if (/\p{Surrogate}/u.test(text)) throw refuse(option, text, 'it has half a character');
  return text.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

function refuse(option: string, value: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, value: value.slice(0, 80), problem });
}
