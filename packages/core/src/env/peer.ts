// The facts about both ends of the client's connection, as the front end reports them: addresses, ports, TLS.
// What does not look like one is no fact; these variables never make a request fail.

/**
 * An IP address as Node spells it, or undefined. lighttpd and Apache put an IPv6 SERVER_ADDR into brackets;
 * nginx has `unix:` for a client that came over a Unix socket, where Node has no address.
 */
export function readAddress(value: string | undefined): string | undefined {
  if (value === undefined || value.length < 2) return undefined;
  const address = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
  let separators = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code === 0x2e || code === 0x3a) separators++;
    else if (code === 0x25 && separators > 0) break; // a zone follows: fe80::1%eth0
    else if (!isHexDigit(code)) return undefined;
  }
  return separators >= 2 ? address : undefined;
}

/** An address of a socket as a front end reports it: a dual-stack listener writes IPv4 peers as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** A port number, or undefined. nginx has an empty REMOTE_PORT for a client on a Unix socket. */
export function readPort(value: string | undefined): number | undefined {
  if (value === undefined || value.length === 0 || value.length > 5) return undefined;
  let port = 0;
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port <= 0xffff ? port : undefined;
}

/** Whether HTTPS or REQUEST_SCHEME says that the client spoke TLS. */
export function isEncrypted(https: string | undefined, scheme: string | undefined): boolean {
  if (scheme === 'http' && https === undefined) return false;
  if (scheme?.toLowerCase() === 'https') return true;
  if (https === undefined) return false;
  const flag = https.toLowerCase();
  return flag === 'on' || flag === '1' || flag === 'yes';
}

function isHexDigit(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66;
}
