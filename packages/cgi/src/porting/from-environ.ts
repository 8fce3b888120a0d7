// fromEnviron(): the request that the environment of a CGI program describes, by the rules for front ends of
// `@scgi/core/env`.

import { readRequest } from '@scgi/core/env';
import { LocalProtocolError, parseContentLength, RemoteProtocolError } from '@scgi/core/protocol';
import { toOctets } from '../octets.js';
import type { Environ } from './environ.js';

/** What an environment says of a request, in the words of Node's own. */
export interface EnvironRequest {
  readonly method: string;
  /** As `req.url`: path and query as the client has sent them. */
  readonly url: string;
  /** An HTTP/2 client shows as HTTP/1.1, as everywhere in this suite. */
  readonly httpVersion: '1.0' | '1.1';
  /** As `req.headers`: by lower-case names, without prototype, values latin1. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names and values in turn; lower-case names. */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly serverName: string | undefined;
  /** Whether the client spoke TLS. */
  readonly encrypted: boolean;
  /** SCRIPT_NAME, decoded; empty for a program at the root. */
  readonly scriptName: string;
  /** PATH_INFO, decoded; empty for none. */
  readonly pathInfo: string;
  /** QUERY_STRING, as sent. */
  readonly queryString: string;
  /** How much to read from standard input; undefined where CONTENT_LENGTH is not set, which mostly means nothing. */
  readonly contentLength: number | undefined;
}

/**
 * Reads the request out of the environment of a CGI program, or what `toEnviron` makes.
 * @throws {LocalProtocolError} ERR_SCGI_NOT_CGI for what is no environment of a CGI program: nobody has called it as one;
 * {RemoteProtocolError} for variables that describe no request, as `readRequest` of `@scgi/core/env`
 */
export function fromEnviron(environ: Readonly<Environ> = process.env): EnvironRequest {
  if (environ['REQUEST_METHOD'] === undefined && environ['GATEWAY_INTERFACE'] === undefined) {
    throw new LocalProtocolError('ERR_SCGI_NOT_CGI', { missing: 'REQUEST_METHOD' });
  }
  const contentLength = readLength(environ['CONTENT_LENGTH']);
  const request = readRequest(variablesOf(environ), contentLength ?? 0);
  return {
    method: request.method,
    url: request.target,
    httpVersion: request.httpVersionMinor === 0 ? '1.0' : '1.1',
    headers: headersOf(request.fields),
    rawHeaders: request.fields,
    remoteAddress: request.remoteAddress,
    remotePort: request.remotePort,
    localAddress: request.localAddress,
    localPort: request.localPort,
    serverName: request.serverName,
    encrypted: request.encrypted,
    scriptName: environ['SCRIPT_NAME'] ?? '',
    pathInfo: environ['PATH_INFO'] ?? '',
    queryString: environ['QUERY_STRING'] ?? '',
    contentLength,
  };
}

/** The one that says how much to read. Web servers count for CGI programs, so no other variable is believed. */
function readLength(text: string | undefined): number | undefined {
  // fcgiwrap behind nginx has it empty for none.
  if (text === undefined || text === '') return undefined;
  const length = parseContentLength(text);
  if (length === undefined) throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { value: text.slice(0, 40) });
  return length;
}

/** Names and values in turn, octets. */
function variablesOf(environ: Readonly<Environ>): string[] {
  const variables: string[] = [];
  const isRedirected = environ['REDIRECT_URL'] !== undefined && environ['REDIRECT_REQUEST_METHOD'] !== undefined;
  for (const [name, value] of Object.entries(environ)) {
    // Behind a local redirect (RFC 3875 §6.2.2) Apache leaves REQUEST_URI at what the client asked for; whoever believes
    // it redirects for ever. Without it the target is made of SCRIPT_NAME, PATH_INFO and QUERY_STRING.
    if (value === undefined || (isRedirected && name === 'REQUEST_URI')) continue;
    variables.push(toOctets(name), toOctets(value));
  }
  return variables;
}

function headersOf(fields: readonly string[]): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (let index = 0; index < fields.length; index += 2) {
    const [name = '', value = ''] = fields.slice(index, index + 2);
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}
