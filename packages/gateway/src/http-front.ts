// An HTTP server that passes every request to one SCGI backend: for development, tests, and small deployments.
// Owns the options and Node's server; the way of a request is in passage.ts.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { ScgiError } from '@scgi/core/protocol';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { PassageSettings } from './passage.js';
import { Passage } from './passage.js';
import type { BackendTarget } from './exchange/target.js';
import { parseTarget } from './exchange/target.js';

/** Options of `createHttpFront`. Times in milliseconds, 0 for none. */
export interface HttpFrontOptions {
  /** The SCGI server: 4000, '127.0.0.1:4000', '[::1]:4000', 'unix:/run/app.sock'. */
  readonly to: BackendTarget;
  /** Until the backend has accepted the connection; then 504. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** From the last byte of the request to the first one of the answer; then 504. Default 60,000. */
  readonly firstByteTimeout?: number | undefined;
  /** Without a byte moving inside a body; then 504 or 408, or the connection breaks off. Default 60,000. */
  readonly idleTimeout?: number | undefined;
  /** How long to read on when the answer is sent and the client still uploads. Default 30,000, as nginx. */
  readonly lingerTimeout?: number | undefined;
  /** Largest head of an answer in bytes; 502 beyond. Default 65,536. */
  readonly maxHeadBytes?: number | undefined;
  /** Bytes of a body sent without Content-Length to hold in memory; 411 beyond. Default 1,048,576. */
  readonly maxHeldBody?: number | undefined;
  /** SERVER_NAME. Default: the host the client asks for. */
  readonly serverName?: string | undefined;
  /** Hears of every failed request; the client hears only the status. Default: console.error for 5xx. */
  readonly onError?: ((error: ScgiError, request: IncomingMessage) => void) | undefined;
}

/** Longest time a Node timer can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * Makes an HTTP server before an SCGI one; the caller lets it `listen`. Bodies are streamed both ways.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option
 */
export function createHttpFront(options: HttpFrontOptions): Server {
  const settings = resolveSettings(options);
  const server = createServer();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    new Passage(request, response, settings, false).start();
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    new Passage(request, response, settings, true).start();
  });
  return server;
}

function resolveSettings(options: HttpFrontOptions): PassageSettings {
  return {
    address: parseTarget(options.to),
    connectTimeout: resolveNumber('connectTimeout', options.connectTimeout, 5000, 0, MAX_TIMEOUT_MS),
    firstByteTimeout: resolveNumber('firstByteTimeout', options.firstByteTimeout, 60_000, 0, MAX_TIMEOUT_MS),
    idleTimeout: resolveNumber('idleTimeout', options.idleTimeout, 60_000, 0, MAX_TIMEOUT_MS),
    lingerTimeout: resolveNumber('lingerTimeout', options.lingerTimeout, 30_000, 0, MAX_TIMEOUT_MS),
    maxHeadBytes: resolveNumber('maxHeadBytes', options.maxHeadBytes, 65_536, 1, Number.MAX_SAFE_INTEGER),
    maxHeldBody: resolveNumber('maxHeldBody', options.maxHeldBody, 1_048_576, 0, Number.MAX_SAFE_INTEGER),
    serverName: options.serverName,
    onError: options.onError ?? logError,
  };
}

function resolveNumber(
  option: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option, value });
}

function logError(error: ScgiError, request: IncomingMessage): void {
  if (error.statusHint >= 500) console.error(`${request.method} ${request.url} failed:`, error);
}
