// The authority of the absolute URL that the Fetch API wants: only what the URL parser takes for a host and a port.
// `new URL(target, base)` must never be fed with an unchecked Host: it decides where the path begins.

import { type ScgiRequest } from './request.js';

/** `http` or `https`: how the client spoke to the front end. */
export function readScheme(request: ScgiRequest): 'http' | 'https' {
  return request.encrypted ? 'https' : 'http';
}

/** Host and port that the request is for: its Host field if that is a valid one, else SERVER_NAME and SERVER_PORT. */
export function readAuthority(request: ScgiRequest): string {
  const host = findField(request.fields, 'host');
  if (host !== undefined && isAuthority(host)) return host;
  const name = request.serverName ?? '';
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  const port = request.localPort;
  const isDefault = port === undefined || port === (request.encrypted ? 443 : 80);
  const authority = isDefault ? bracketed : `${bracketed}:${port}`;
  return isAuthority(authority) ? authority : 'localhost';
}

// Narrower than RFC 3986 §3.2.2: letters, digits, dots, hyphens and underscores, or an IPv6 address in brackets.
// Then the URL parser decides, which also knows that `1.2.3.400` is no host.
function isAuthority(text: string): boolean {
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(text) && URL.canParse(`http://${text}/`);
}

function findField(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === name) return fields[index + 1];
  }
  return undefined;
}
