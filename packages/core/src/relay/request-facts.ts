// What Node's request says, for the variables. The client's address and TLS come from its socket, never from a field.

import type { IncomingMessage } from 'node:http';
import type { HttpHeaders, HttpRequestFacts } from '../env/index.js';
import { plainAddress, variablesFromHttp } from '../env/index.js';
import { LocalProtocolError, ScgiError } from '../protocol/index.js';
import type { ExtraVariables } from './extra-variables.js';
import type { MountedTarget } from './mount.js';

const noFields: readonly string[] = [];

/** What variables need beside the request. */
export interface VariableSettings {
  readonly extraVariables: ExtraVariables<IncomingMessage>;
  readonly serverName: string | undefined;
  readonly underscoreFields: boolean;
}

/**
 * The flat variables of a request.
 * @throws {ScgiError} for what the client sent, or ERR_SCGI_OPTION for an `env` function that fails
 */
export function requestVariables(
  request: IncomingMessage,
  mounted: MountedTarget,
  settings: VariableSettings,
  upgrade: boolean,
): string[] {
  const variables = variablesFromHttp(requestFacts(request, mounted, settings, upgrade));
  addExtra(variables, request, settings);
  return variables;
}

/**
 * The variables of the GET that a local redirect asks for: RFC 3875 §6.2.2, "as if" it had come from the client.
 * REDIRECT_URL and REDIRECT_STATUS are Apache's; PHP looks for the latter.
 */
export function redirectVariables(
  request: IncomingMessage,
  mounted: MountedTarget,
  settings: VariableSettings,
  redirectedFrom: string,
): string[] {
  const facts = requestFacts(request, mounted, settings, false);
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
  const variables = variablesFromHttp({ ...facts, method, headers: withoutBodyFields(headersOf(request)) });
  variables.push('REDIRECT_STATUS', '200', 'REDIRECT_URL', redirectedFrom);
  addExtra(variables, request, settings);
  return variables;
}

function addExtra(variables: string[], request: IncomingMessage, settings: VariableSettings): void {
  try {
    settings.extraVariables.addTo(variables, request);
  } catch (cause) {
    if (cause instanceof ScgiError) throw cause;
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'env or appState', problem: 'it threw' }, { cause });
  }
}

/** As `variablesFromHttp` takes them. */
export function requestFacts(
  request: IncomingMessage,
  mounted: MountedTarget,
  settings: Pick<VariableSettings, 'serverName' | 'underscoreFields'>,
  upgrade: boolean,
): HttpRequestFacts {
  const { socket } = request;
  return {
    method: request.method ?? '',
    target: mounted.target,
    fields: noFields,
    // Not rawHeaders: middleware deletes from these, and adds to them.
    headers: headersOf(request),
    httpVersion: request.httpVersion,
    encrypted: 'encrypted' in socket && socket.encrypted === true,
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort,
    serverName: settings.serverName,
    scriptNameLength: mounted.scriptNameLength,
    upgrade,
    underscoreFields: settings.underscoreFields,
  };
}

/** In HTTP/2 the request line is among them, and the host has a name of its own (RFC 9113 §8.3.1). */
export function headersOf({ headers, httpVersionMajor }: IncomingMessage): HttpHeaders {
  if (httpVersionMajor < 2) return headers;
  const host = headers.host ?? headers[':authority'];
  const fields = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  return Object.fromEntries(host === undefined ? fields : [...fields, ['host', host]]);
}

/** What a GET in the place of the request says. */
export function withoutBodyFields(headers: HttpHeaders): HttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^content[-_]/i.test(name)));
}
