// How many octets of body follow the head. CONTENT_LENGTH says so, except where nginx is known to be mistaken.
// Plugs into the request decoder, so it looks at the variables before anything else does.

import { parseContentLength } from '../protocol/content-length.js';
import { RemoteProtocolError } from '../protocol/errors.js';

/** What the variables say about the length of the body. */
interface LengthFacts {
  /** The first CONTENT_LENGTH, which is the front end's own; undefined if there is none. */
  declared: number | undefined;
  /** Another CONTENT_LENGTH that differs from it. */
  other: number | undefined;
  /** HTTP_CONTENT_LENGTH, if it is a number. */
  client: number | undefined;
  clientCount: number;
  chunked: boolean;
  software: string | undefined;
}

/**
 * The length of the request body in octets, by CONTENT_LENGTH. If it comes several times, all must agree, unless
 * HTTP_CONTENT_LENGTH explains the difference, see `announcedByClient`. An empty one counts as 0 or as what the others say:
 * whether to take it at all is the decoder's decision (`lax`).
 *
 * @param variables names and values in turn
 * @throws RemoteProtocolError ERR_SCGI_CONTENT_LENGTH if it is missing, malformed or contradictory
 */
export function resolveBodyLength(variables: readonly string[]): number {
  const facts = collectLengths(variables);
  if (facts.declared === undefined) throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'missing' });
  const announced = announcedByClient(facts, facts.declared);
  if (announced !== undefined) return announced;
  if (facts.other !== undefined) throw contradiction(facts.declared, facts.other);
  return facts.declared;
}

/**
 * The length that the client announced, where it counts more than the front end's; otherwise undefined.
 *
 * nginx 1.7.11 to 1.29.5 with `scgi_request_buffering off` sends as CONTENT_LENGTH what it has read of the body so far,
 * often 0, and then the whole body. Its users mend that with `scgi_param CONTENT_LENGTH $content_length if_not_empty;`,
 * which adds a second CONTENT_LENGTH. Both ways the truth is in HTTP_CONTENT_LENGTH, and it is never less. To be believed it must
 * - come once: nginx with `underscores_in_headers on` and lighttpd 1.4.69 add the client's `Content_Length: 9999`;
 * - come without Transfer-Encoding, beside which it means nothing (RFC 9112 §6.3) and nginx has counted the chunks;
 * - come from nginx, which does not name itself unless configured to; lighttpd and Apache do, and count correctly.
 */
function announcedByClient(facts: LengthFacts, declared: number): number | undefined {
  const { client, other, software } = facts;
  if (client === undefined || facts.clientCount !== 1 || client <= declared || facts.chunked) return undefined;
  if (software !== undefined && !software.startsWith('nginx')) return undefined;
  return other === undefined || other === client ? client : undefined;
}

function collectLengths(variables: readonly string[]): LengthFacts {
  const facts: LengthFacts = {
    declared: undefined,
    other: undefined,
    client: undefined,
    clientCount: 0,
    chunked: false,
    software: undefined,
  };
  let empty = false;
  for (let index = 0; index < variables.length; index += 2) {
    const name = variables[index] ?? '';
    const value = variables[index + 1] ?? '';
    // Length first: the other names cost no string comparison.
    switch (name.length) {
      case 14:
        if (!isNamed(name, 'CONTENT_LENGTH')) break;
        if (value === '') empty = true;
        else addLength(facts, value);
        break;
      case 15:
        if (isNamed(name, 'SERVER_SOFTWARE')) facts.software = value;
        break;
      case 19:
        if (!isNamed(name, 'HTTP_CONTENT_LENGTH')) break;
        facts.client = parseContentLength(value);
        facts.clientCount++;
        break;
      case 22:
        if (isNamed(name, 'HTTP_TRANSFER_ENCODING')) facts.chunked = true;
        break;
    }
  }
  if (empty && facts.declared === undefined) facts.declared = 0;
  return facts;
}

function addLength(facts: LengthFacts, value: string): void {
  const length = parseContentLength(value);
  if (length === undefined) {
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { value: value.slice(0, 40) });
  }
  if (facts.declared === undefined) facts.declared = length;
  else if (facts.other === undefined && length !== facts.declared) facts.other = length;
  else if (length !== facts.declared && length !== facts.other) throw contradiction(facts.declared, length);
}

// RFC 3875 §4.1: names are case-insensitive. No other character of latin1 has an upper case within these names.
function isNamed(name: string, expected: string): boolean {
  return name === expected || name.toUpperCase() === expected;
}

function contradiction(declared: number, other: number): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'contradictory', declared, other });
}
