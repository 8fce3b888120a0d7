// CGI programs as a listener `(req, res)`, and as middleware `(req, res, next)` of Express, connect, middie and Koa.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Mount, RoutedRequest } from '@scgi/core/relay';
import { writeStatus } from '@scgi/core/relay';
import type { CgiSettings } from '../options.js';
import { CgiPassage } from './passage.js';

/** Runs programs for requests. */
export interface CgiListener {
  /** Calls `next` for requests that are not below `mount`, and where there is no such program; without a `next` that is a 404. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** A middleware for Koa's `app.use`. The program answers for good: what runs behind it sees no body. */
  readonly koa: (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>;
}

/** What is needed of Koa's context, of version 2 or 3. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly originalUrl?: string | undefined;
  respond?: boolean | undefined;
}

/** @param mount below which requests are taken */
export function createListener(settings: CgiSettings, mount: Mount): CgiListener {
  const pass = (routed: RoutedRequest, request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    const mounted = mount.locate(routed);
    if (mounted !== undefined) void new CgiPassage(request, response, settings, mounted, next).start();
    else if (next !== undefined) next();
    else {
      writeStatus(response, 404);
      response.end();
    }
  };
  const koa = (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> =>
    new Promise((resolve, reject) => {
      const goOn = (): void => {
        ctx.respond = true;
        next().then(() => resolve(), reject);
      };
      ctx.respond = false;
      ctx.res.once('close', resolve);
      pass(routedRequest(ctx.req, ctx.originalUrl), ctx.req, ctx.res, goOn);
    });
  const listen = (request: IncomingMessage, response: ServerResponse, next?: () => void): void =>
    pass(routedRequest(request), request, response, next);
  return Object.assign(listen, { koa });
}

/**
 * What routers have left in a request.
 * @param contextUrl of a context around the request, which alone knows it in Koa
 */
export function routedRequest(request: IncomingMessage, contextUrl?: unknown): RoutedRequest {
  return {
    url: request.url ?? '',
    originalUrl: 'originalUrl' in request ? request.originalUrl : contextUrl,
    baseUrl: 'baseUrl' in request ? request.baseUrl : undefined,
  };
}
