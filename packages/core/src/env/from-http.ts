// HTTP request → variables, for a gateway that calls an SCGI server: what a front end does, the other way round.
// Lets nothing through that is meant for the hop to the client, and nothing that could pass for something else behind it.

import { parseContentLength } from '../protocol/content-length.js';
import { LocalProtocolError, RemoteProtocolError } from '../protocol/errors.js';
import { isFieldValue, isToken } from '../protocol/field-syntax.js';
import { decodeBasePath, decodePath, matchPath } from './base-path.js';
import { listTokens, trimFieldValue } from './fields.js';
import { invisible, splitAbsoluteForm } from './request-target.js';
import { fieldVariable, isSingleValued } from './variable-names.js';

/** What a gateway knows about a request; Node's `IncomingMessage` has all of it, in the same shapes. */
export interface HttpRequestFacts {
  /** As `req.method`. */
  readonly method: string;
  /** As `req.url`: origin form, absolute form, `*`, or host and port for CONNECT. */
  readonly target: string;
  /** Names and values in turn, as `req.rawHeaders`. */
  readonly fields: readonly string[];
  /** As `req.httpVersion`. Default `1.1`. */
  readonly httpVersion?: string | undefined;
  /** Whether the client speaks TLS to the gateway, as `req.socket.encrypted`. Default false. */
  readonly encrypted?: boolean | undefined;
  /** The client's address and port, and our own, as the fields of the socket have them; left out where unknown. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** SERVER_NAME. Default: the host that the request is for, else `localAddress`, else `localhost`. */
  readonly serverName?: string | undefined;
  /** The mount point, as the target spells it: SCRIPT_NAME. The target must be below it. Default empty. */
  readonly scriptName?: string | undefined;
  /** Instead of `scriptName`: how much of the target's path is the mount point, in characters. In an absolute form the path begins behind the host. */
  readonly scriptNameLength?: number | undefined;
  /** Whether Upgrade goes on to the backend: for an upgrade that the gateway will tunnel. Default false. */
  readonly upgrade?: boolean | undefined;
  /** Whether fields with `_` in their name go on, as far as no other field makes the same variable. Default false. */
  readonly underscoreFields?: boolean | undefined;
}

// Fields for this hop only (RFC 9110 §7.6.1), or that a backend must not see; variable-names.ts has the reasons.
const withheldFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length', // CONTENT_LENGTH is the encoder's, from the body it is given
  'expect',
  'keep-alive',
  'proxy',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Decoded, these end a variable or, in a log or a response head that repeats it, a line (CVE-2019-11043 began with `%0a`). */
const unspeakable = /[\0\r\n]/;

/**
 * The variables of a request, names and values in turn, for `encodeRequest`, which adds CONTENT_LENGTH and SCGI itself.
 * Fields that Connection names stay here, so do those with an underscore in their name, unless `underscoreFields` is
 * set: `X_Y` would pass for `X-Y`.
 *
 * @throws RemoteProtocolError ERR_SCGI_REQUEST_METHOD or ERR_SCGI_REQUEST_TARGET for what the client sent;
 * LocalProtocolError ERR_SCGI_VARIABLE for a value no HTTP parser lets through, ERR_SCGI_OPTION for a target outside `scriptName`
 */
export function variablesFromHttp(request: HttpRequestFacts): string[] {
  if (!isToken(request.method)) {
    throw new RemoteProtocolError('ERR_SCGI_REQUEST_METHOD', { value: request.method.slice(0, 40) });
  }
  const absolute = splitAbsoluteForm(request.target);
  const target = absolute?.target ?? request.target;
  const fields = collectFields(request);
  // RFC 9112 §3.2.2: the host of an absolute form replaces the Host field.
  if (absolute !== undefined) fields.set('host', absolute.authority);
  const variables = ['REQUEST_METHOD', request.method, ...targetVariables(request, target)];
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) variables.push(name, checkValue(name, String(value)));
  };
  add('SERVER_PROTOCOL', `HTTP/${request.httpVersion ?? '1.1'}`);
  add('GATEWAY_INTERFACE', 'CGI/1.1');
  add('REQUEST_SCHEME', request.encrypted === true ? 'https' : 'http');
  if (request.encrypted === true) add('HTTPS', 'on');
  add('SERVER_NAME', request.serverName ?? hostName(fields.get('host')) ?? request.localAddress ?? 'localhost');
  add('SERVER_PORT', request.localPort ?? (request.encrypted === true ? 443 : 80));
  add('SERVER_ADDR', request.localAddress);
  add('REMOTE_ADDR', request.remoteAddress);
  add('REMOTE_PORT', request.remotePort);
  for (const [field, value] of fields) add(field === 'content-type' ? 'CONTENT_TYPE' : fieldVariable(field), value);
  return variables;
}

