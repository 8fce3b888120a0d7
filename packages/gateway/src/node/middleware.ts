// The middleware: decides whether a request is ours, and who answers it. Runs wherever `(req, res, next)` does: Express 4
// and 5, connect, Fastify's middie, and Node's own server with no `next` at all.

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Mount, writeStatus } from '@scgi/core/relay';
import { Passage, type PassageSettings } from './passage.js';
import { UpgradePassage, type UpgradeSettings } from './upgrade.js';

/** Connect-style middleware that passes requests on to a backend. */
export interface ScgiMiddleware {
  /** Calls `next` for requests that are not below the prefix; without a `next` they get a 404. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * For `server.on('upgrade', …)`: WebSocket and its kin go through to the backend. Returns false for a request that is
   * not below the prefix; if no other listener could take it, it gets a 404.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Uint8Array) => boolean;
  /** No more requests: those that wait for a connection fail, those that have one go on. */
  readonly close: () => void;
}

/** What applies to every request of a middleware. */
export type MiddlewareSettings = PassageSettings & UpgradeSettings;

/** @param prefix without a slash at its end; empty for everything */
export function createMiddleware(settings: MiddlewareSettings, prefix: string): ScgiMiddleware {
  const mount = new Mount(prefix);
  const handle = (request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    const mounted = mount.locate(routed(request));
    if (mounted !== undefined) {
      new Passage(request, response, settings, mounted, awaitsContinue(request)).start();
    } else if (next !== undefined) {
      next();
    } else {
      writeStatus(response, 404);
      response.end();
    }
  };
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Uint8Array): boolean => {
    const mounted = mount.locate(routed(request));
    if (mounted === undefined && !isLastListener(request)) return false;
    new UpgradePassage(request, socket, head, settings).start(mounted);
    return mounted !== undefined;
  };
  return Object.assign(handle, { upgrade, close: () => settings.backend.close() });
}

/** What routers have left in a request. */
function routed(request: IncomingMessage): { url: string; originalUrl?: unknown; baseUrl?: unknown } {
  return {
    url: request.url ?? '',
    originalUrl: 'originalUrl' in request ? request.originalUrl : undefined,
    baseUrl: 'baseUrl' in request ? request.baseUrl : undefined,
  };
}

/**
 * Whether the client waits for 100 Continue. Node sends it before the `request` event, unless somebody listens for
 * `checkContinue`; a second one does no harm (RFC 9110 §15.2).
 */
function awaitsContinue(request: IncomingMessage): boolean {
  return request.headers.expect !== undefined && listeners(request, 'checkContinue') > 0;
}

function isLastListener(request: IncomingMessage): boolean {
  return listeners(request, 'upgrade') <= 1;
}

/** Node's server leaves itself in its sockets. */
function listeners({ socket }: IncomingMessage, event: string): number {
  return 'server' in socket && socket.server instanceof EventEmitter ? socket.server.listenerCount(event) : 0;
}
