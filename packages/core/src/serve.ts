// serveScgi(): one call from a listener to a running server. Puts the bridge and lifecycle/ together and decides what
// becomes of an application that fails.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import net from 'node:net';
import type { BindSpec } from './lifecycle/bind.js';
import { resolveTargets } from './lifecycle/bind.js';
import type { Endpoint } from './lifecycle/listen.js';
import { listen } from './lifecycle/listen.js';
import { closeServer } from './lifecycle/net-server.js';
import { ScgiServer } from './scgi-server.js';
import type { ScgiServerOptions } from './scgi-server.js';

/** What serves requests: `(req, res)`, an Express app, a Connect stack. May return a promise. */
export type ScgiListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Options of `serveScgi`. */
export interface ServeOptions extends ScgiServerOptions {
  /**
   * Where to listen: a port, 'host:port', '[::1]:port', 'unix:/path?mode=0660&group=www-data', { fd }, or several.
   * Default: the socket systemd passed (LISTEN_FDS), else SCGI_BIND of the environment, else 127.0.0.1:4000.
   */
  bind?: BindSpec | readonly BindSpec[] | undefined;
  /** Hears of an application that threw or rejected; the peer hears only the status. Default: console.error. */
  onError?: ((error: unknown, request: IncomingMessage) => void) | undefined;
}

/** A server that listens. */
export interface RunningServer {
  readonly server: ScgiServer;
  /** Where it listens; the real port where 0 was asked for. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Stops listening, lets requests in flight finish, then resolves.
   * @param options.timeout milliseconds after which what is still open is broken off. Default 30,000.
   */
  close(options?: { readonly timeout?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;

/**
 * Serves `listener` over SCGI; resolves when every address listens.
 * @throws {LocalProtocolError} ERR_SCGI_BIND, ERR_SCGI_ALLOW_FROM, ERR_SCGI_SOCKET_PATH, ERR_SCGI_SOCKET_IN_USE: an
 *   address cannot be had; then none is held. ERR_SCGI_OPTION: an option is impossible.
 */
export async function serveScgi(listener: ScgiListener, options: ServeOptions = {}): Promise<RunningServer> {
  const targets = resolveTargets(options.bind, process.env, process.pid);
  const server = new ScgiServer(options, guard(listener, options.onError ?? logError));
  const endpoints: Endpoint[] = [];
  const acceptors: net.Server[] = [];
  const running = createRunningServer(server, endpoints, acceptors);
  try {
    for (const target of targets) {
      // The server itself takes the first address; a net.Server can hold only one.
      const acceptor = acceptors.length === 0 ? server : createAcceptor(server);
      endpoints.push(await listen(acceptor, target, options));
      acceptors.push(acceptor);
    }
  } catch (error) {
    await running.close({ timeout: 0 });
    throw error;
  }
  return running;
}

function createRunningServer(
  server: ScgiServer,
  endpoints: readonly Endpoint[],
  acceptors: readonly net.Server[],
): RunningServer {
  let closing: Promise<void> | undefined;
  const close = async (timeoutMs: number): Promise<void> => {
    for (const endpoint of endpoints) await endpoint.release();
    const closed = Promise.all(acceptors.map(closeServer));
    server.closeIdleConnections();
    const deadline = setTimeout(() => server.closeAllConnections(), timeoutMs);
    await closed;
    clearTimeout(deadline);
  };
  return {
    server,
    endpoints,
    close: (options = {}) => (closing ??= close(options.timeout ?? DEFAULT_CLOSE_TIMEOUT_MS)),
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

/** A listener for one more address, which hands its connections to `server`. */
function createAcceptor(server: ScgiServer): net.Server {
  // As http.Server creates its own sockets.
  const acceptor = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.acceptFrom(acceptor, socket);
  });
  return acceptor;
}

/** Answers for a listener that throws or rejects: 500 before the head, a broken connection behind it. */
function guard(listener: ScgiListener, onError: NonNullable<ServeOptions['onError']>): RequestListener {
  return (request, response) => {
    const fail = (error: unknown): void => {
      failRequest(response, error);
      onError(error, request);
    };
    try {
      const result = listener(request, response);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  };
}

function failRequest(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.writableEnded) {
    response.destroy(error instanceof Error ? error : undefined);
    return;
  }
  // The fields set so far belong to a response that will not be.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = 500;
  response.statusMessage = '';
  response.setHeader('content-type', 'text/plain');
  response.end('Internal Server Error\n');
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function logError(error: unknown, request: IncomingMessage): void {
  console.error(`${request.method} ${request.url} failed:`, error);
}
