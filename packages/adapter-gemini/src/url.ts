// The URL of a request: absolute, checked to the letter, taken apart once. Not `new URL`, which mends what should be
// refused and knows nothing of the hosts of a scheme that it does not know.

import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { decodePercent } from './percent.js';

export const defaultPort = 1965;
/** Specification, "Requests": without the CRLF. */
export const maxUrlBytes = 1024;

/** A checked request URL. */
export interface GeminiUrl {
  /** All of it, in ASCII: what an IRI has beyond is escaped, a host in Unicode is in Punycode. */
  readonly text: string;
  /** In lower case and ASCII; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The decoded segments of the path: of `/` one that is empty. */
  readonly segments: readonly string[];
  /** As it was sent, without the question mark; undefined without one. */
  readonly query: string | undefined;
}

/** A URL that is not served: 59 for one that is none, 53 for one that is somebody else's. */
export interface UrlRefusal {
  readonly status: 53 | 59;
  readonly fault: string;
}

const generic = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is;
const invisible = /[\p{Cc} ]/u;
/** Not allowed by RFC 3986 in a path or a query, but no danger once escaped: what IRIs and careless clients have there. */
const needsEscape = /[^\x21-\x7e]|["<>[\\\]^`{|}]/gu;
/** ASCII that no host name has. */
const forbiddenInHost = /[\0-\x2c/:-@[-^`{-\x7f]/;
const emptyLabel = /^\.|\.\.|\.$/;
const controls = /\p{Cc}/u;

/** Reads the URL of a request line. */
export function parseGeminiUrl(text: string): GeminiUrl | UrlRefusal {
  if (invisible.test(text)) return refuse('a blank or a control character');
  const match = generic.exec(text);
  if (match === null) return refuse('not an absolute URL');
  const [, scheme = '', authority = '', rawPath = '', rawQuery, fragment] = match;
  if (scheme.toLowerCase() !== 'gemini') return { status: 53, fault: `the scheme ${scheme.slice(0, 20)}` };
  if (fragment !== undefined) return refuse('a fragment');
  if (authority.includes('@')) return refuse('userinfo');
  const place = readAuthority(authority);
  if (place === undefined) return refuse('no valid host and port');
  const segments = readPath(rawPath);
  if (typeof segments === 'string') return refuse(segments);
  if (rawQuery !== undefined && decodePercent(rawQuery) === undefined) return refuse('an escape in the query');
  const query = rawQuery?.replace(needsEscape, escapeCharacter);
  const path = rawPath === '' ? '/' : rawPath.replace(needsEscape, escapeCharacter);
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const port = place.port === defaultPort ? '' : `:${place.port}`;
  return { text: `gemini://${host}${port}${path}${query === undefined ? '' : `?${query}`}`, ...place, segments, query };
}

function refuse(fault: string): UrlRefusal {
  return { status: 59, fault };
}

function escapeCharacter(character: string): string {
  return encodeURIComponent(character);
}

function readAuthority(authority: string): { host: string; port: number } | undefined {
  const [, name = '', digits = ''] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/.exec(authority) ?? [];
  const port = digits === '' ? defaultPort : Number(digits);
  if (digits.length > 5 || port === 0 || port > 65_535) return undefined;
  const host = readHost(name);
  return host === undefined ? undefined : { host, port };
}

/** The host as it is compared: in ASCII and lower case. Undefined for what is none. */
export function readHost(name: string): string | undefined {
  if (name.startsWith('[')) {
    const address = name.slice(1, -1);
    return isIPv6(address) ? address.toLowerCase() : undefined;
  }
  // RFC 3986 §3.2.2: a registered name may be escaped UTF-8.
  const decoded = decodePercent(name);
  if (decoded === undefined || forbiddenInHost.test(decoded)) return undefined;
  // An absolute domain name ends with a dot. Looked at here again: Unicode has other characters that become dots and the like.
  const ascii = domainToASCII(decoded).replace(/\.$/, '');
  return ascii === '' || emptyLabel.test(ascii) || forbiddenInHost.test(ascii) ? undefined : ascii;
}

/** The decoded segments, or what is wrong. */
function readPath(path: string): string[] | string {
  const segments: string[] = [];
  for (const raw of path === '' ? [''] : path.slice(1).split('/')) {
    const segment = decodePercent(raw);
    if (segment === undefined) return 'an escape in the path';
    if (controls.test(segment)) return 'a control character in the path';
    // PATH_INFO is decoded: there, an escaped slash makes segments like any other.
    if (segment.split('/').some((part) => part === '.' || part === '..')) return 'a dot segment';
    segments.push(segment);
  }
  return segments;
}
