// Variables → request: the one pass that every request goes through, so it allocates little and scans once.
// Knows names through variable-names.ts, front ends through front-end.ts; knows nothing of sockets or http classes.

import { parseContentLength } from '../protocol/content-length.js';
import { RemoteProtocolError } from '../protocol/errors.js';
import { isFieldValue, isToken } from '../protocol/field-syntax.js';
import { resolveBodyLength } from './body-length.js';
import { listTokens, trimFieldValue } from './fields.js';
import { canTunnel, mountPoint } from './front-end.js';
import { isEncrypted, readAddress, readPort } from './peer.js';
import { Slot, type RequestFacts, slotCount } from './request-facts.js';
import { resolveTarget } from './request-target.js';
import { beforeFirst, ruleAt } from './variable-names.js';

// Copied for every request, which is quicker than filling a new array.
const noFacts: readonly (string | undefined)[] = Array.from<undefined>({ length: slotCount });

/** The HTTP request that the variables describe. */
export interface ScgiRequest {
  readonly method: string;
  /** As `req.url` has it: origin form, `*`, or host and port for CONNECT. Octets from 0x80 are latin1 characters. */
  readonly target: string;
  /** 0 for an HTTP/1.0 client, 1 for every other one: an HTTP/2 client shows as HTTP/1.1. */
  readonly httpVersionMinor: 0 | 1;
  /** Lower-case names and values in turn, as `rawHeaders` has them; a repeated field comes repeatedly. */
  readonly fields: string[];
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** The name the front end goes by; what an authority is made of when the client sent no usable Host. */
  readonly serverName: string | undefined;
  /** Whether the client spoke TLS to the front end. */
  readonly encrypted: boolean;
  /** The mount point as the target spells it, e.g. `/app`; empty if the front end gives none. */
  readonly scriptName: string;
  /** The protocol that the client wants to switch to, if it asked properly and the front end can carry the answer. */
  readonly upgrade: string | undefined;
}

/**
 * Reads a request out of its variables.
 *
 * @param head the text of a request head (`RequestHead.text`), or names and values in turn, in the order they came
 * @param bodyLength what the decoder found out about the body; resolved here if it is not given
 * @throws RemoteProtocolError ERR_SCGI_REQUEST_METHOD, ERR_SCGI_REQUEST_TARGET, ERR_SCGI_REQUEST_FIELD or, without
 * `bodyLength`, ERR_SCGI_CONTENT_LENGTH
 */
export function readRequest(head: string | readonly string[], bodyLength?: number): ScgiRequest {
  const text = typeof head === 'string' ? head : joinVariables(head);
  return readText(text, bodyLength ?? resolveBodyLength(text.slice(0, -1).split('\0')));
}

function joinVariables(variables: readonly string[]): string {
  // On the wire a NUL ends a string; inside of one it would move the others.
  const torn = variables.find((string) => string.includes('\0'));
  if (torn !== undefined) throw new RemoteProtocolError('ERR_SCGI_REQUEST_FIELD', { value: torn.slice(0, 80) });
  return variables.map((string) => `${string}\0`).join('');
}

function readText(text: string, bodyLength: number): ScgiRequest {
  const facts = noFacts.slice();
  const fields: string[] = [];
  let seen = 0;
  let rule = beforeFirst;
  for (let start = 0; start < text.length;) {
    const nameEnd = text.indexOf('\0', start);
    const valueEnd = text.indexOf('\0', nameEnd + 1);
    rule = ruleAt(text, start, nameEnd, rule);
    if (rule.slot >= 0) {
      const value = text.slice(nameEnd + 1, valueEnd);
      facts[rule.slot] = rule.slot === Slot.connection ? joinList(facts[Slot.connection], value) : value;
    } else if (rule.slot === Slot.field) {
      const fieldValue = checkValue(rule.field, text.slice(nameEnd + 1, valueEnd));
      if ((seen & rule.singleBit) === 0) fields.push(rule.field, fieldValue);
      else replaceField(fields, rule.field, fieldValue);
      seen |= rule.singleBit;
    }
    start = valueEnd + 1;
  }
  addBodyFields(fields, facts, bodyLength);
  const method = facts[Slot.method] ?? '';
  if (!isToken(method)) throw new RemoteProtocolError('ERR_SCGI_REQUEST_METHOD', { value: method.slice(0, 40) });
  const target = resolveTarget(facts, method);
  return {
    method,
    target,
    httpVersionMinor: facts[Slot.protocol] === 'HTTP/1.0' ? 0 : 1,
    fields,
    remoteAddress: readAddress(facts[Slot.remoteAddress]),
    remotePort: readPort(facts[Slot.remotePort]),
    localAddress: readAddress(facts[Slot.serverAddress]),
    localPort: readPort(facts[Slot.serverPort]),
    serverName: facts[Slot.serverName],
    encrypted: isEncrypted(facts[Slot.https], facts[Slot.scheme]),
    scriptName: mountPoint(facts, target),
    upgrade: takeUpgrade(fields, facts),
  };
}

function checkValue(name: string, value: string): string {
  if (!isFieldValue(value)) throw new RemoteProtocolError('ERR_SCGI_REQUEST_FIELD', { name: name.slice(0, 80) });
  return trimFieldValue(value);
}

// Of a field with one value the last one counts: nginx sends the client's and then the one of the configuration,
// `include scgi_params; scgi_param HTTP_HOST app.internal;`.
function replaceField(fields: string[], field: string, value: string): void {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === field) fields[index + 1] = value;
  }
}

// CONTENT_LENGTH is "0" for every request without a body, so it shows as a field only if there is a body or the client
// announced an empty one; and as a number of ours, so that no other spelling of it gets through.
function addBodyFields(fields: string[], facts: RequestFacts, bodyLength: number): void {
  const contentType = facts[Slot.contentType];
  // nginx sends CONTENT_TYPE empty when the client sent none.
  if (contentType !== undefined && contentType !== '')
    fields.push('content-type', checkValue('CONTENT_TYPE', contentType));
  if (bodyLength > 0 || announcesEmptyBody(facts)) fields.push('content-length', String(bodyLength));
}

// Only a zero announces an empty body. lighttpd 1.4.69 has another number there without a body for a client's field
// `Content_Length: 9999`, and for a POST that its error handler has turned into a GET.
function announcesEmptyBody(facts: RequestFacts): boolean {
  const announced = facts[Slot.clientContentLength];
  return announced !== undefined && parseContentLength(announced) === 0;
}

// Connection and Upgrade are about the client's connection: they reach the application only where it can answer with 101.
function takeUpgrade(fields: string[], facts: RequestFacts): string | undefined {
  const upgrade = facts[Slot.upgrade];
  const connection = facts[Slot.connection];
  if (upgrade === undefined || connection === undefined) return undefined;
  const protocol = checkValue('HTTP_UPGRADE', upgrade);
  if (protocol === '' || !listTokens(connection).includes('upgrade') || !canTunnel(facts)) return undefined;
  fields.push('connection', checkValue('HTTP_CONNECTION', connection), 'upgrade', protocol);
  return protocol;
}

function joinList(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}
