// The environment of a CGI program as the head of an SCGI request, which says the same in the same words, so that from
// here on nobody needs to know the difference.

import type { ProcessVariables } from '../env/index.js';
import { parseContentLength } from '../protocol/content-length.js';
import { latin1 } from '../protocol/latin1.js';

export interface CgiRequest {
  /** The netstring. */
  readonly head: Uint8Array;
  /** Octets of the body on the standard input; Infinity where nobody has said it: the request will be refused. */
  readonly bodyLength: number;
}

/** @param environment names and values in turn, in latin1; a name comes once */
export function toCgiRequest(environment: readonly string[], known: ProcessVariables): CgiRequest {
  const variables = new Map<string, string>();
  for (let index = 0; index < environment.length; index += 2) {
    const name = environment[index] ?? '';
    if (name === 'CONTENT_LENGTH' || known.includes(name)) variables.set(name, environment[index + 1] ?? '');
  }
  const stated = lengthOf(variables);
  const bodyLength = parseContentLength(stated ?? '') ?? Infinity;
  variables.delete('CONTENT_LENGTH');
  // The rule for an nginx that misstates CONTENT_LENGTH is not meant for what comes on the standard input.
  if (variables.get('HTTP_CONTENT_LENGTH') !== stated) variables.delete('HTTP_CONTENT_LENGTH');
  // There is no connection that could become another protocol's.
  variables.delete('HTTP_UPGRADE');
  const first = stated === undefined ? [] : [['CONTENT_LENGTH', stated]];
  const strings = [...first, ['SCGI', '1'], ...variables].flat();
  const payload = strings.map((text) => `${text}\0`).join('');
  return { head: latin1.encode(`${payload.length}:${payload},`), bodyLength };
}

/**
 * What CONTENT_LENGTH says, right or wrong: refusing is the decoder's business. RFC 3875 §4.1.2: without a body it is not
 * there, or empty. Apache has none for a body that came in chunks either; it must not pass for an empty one.
 */
function lengthOf(variables: ReadonlyMap<string, string>): string | undefined {
  const stated = variables.get('CONTENT_LENGTH') ?? '';
  if (stated !== '') return stated;
  return variables.has('HTTP_TRANSFER_ENCODING') ? undefined : '0';
}
