// One backend as an object to mount, as often and in as many places as needed: `ScgiHandler` for TCP, `ScgiApp` for a
// Unix socket. All that its mounts share is here: options, limits of connections, what is known of the backend's health.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkPrefix, type GatewayTarget, readArguments } from './arguments.js';
import { createFetchHandler, type ScgiFetchHandler } from './fetch.js';
import { createKoaMiddleware, type ScgiKoaMiddleware } from './koa.js';
import { createMiddleware, type ScgiMiddleware } from './node/middleware.js';
import { type GatewayOptions, type GatewaySettings, resolveGatewaySettings } from './options.js';

/** What `ScgiHandler` and `ScgiApp` have in common. */
export class MountableBackend {
  /** The functions of the options get what each mount has for a request: Node's own, Koa's `ctx`, or a Fetch one. */
  readonly settings: GatewaySettings<unknown>;
  /** For `server.on('upgrade', …)`: takes every request. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Uint8Array) => boolean;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for a target or an option that is impossible */
  constructor(target: GatewayTarget, options: GatewayOptions | undefined) {
    this.settings = resolveGatewaySettings<unknown>(target, options);
    this.upgrade = createMiddleware(this.settings, '').upgrade;
  }

  /**
   * A middleware for Express, connect, Fastify (middie) or Node's own server.
   * @param prefix below which it takes requests. Default: all that come to it
   */
  middleware(prefix = '/'): ScgiMiddleware {
    return createMiddleware(this.settings, checkPrefix(prefix));
  }

  /**
   * A middleware for Koa.
   * @param prefix as for `middleware`
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for options that Koa has no place for
   */
  koa(prefix = '/'): ScgiKoaMiddleware {
    return createKoaMiddleware(checkPrefix(prefix), this.settings);
  }

  /**
   * A handler `(request, context?) => Promise<Response>`.
   * @param prefix as for `middleware`
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for options that no Response can fulfil
   */
  fetch(prefix = '/'): ScgiFetchHandler {
    return createFetchHandler(checkPrefix(prefix), this.settings);
  }

  /** No more requests: those that wait for a connection fail, those that have one go on. */
  close(): void {
    this.settings.backend.close();
  }
}

/** An SCGI server at a host and a port. */
export class ScgiHandler extends MountableBackend {
  /** @throws {LocalProtocolError} ERR_SCGI_OPTION */
  constructor(host: string, port: number, options?: GatewayOptions) {
    super({ host, port }, options);
  }
}

/** An SCGI server at a Unix socket. */
export class ScgiApp extends MountableBackend {
  /**
   * @param socketPath with or without `unix:` before it
   * @throws {LocalProtocolError} ERR_SCGI_OPTION
   */
  constructor(socketPath: string, options?: GatewayOptions) {
    super({ socketPath: socketPath.replace(/^unix:/, '') }, options);
  }
}

/**
 * Middleware that passes requests on to an SCGI server.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for arguments or options that are impossible
 */
export function scgi(target: GatewayTarget, options?: GatewayOptions): ScgiMiddleware;
export function scgi(prefix: string, target: GatewayTarget, options?: GatewayOptions): ScgiMiddleware;
export function scgi(
  first: GatewayTarget,
  second?: GatewayTarget | GatewayOptions,
  third?: GatewayOptions,
): ScgiMiddleware {
  const { prefix, target, options } = readArguments<GatewayOptions>(first, second, third);
  return createMiddleware(resolveGatewaySettings(target, options), prefix);
}
