// The public server class: the SCGI http.Server, which listens on loopback unless told otherwise and lets only the
// named peers in. Joins the bridge in node/ with the rules in lifecycle/; these keep out of each other.

import type { RequestListener } from 'node:http';
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net';
import type { PeerFilter } from './lifecycle/access.js';
import { assertBindAllowed, createPeerFilter } from './lifecycle/access.js';
import { onLoopback } from './lifecycle/listen-arguments.js';
import type { ScgiHttpServerOptions } from './node/http-server.js';
import { ScgiHttpServer } from './node/http-server.js';
import type { ScgiBridge } from './server/index.js';

/** Options of `createScgiServer`: those of `http.createServer`, and the SCGI side's. */
export interface ScgiServerOptions extends ScgiHttpServerOptions {
  /**
   * Addresses or CIDR blocks of the front ends that may connect over TCP; others are closed before a byte is read.
   * Needed to listen beyond loopback, since an SCGI client states who the user is. Default: loopback.
   */
  allowFrom?: readonly string[] | undefined;
}

/**
 * An `http.Server` that speaks SCGI. `listen` means 127.0.0.1 where no host is given; an address beyond loopback is
 * refused with an `error` event, ERR_SCGI_ALLOW_FROM, unless `allowFrom` says who may connect.
 */
export class ScgiServer extends ScgiHttpServer {
  readonly #allowFrom: readonly string[] | undefined;
  readonly #filter: PeerFilter | undefined;
  #socketPath: string | undefined;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option */
  constructor(options: ScgiServerOptions = {}, listener?: RequestListener | ScgiBridge) {
    super(options, listener);
    this.#allowFrom = options.allowFrom;
    // Without a list only loopback is listened on, and asking each socket for its peer would cost a system call.
    this.#filter = options.allowFrom === undefined ? undefined : createPeerFilter(options.allowFrom);
    this.#socketPath = undefined;
  }

  /** As `net.Server.listen`, in all its forms. */
  override listen(port?: number, host?: string, backlog?: number, onListening?: () => void): this;
  override listen(port?: number, host?: string, onListening?: () => void): this;
  override listen(port?: number, backlog?: number, onListening?: () => void): this;
  override listen(port?: number, onListening?: () => void): this;
  override listen(path: string, backlog?: number, onListening?: () => void): this;
  override listen(path: string, onListening?: () => void): this;
  override listen(options: ListenOptions | { readonly fd: number }, onListening?: () => void): this;
  override listen(handle: unknown, backlog?: number, onListening?: () => void): this;
  override listen(handle: unknown, onListening?: () => void): this;
  override listen(...args: readonly unknown[]): this {
    Reflect.apply(super.listen, this, onLoopback(args));
    return this;
  }

  /** As in Node; a `listening` on an address that is not allowed becomes an `error`, before anyone can connect. */
  override emit(event: string, ...args: unknown[]): boolean {
    const refusal = event === 'listening' ? this.#bindRefusal() : undefined;
    if (refusal === undefined) return super.emit(event, ...args);
    this.close();
    return super.emit('error', refusal);
  }

  /** As `net.Server.address`; the path of a Unix socket also where Node knows another one, or none. */
  override address(): AddressInfo | string | null {
    return this.#socketPath ?? super.address();
  }

  /** The path under which clients find this server's Unix socket, where it was not Node that put it there. */
  set socketPath(path: string) {
    this.#socketPath = path;
  }

  /** Serves a socket that `acceptor`, another listener of this server, has accepted; closes it if its peer is not allowed. */
  acceptFrom(acceptor: Server, socket: Socket): void {
    if (this.connectionCount >= (this.maxConnections || Infinity)) {
      this.emit('drop');
      socket.destroy();
    } else if (this.#allows(acceptor, socket)) {
      this.serve(socket);
    } else {
      socket.destroy();
    }
  }

  protected override admits(socket: Socket): boolean {
    return this.#allows(this, socket);
  }

  #allows(acceptor: Server, socket: Socket): boolean {
    if (this.#filter === undefined) return true;
    // The kernel may have forgotten the peer, so the listener says whether there should be one.
    return this.#filter(socket.remoteAddress, boundHost(acceptor) === undefined ? 'unix' : 'tcp');
  }

  #bindRefusal(): unknown {
    const host = boundHost(this);
    try {
      assertBindAllowed({ address: host ?? '', host }, this.#allowFrom);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

/** The IP address that is listened on; undefined for a Unix socket. */
function boundHost(server: Server): string | undefined {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? undefined : bound.address;
}

/**
 * Makes a server as `http.createServer` does, for front ends that speak SCGI. A bridge in place of the listener gets the
 * requests without Node's request and response objects.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option
 */
export function createScgiServer(listener?: RequestListener): ScgiServer;
export function createScgiServer(options: ScgiServerOptions, listener?: RequestListener | ScgiBridge): ScgiServer;
export function createScgiServer(
  optionsOrListener: ScgiServerOptions | RequestListener = {},
  listener?: RequestListener | ScgiBridge,
): ScgiServer {
  if (typeof optionsOrListener === 'function') return new ScgiServer({}, optionsOrListener);
  return new ScgiServer(optionsOrListener, listener);
}
