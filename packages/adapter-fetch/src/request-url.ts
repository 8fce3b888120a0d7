// The absolute URL that the Fetch API wants: scheme, checked authority and target, put together and in the form that the
// URL parser gives it. Knows no Request.

import type { ScgiRequest } from '@scgi/core/env';
import { readAuthority, readScheme } from '@scgi/core/env';

/** What the URL parser leaves as it is, in a path and in a query. */
const settled = /^[!$%&(-;=?-[\]_a-z~]*$/i;
/** Segments of dots, which the parser resolves, spelt with dots or with their escapes. */
const dots = /\/(?:\.|%2e)/i;
/** What HTTP allows in a target, or tolerates, and the parser would read differently: octets, and no fragment. */
const octets = /[#\x80-\xff]/g;

/** The origin made last, and of what: nearly all requests of a server are for the same. */
let lastScheme = '';
let lastAuthority = '';
let lastOrigin = '';

/**
 * The URL of a request. `target` is what the application sees of the target: below `basePath`, or `*` of `OPTIONS *`,
 * which is no path and shows as `/*`.
 */
export function formatRequestUrl(facts: ScgiRequest, target: string): string {
  const path = target.charCodeAt(0) === 0x2f ? target : `/${target}`;
  const origin = originOf(facts);
  if (settled.test(path) && !dots.test(path)) return origin + path;
  // Never `new URL(target, base)`: there `//evil` is another host. Behind an origin everything is a path.
  return new URL(origin + path.replace(octets, escapeOctet)).href;
}

function originOf(facts: ScgiRequest): string {
  const scheme = readScheme(facts);
  const authority = readAuthority(facts);
  if (scheme !== lastScheme || authority !== lastAuthority) {
    lastOrigin = new URL(`${scheme}://${authority}`).origin;
    lastScheme = scheme;
    lastAuthority = authority;
  }
  return lastOrigin;
}

function escapeOctet(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
