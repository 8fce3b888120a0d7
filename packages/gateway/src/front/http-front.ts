// The stand-alone server: finds out who answers a request, a folder or a backend, and bounds the end of its tunnels.
// The way of a request through the gateway is the middleware's; limits of heads and clients' time are Node's own server's.

import type { IncomingMessage } from 'node:http';
import { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ScgiMiddleware } from '../node/middleware.js';
import type { RouteMatch, Routes } from './routes.js';
import type { StaticFolder } from './static-folder.js';
import { writeStatus } from './status-response.js';

/** What a front consists of. */
export interface FrontParts {
  readonly backends: Routes<ScgiMiddleware>;
  readonly folders: Routes<StaticFolder>;
  /** How long tunnels may go on when the server closes, milliseconds; 0 for no limit. */
  readonly closeTimeout: number;
}

/** An `http.Server` whose `close` is not held up by tunnels for ever. */
export class HttpFront extends Server {
  readonly #backends: Routes<ScgiMiddleware>;
  readonly #folders: Routes<StaticFolder>;
  readonly #closeTimeout: number;
  /** Connections that Node's server has handed over and does not close. */
  readonly #tunnels: Set<Duplex>;

  constructor({ backends, folders, closeTimeout }: FrontParts) {
    super();
    this.#backends = backends;
    this.#folders = folders;
    this.#closeTimeout = closeTimeout;
    this.#tunnels = new Set();
    this.on('request', (request, response) => this.#answer(request, response));
    this.on('checkContinue', (request, response) => this.#answer(request, response));
    this.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** As Node's, which waits for open connections; tunnels get `closeTimeout` to end by themselves. */
  override close(callback?: (error?: Error) => void): this {
    if (this.listening && this.#closeTimeout > 0) {
      const timer = setTimeout(() => this.#breakTunnels(), this.#closeTimeout);
      this.once('close', () => clearTimeout(timer));
    }
    return super.close(callback);
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#breakTunnels();
  }

  #breakTunnels(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { folder, backend } = this.#find(request);
    if (folder === undefined) {
      pass(backend, request, response);
      return;
    }
    void folder.entry
      .answer(request, folder.rest, () => response)
      .then((answered) => answered || response.destroyed || pass(backend, request, response));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#tunnels.add(socket);
    socket.once('close', () => this.#tunnels.delete(socket));
    // Node takes its own away with the connection.
    socket.on('error', () => {});
    const { folder, backend } = this.#find(request);
    // RFC 9110 §7.8: a server may ignore Upgrade. curl --http2 and Java ask for h2c with every first request.
    const respond = (): ServerResponse => responseOn(request, socket);
    const passOn = (): void => {
      if (backend === undefined) writeStatus(respond(), 404);
      else backend.entry.upgrade(request, socket, head);
    };
    if (folder === undefined) passOn();
    else
      void folder.entry
        .answer(request, folder.rest, respond)
        .then((answered) => answered || socket.destroyed || passOn());
  }

  /** Who may have an answer. The longer prefix knows better; at the same one a folder is asked first. */
  #find(request: IncomingMessage): {
    readonly folder: RouteMatch<StaticFolder> | undefined;
    readonly backend: RouteMatch<ScgiMiddleware> | undefined;
  } {
    const target = request.url ?? '';
    const folder = this.#folders.find(target);
    const backend = this.#backends.find(target);
    if (folder === undefined || (backend !== undefined && backend.prefix.length > folder.prefix.length)) {
      return { folder: undefined, backend };
    }
    return { folder, backend };
  }
}

/** An answer on a connection that Node's server has let go of; it closes behind it. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // From Node.js 26 on, a request with a body comes with a stream before its socket.
  response.assignSocket(request.socket);
  response.once('finish', () => socket.end());
  return response;
}

function pass(
  backend: RouteMatch<ScgiMiddleware> | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (backend === undefined) writeStatus(response, 404);
  else backend.entry(request, response);
}
