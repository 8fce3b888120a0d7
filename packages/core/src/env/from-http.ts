// HTTP request → variables, for a gateway that calls an SCGI server: what a front end does, the other way round.
// Which fields go on is http-fields.ts's.

import { LocalProtocolError, RemoteProtocolError } from '../protocol/errors.js';
import { isFieldValue, isToken } from '../protocol/field-syntax.js';
import { decodeBasePath, decodePath, matchPath } from './base-path.js';
import { HttpFields, type HttpHeaders } from './http-fields.js';
import { invisible, splitAbsoluteForm } from './request-target.js';
import { fieldVariable } from './variable-names.js';

/** What a gateway knows about a request; Node's `IncomingMessage` has all of it, in the same shapes. */
export interface HttpRequestFacts {
  /** As `req.method`. */
  readonly method: string;
  /** As `req.url`: origin form, absolute form, `*`, or host and port for CONNECT. */
  readonly target: string;
  /** Names and values in turn, as `req.rawHeaders`. */
  readonly fields: readonly string[];
  /** In the place of `fields`: by name, as `req.headers`, where what middleware has added or deleted shows. */
  readonly headers?: HttpHeaders | undefined;
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
  const collected = new HttpFields(request);
  if (request.headers === undefined) collected.takeFlat(request.fields);
  else collected.takeHeaders(request.headers);
  const fields = collected.values;
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

// Fails closed: dropping such a field would hide that something upstream is broken.
function checkValue(name: string, value: string): string {
  if (!isFieldValue(value)) throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name });
  return value;
}

function hostName(host: string | undefined): string | undefined {
  const name = host?.replace(/:[0-9]*$/, '');
  return name === '' ? undefined : name;
}
