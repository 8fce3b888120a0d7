// What one front end does differently from the others, one rule each, named with its witness.
// A rule looks at facts only the front end can set, never at HTTP_* variables alone: those belong to the client.

import { type RequestFacts, Slot } from './request-facts.js';
import { matchPath } from './base-path.js';

/**
 * Whether Apache's mod_proxy sent the request. SERVER_SOFTWARE can be changed by ServerTokens or a security module;
 * the `proxy:` that mod_proxy puts before SCRIPT_FILENAME cannot.
 */
export function isApacheProxy(facts: RequestFacts): boolean {
  return facts[Slot.scriptFilename]?.startsWith('proxy:') === true;
}

/** Whether Apache sent the request, by mod_proxy or, as mod_cgid and mod_cgi do, in the environment of a program. */
function isApache(facts: RequestFacts): boolean {
  return isApacheProxy(facts) || facts[Slot.serverSoftware]?.startsWith('Apache') === true;
}

/**
 * Whether this is the second request that Apache makes after the first one's response held a local `Location`
 * (RFC 3875 §6.2.2), or for an ErrorDocument. REQUEST_URI is then still the first one's: whoever believes it redirects for ever.
 *
 * Apache renames the environment of the first request to REDIRECT_*. Only a request that had reached the gateway or
 * failed has a REQUEST_METHOD there, so REDIRECT_REQUEST_METHOD tells this case from a rewrite in a directory context, where
 * REDIRECT_URL and REDIRECT_STATUS are set too and the original REQUEST_URI is what applications expect.
 * lighttpd, which sends REDIRECT_STATUS=200 with every request, has neither.
 */
export function isApacheLocalRedirect(facts: RequestFacts): boolean {
  return facts[Slot.redirectMethod] !== undefined && facts[Slot.redirectUrl] !== undefined && isApache(facts);
}

/**
 * Whether the front end can carry a 101 response. Behind the others the client would hang:
 * Apache sends the 101 chunked and never forwards what the client says then; lighttpd before 1.4.74 never lets it out.
 * nginx tunnels without configuration and names itself in no variable. A lighttpd whose tag hides its version
 * is taken for a new one: since 1.4.74 it removes HTTP_UPGRADE unless told to forward it.
 */
export function canTunnel(facts: RequestFacts): boolean {
  if (isApache(facts)) return false;
  const software = facts[Slot.serverSoftware];
  if (software === undefined) return true;
  if (!software.startsWith('lighttpd/1.4.')) return true;
  return Number.parseInt(software.slice('lighttpd/1.4.'.length), 10) >= 74;
}

/**
 * The part of the target that is the mount point, as the target spells it; empty when the front end gives none.
 * - nginx has no SCRIPT_NAME unless configured, and `location /app` then matches /appzzz too: a segment must end there.
 * - lighttpd merges slashes and dots before it cuts SCRIPT_NAME, so the two may not fit together: then there is none.
 * - mod_proxy's SCRIPT_NAME is the whole path, decoded.
 */
export function mountPoint(facts: RequestFacts, target: string): string {
  const scriptName = facts[Slot.scriptName];
  if (scriptName === undefined || scriptName.length < 2 || isApacheProxy(facts)) return '';
  const name = scriptName.endsWith('/') ? scriptName.slice(0, -1) : scriptName;
  const end = matchPath(target, name);
  return end === -1 ? '' : target.slice(0, end);
}
