// The SCGI client's half of a request: the netstring. A body goes out as it is, so it needs no encoder.
// https://python.ca/scgi/protocol.txt

import { LocalProtocolError } from './errors.js';
import { latin1 } from './latin1.js';

const beyondLatin1 = /[\u0100-\uffff]/;

/**
 * The request head as bytes: CONTENT_LENGTH first, then SCGI=1, then the variables in their order.
 *
 * @param variables flat: name, value, name, value … in latin1, without CONTENT_LENGTH and SCGI
 * @param bodyLength how many bytes of body follow
 * @throws LocalProtocolError ERR_SCGI_VARIABLE for what the specification forbids: an empty name, a name given twice
 *   (in any case of letters), a NUL; and for characters beyond latin1
 */
export function encodeRequest(variables: readonly string[], bodyLength: number): Uint8Array {
  if (!Number.isSafeInteger(bodyLength) || bodyLength < 0) {
    throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name: 'CONTENT_LENGTH', value: bodyLength });
  }
  if (variables.length % 2 !== 0) {
    throw new LocalProtocolError('ERR_SCGI_VARIABLE', { fault: 'a name without a value' });
  }
  const given = new Set(['CONTENT_LENGTH', 'SCGI']);
  let payload = `CONTENT_LENGTH\0${bodyLength}\0SCGI\x001\0`;
  for (let index = 0; index < variables.length; index += 2) {
    const name = variables[index] ?? '';
    const value = variables[index + 1] ?? '';
    if (name === '' || name.includes('\0') || value.includes('\0')) throw refuse(name);
    if (given.size === given.add(name.toUpperCase()).size) throw refuse(name, 'given twice');
    payload += `${name}\0${value}\0`;
  }
  // All at once: a look at every string by itself would cost as much as putting them together.
  if (beyondLatin1.test(payload)) throw refuse(findBeyondLatin1(variables));
  return latin1.encode(`${payload.length}:${payload},`);
}

function findBeyondLatin1(variables: readonly string[]): string {
  const index = variables.findIndex((text) => beyondLatin1.test(text));
  return variables[index - (index % 2)] ?? '';
}

function refuse(name: string, fault?: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_VARIABLE', { name: name.slice(0, 40), fault });
}
