// The SCGI server's half of a response: the head. A body goes out as it is, so it needs no encoder.
// What must never reach a front end is stopped here: RFC 3875 §6, and RFC 9110 §7.6.1 for hop-by-hop fields.

import { parseContentLength } from './content-length.js';
import { LocalProtocolError } from './errors.js';
import { isFieldValue, isToken } from './field-syntax.js';
import { latin1 } from './latin1.js';
import { reasonPhrase } from './reason-phrases.js';

/**
 * The response head as latin1 text: `Status: 200 OK`, the fields, an empty line.
 *
 * Left out: `Status` fields, Connection and the fields it names, Keep-Alive, Proxy-Connection, TE, Trailer,
 * Transfer-Encoding and Upgrade. A 101 keeps those that make it an upgrade. Content-Length is written once,
 * and not at all for 101 and 204 (RFC 9110 §8.6).
 *
 * @param status 200 to 999, or 101; no front end but lighttpd understands another interim response
 * @param reason default: the registered phrase of the status
 * @param fields flat: name, value, name, value …
 * @throws LocalProtocolError ERR_SCGI_STATUS_CODE, ERR_SCGI_RESPONSE_FIELD
 */
export function formatResponseHead(status: number, reason: string | undefined, fields: readonly string[]): string {
  if (!Number.isInteger(status) || status < 100 || status > 999 || (status < 200 && status !== 101)) {
    throw new LocalProtocolError('ERR_SCGI_STATUS_CODE', { status });
  }
  if (fields.length % 2 !== 0)
    throw new LocalProtocolError('ERR_SCGI_RESPONSE_FIELD', { fault: 'a name without a value' });
  const upgrading = status === 101;
  const named = upgrading ? undefined : namedByConnection(fields);
  let contentLength: string | undefined;
  let head = `Status: ${status} ${validReason(status, reason)}\r\n`;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    if (!isToken(name) || !isFieldValue(value)) throw invalidField(name);
    switch (fieldRole(name)) {
      case 'never':
        continue;
      case 'hop-by-hop':
        if (!upgrading) continue;
        break;
      case 'content-length': {
        const repeated = contentLength !== undefined;
        if (parseContentLength(value) === undefined || (repeated && value !== contentLength)) throw invalidField(name);
        contentLength = value;
        if (repeated || upgrading || status === 204) continue;
        break;
      }
      case 'end-to-end':
        if (named?.has(name.toLowerCase())) continue;
    }
    head += `${name}: ${value}\r\n`;
  }
  return head + '\r\n';
}

/** The same as bytes, ready to be written. */
export function encodeResponseHead(status: number, reason: string | undefined, fields: readonly string[]): Uint8Array {
  return latin1.encode(formatResponseHead(status, reason, fields));
}

type FieldRole = 'end-to-end' | 'hop-by-hop' | 'content-length' | 'never';

function fieldRole(name: string): FieldRole {
  // The length rules most names out without folding their case.
  switch (name.length) {
    case 2:
      return isNamed(name, 'te') ? 'hop-by-hop' : 'end-to-end';
    case 6:
      return isNamed(name, 'status') ? 'never' : 'end-to-end';
    case 7:
      return isNamed(name, 'trailer') || isNamed(name, 'upgrade') ? 'hop-by-hop' : 'end-to-end';
    case 10:
      return isNamed(name, 'connection') || isNamed(name, 'keep-alive') ? 'hop-by-hop' : 'end-to-end';
    case 14:
      return isNamed(name, 'content-length') ? 'content-length' : 'end-to-end';
    case 16:
      return isNamed(name, 'proxy-connection') ? 'hop-by-hop' : 'end-to-end';
    case 17:
      // Not even with 101. CGI has no chunks: nginx and Apache pass the framing to the client as content.
      return isNamed(name, 'transfer-encoding') ? 'never' : 'end-to-end';
    default:
      return 'end-to-end';
  }
}

function isNamed(name: string, lowerCase: string): boolean {
  return name === lowerCase || name.toLowerCase() === lowerCase;
}

/** RFC 9110 §7.6.1: the options in Connection name fields that end with this hop. */
function namedByConnection(fields: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name.length !== 10 || !isNamed(name, 'connection')) continue;
    named ??= new Set();
    for (const option of (fields[index + 1] ?? '').split(',')) named.add(option.trim().toLowerCase());
  }
  return named;
}

function validReason(status: number, reason: string | undefined): string {
  if (reason === undefined || reason.trim() === '') return reasonPhrase(status);
  if (!isFieldValue(reason)) throw invalidField('Status');
  return reason;
}

function invalidField(name: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_RESPONSE_FIELD', { name: name.slice(0, 40) });
}