function targetVariables(request: HttpRequestFacts, target: string): string[] {
  if (target === '' || invisible.test(target)) {
    throw new RemoteProtocolError('ERR_SCGI_REQUEST_TARGET', { value: target.slice(0, 80) });
  }
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  const end = request.scriptNameLength ?? scriptNameLength(path, request.scriptName);
  // SCRIPT_NAME and PATH_INFO are decoded (RFC 3875 §4.1.5, §4.1.13); REQUEST_URI has the path as it was sent.
  const scriptName = end === 0 ? '' : decodePath(path.slice(0, end));
  const pathInfo = path.startsWith('/') ? decodePath(path.slice(end)) : '';
  if (unspeakable.test(pathInfo) || unspeakable.test(scriptName)) {
    throw new RemoteProtocolError('ERR_SCGI_REQUEST_TARGET', { value: target.slice(0, 80) });
  }
  const queryString = query === -1 ? '' : target.slice(query + 1);
  return ['REQUEST_URI', target, 'SCRIPT_NAME', scriptName, 'PATH_INFO', pathInfo, 'QUERY_STRING', queryString];
}

function scriptNameLength(path: string, scriptName: string | undefined): number {
  const decoded = decodeBasePath(scriptName ?? '');
  const length = decoded === '' ? 0 : matchPath(path, decoded);
  if (length === -1) throw new LocalProtocolError('ERR_SCGI_OPTION', { scriptName });
  return length;
}

function collectFields(request: HttpRequestFacts): Map<string, string> {
  const fields = new Map<string, string>();
  const withheld = new Set(withheldFields);
  const source = request.fields;
  for (let index = 0; index < source.length; index += 2) {
    // Not these two, whatever Connection says: without them the request would be another one (RFC 9110 §7.6.1).
    if (source[index]?.toLowerCase() !== 'connection') continue;
    for (const name of listTokens(source[index + 1] ?? '')) {
      if (name !== 'host' && name !== 'content-type') withheld.add(name);
    }
  }
  let upgrade: string | undefined;
  let underscored: string[] | undefined;
  for (let index = 0; index < source.length; index += 2) {
    const name = (source[index] ?? '').toLowerCase();
    const value = trimFieldValue(source[index + 1] ?? '');
    if (name === 'upgrade') upgrade = joinValues(name, upgrade, value);
    // CONTENT_LENGTH is "0" for none as well; only this tells that the client announced an empty body, as nginx tells it.
    const announcesEmptyBody = name === 'content-length' && parseContentLength(value) === 0;
    if (withheld.has(name) && !announcesEmptyBody) continue;
    if (name.includes('_')) {
      if (request.underscoreFields === true) (underscored ??= []).push(name, value);
      continue;
    }
    if (!isToken(name)) throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name: name.slice(0, 80) });
    fields.set(name, joinValues(name, fields.get(name), value));
  }
  if (underscored !== undefined) addUnderscored(fields, underscored, withheld);
  if (request.upgrade === true && upgrade !== undefined) {
    fields.set('connection', 'upgrade');
    fields.set('upgrade', upgrade);
  }
  return fields;
}

/** A field is dropped if the variable it makes is another one's: of `X-User` and `X_User` the first is the real one. */
function addUnderscored(fields: Map<string, string>, underscored: readonly string[], withheld: Set<string>): void {
  const taken = new Set<string>();
  for (const name of fields.keys()) taken.add(fieldVariable(name));
  const added = new Set<string>();
  for (let index = 0; index < underscored.length; index += 2) {
    const name = underscored[index] ?? '';
    const variable = fieldVariable(name);
    const plain = name.replaceAll('_', '-');
    // Content_Type and Content_Length would be taken for what the client says of its body.
    if (withheld.has(plain) || plain === 'content-type') continue;
    if (!isToken(name)) throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name: name.slice(0, 80) });
    if (taken.has(variable) && !added.has(name)) continue;
    taken.add(variable);
    added.add(name);
    fields.set(name, joinValues(name, fields.get(name), underscored[index + 1] ?? ''));
  }
}

// Of a field with one value the first one counts: that is the one Node shows to the gateway itself.
function joinValues(name: string, earlier: string | undefined, value: string): string {
  if (earlier === undefined) return value;
  if (isSingleValued(fieldVariable(name))) return earlier;
  return name === 'cookie' ? `${earlier}; ${value}` : `${earlier}, ${value}`;
}

// Fails closed: dropping such a field would hide that something upstream is broken.
function checkValue(name: string, value: string): string {
  if (!isFieldValue(value)) throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name });
  return value;
}

function hostName(host: string | undefined): string | undefined {
  const name = host?.replace(/:[0-9]*$/, '');
  return name === '' ? undefined : name;
}
