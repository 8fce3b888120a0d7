// What a Fetch request says, as the variables need it. The address of the client is in no Request: whoever calls the
// handler gives it beside.

import type { HttpRequestFacts } from '../env/index.js';
import { plainAddress } from '../env/index.js';
import { parseContentLength } from '../protocol/index.js';

/**
 * What the caller knows besides the request: the second argument of an application of `@scgi/adapter-fetch`, or `c.env`
 * of Hono there and on `@hono/node-server`; all of it may be missing.
 */
export interface FetchGatewayContext {
  /** Variables of the SCGI request: REMOTE_ADDR, HTTPS, and the like. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The client's address. */
  readonly remoteAddress?: string | undefined;
  /** What was cut off the path of `request.url`. */
  readonly basePath?: string | undefined;
  /** Node's own request. */
  readonly incoming?: { readonly socket: FetchGatewaySocket } | undefined;
}

/** What a socket knows of its client. */
export interface FetchGatewaySocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/**
 * @param url of the request
 * @param scriptNameLength how much of its path is the mount point
 */
export function fetchFacts(
  request: Request,
  url: URL,
  scriptNameLength: number,
  context: FetchGatewayContext = {},
): HttpRequestFacts {
  const { remoteAddress, incoming, basePath = '' } = context;
  // `c.env` of Hono may be anything at all.
  const env = typeof context.env === 'object' && context.env !== null ? context.env : {};
  const socket = incoming?.socket;
  return {
    method: request.method,
    target: `${basePath}${url.pathname}${url.search}`,
    scriptNameLength: basePath.length + scriptNameLength,
    fields: [],
    // Made by a program and not by a server, a request says its host nowhere else.
    headers: { host: url.host, ...Object.fromEntries(request.headers) },
    httpVersion: /^HTTP\/([0-9.]+)$/.exec(env['SERVER_PROTOCOL'] ?? '')?.[1],
    encrypted: env['HTTPS'] === undefined ? url.protocol === 'https:' : /^(?:on|1)$/i.test(env['HTTPS']),
    remoteAddress: remoteAddress ?? env['REMOTE_ADDR'] ?? plainAddress(socket?.remoteAddress),
    remotePort: portOf(env['REMOTE_PORT']) ?? socket?.remotePort,
    localAddress: env['SERVER_ADDR'] ?? plainAddress(socket?.localAddress),
    localPort: portOf(env['SERVER_PORT']) ?? portOf(url.port) ?? socket?.localPort,
  };
}

/** Ports that are given as text; undefined for what is none. */
function portOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
}

/** How long the body will be; undefined if only its end shows that. */
export function bodyLengthOf(request: Request): number | undefined {
  if (request.body === null) return 0;
  const announced = request.headers.get('content-length');
  return announced === null ? undefined : parseContentLength(announced);
}
