// The request target (RFC 9112 §3.2) as `req.url` shows it: what the client sent, not what the front end made of it.
// SCRIPT_NAME, PATH_INFO and DOCUMENT_URI are decoded and cleaned up, so they are only a substitute.

import { RemoteProtocolError } from '../protocol/errors.js';
import { isApacheLocalRedirect } from './front-end.js';
import { type RequestFacts, Slot } from './request-facts.js';

const SLASH = 0x2f;

/**
 * Finds what no target may hold: blanks and control characters, with which the request line would not have been one.
 * Octets from 0x80 may stand as they are, which is what Node's own parser does; a number sign too.
 */
export const invisible: RegExp = /[^\x21-\x7e\x80-\xff]/;

/** The target as the application sees it. @throws RemoteProtocolError ERR_SCGI_REQUEST_TARGET */
export function resolveTarget(facts: RequestFacts, method: string): string {
  const uri = facts[Slot.requestUri];
  const target = isApacheLocalRedirect(facts)
    ? keepEncodedSlashes(rebuildTarget(facts))
    : uri === undefined || uri === ''
      ? rebuildTarget(facts)
      : reduceTarget(uri, method);
  if (target === undefined || invisible.test(target)) throw targetError(uri);
  return target;
}

/** Path and query of a target in absolute form, with the authority; undefined if it is in another form. */
export function splitAbsoluteForm(target: string): { authority: string; target: string } | undefined {
  const colon = target.indexOf('://');
  if (colon < 1 || !isScheme(target.slice(0, colon))) return undefined;
  const start = colon + 3;
  let end = start;
  while (end < target.length && !'/?#'.includes(target.charAt(end))) end++;
  const authority = target.slice(start, end);
  if (authority === '') return undefined;
  const rest = target.slice(end);
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** The decoded path, percent-encoded again: every octet that RFC 3986 §3.3 does not allow in a path. */
export function encodePath(path: string): string {
  let encoded = '';
  let from = 0;
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (pathCodes[code] === 1 || code > 0xff) continue;
    encoded += `${path.slice(from, index)}%${code < 0x10 ? '0' : ''}${code.toString(16).toUpperCase()}`;
    from = index + 1;
  }
  return from === 0 ? path : encoded + path.slice(from);
}

function reduceTarget(uri: string, method: string): string | undefined {
  if (uri.charCodeAt(0) === SLASH || uri === '*') return uri;
  // Apache forwards CONNECT, with the authority form; the other front ends refuse it.
  if (method === 'CONNECT') return isAuthorityForm(uri) ? uri : undefined;
  // Apache keeps the absolute form, and its HTTP_HOST is already the host named there (RFC 9112 §3.2.2).
  return splitAbsoluteForm(uri)?.target;
}

// For clients that speak plain CGI and have no REQUEST_URI, and for Apache's local redirects.
function rebuildTarget(facts: RequestFacts): string | undefined {
  const scriptName = facts[Slot.scriptName];
  const pathInfo = facts[Slot.pathInfo];
  let path = `${scriptName ?? ''}${pathInfo ?? ''}`;
  if (path === '') path = facts[Slot.documentUri] ?? '';
  if (path === '' && (scriptName !== undefined || pathInfo !== undefined)) path = '/';
  if (path.charCodeAt(0) !== SLASH) return undefined;
  const query = facts[Slot.queryString];
  return query === undefined || query === '' ? encodePath(path) : `${encodePath(path)}?${query}`;
}

// With `AllowEncodedSlashes NoDecode` Apache decodes every escape of a path but that of the slash, and so does its own
// way back in SCRIPT_FILENAME: what reads %2F there was an encoded slash, not a percent sign before "2F".
function keepEncodedSlashes(target: string | undefined): string | undefined {
  if (target === undefined || !target.includes('%252')) return target;
  const query = target.indexOf('?');
  const end = query === -1 ? target.length : query;
  return target.slice(0, end).replace(/%252(f)/gi, '%2$1') + target.slice(end);
}

// RFC 9112 §3.2.3: host and port, both. Loose about the host: an application that serves CONNECT decides what it means.
function isAuthorityForm(uri: string): boolean {
  const colon = uri.lastIndexOf(':');
  if (colon < 1 || colon === uri.length - 1) return false;
  for (let index = colon + 1; index < uri.length; index++) {
    const code = uri.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return !uri.includes('/') && !uri.includes('?') && !uri.includes('#') && !uri.includes('@');
}

function isScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*$/i.test(text);
}

function targetError(uri: string | undefined): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_REQUEST_TARGET', { value: uri?.slice(0, 80) });
}

const pathCodes = createPathCodes();

function createPathCodes(): Uint8Array {
  const codes = new Uint8Array(0x80);
  for (const character of "-._~!$&'()*+,;=:@/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
    codes[character.charCodeAt(0)] = 1;
  }
  return codes;
}
