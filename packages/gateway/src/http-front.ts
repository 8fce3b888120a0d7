// An HTTP server that passes every request to one SCGI backend: for development, tests, and small deployments.
// Owns the options and Node's server; the way of a request is in passage.ts.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { BackendOptions, BackendTarget } from '@scgi/client/exchange';
import { Backend, resolveBound, resolveTime } from '@scgi/client/exchange';
import type { ScgiError } from '@scgi/core/protocol';
import type { PassageSettings } from './node/passage.js';
import { Passage } from './node/passage.js';

/** Options of `createHttpFront`. Times in milliseconds, 0 for none. */
export interface HttpFrontOptions extends BackendOptions {
  /** The SCGI server: 4000, '127.0.0.1:4000', '[::1]:4000', 'unix:/run/app.sock'. */
  readonly to: BackendTarget;
  /** How long to read on when the answer is sent and the client still uploads. Default 30,000, as nginx. */
  readonly lingerTimeout?: number | undefined;
  /** Bytes of a body sent without Content-Length to hold in memory; 411 beyond. Default 1,048,576. */
  readonly maxHeldBody?: number | undefined;
  /** SERVER_NAME. Default: the host the client asks for. */
  readonly serverName?: string | undefined;
  /** Hears of every failed request; the client hears only the status. Default: console.error for 5xx. */
  readonly onError?: ((error: ScgiError, request: IncomingMessage) => void) | undefined;
}

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
  const backend = new Backend(options.to, options);
  return {
    backend,
    idleTimeout: backend.settings.idleTimeout,
    lingerTimeout: resolveTime('lingerTimeout', options.lingerTimeout, 30_000),
    maxHeldBody: resolveBound('maxHeldBody', options.maxHeldBody, 1_048_576),
    serverName: options.serverName,
    onError: options.onError ?? logError,
  };
}

function logError(error: ScgiError, request: IncomingMessage): void {
  if (error.statusHint >= 500) console.error(`${request.method} ${request.url} failed:`, error);
}
