// Koa over SCGI. `app.callback()` is a listener, so core serves it as it is; what is left for the adapter is to put
// `scgi` on the context, and the whole URL into it below a prefix. Knows Koa by its shape: it imports none.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { cgiVariant, serveScgi as serveListener } from '@scgi/core';
import type { RunningServer, ScgiListener, ServeCgi, ServeOptions } from '@scgi/core';

/** A Koa 2 or 3 application, as far as it matters here. */
export interface KoaApp {
  /** The prototype of every `ctx` of this application, and of no other's. */
  readonly context: object;
  callback(): ScgiListener;
  createContext(request: IncomingMessage, response: ServerResponse): KoaContext;
}

/** A `ctx`, as far as it matters here. */
export interface KoaContext {
  originalUrl: string;
  readonly request: { originalUrl: string };
}

const prepared = new WeakSet<KoaApp>();

/**
 * Serves a Koa application over SCGI; resolves when it listens.
 * `ctx.ip`, `ctx.protocol`, `ctx.secure` and `ctx.host` are what the front end vouches for: leave `app.proxy` off.
 * The variables are in `ctx.scgi.env`, unless the application has a `ctx.scgi` of its own.
 * Below `basePath`, `ctx.originalUrl` and `ctx.href` hold the whole, `ctx.url` and `ctx.path` what is inside.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core
 */
export function serveScgi(app: KoaApp, options: ServeOptions = {}): Promise<RunningServer> {
  if (!prepared.has(app)) {
    prepared.add(app);
    shareScgi(app.context);
    keepWholeUrl(app);
  }
  return serveListener(app.callback(), options);
}

/**
 * Serves a Koa application as a CGI program, where a web server has started this process for one request; else as
 * `serveScgi`. What the application prints goes to the standard error then.
 */
export const serveCgi: ServeCgi<KoaApp, ServeOptions> = cgiVariant(serveScgi);

/** Once for the application, not with each request: a getter costs only those who use it. */
function shareScgi(context: object): void {
  if ('scgi' in context) return;
  Object.defineProperty(context, 'scgi', {
    configurable: true,
    get(this: { readonly req?: IncomingMessage }) {
      return this.req?.scgi;
    },
    set(this: object, value: unknown) {
      Object.defineProperty(this, 'scgi', { value, configurable: true, enumerable: true, writable: true });
    },
  });
}

/** Koa takes `req.url` for the original one, but core has cut the prefix off it by then. */
function keepWholeUrl(app: KoaApp): void {
  const { createContext } = app;
  app.createContext = (request, response) => {
    const context = createContext.call(app, request, response);
    const whole = request.scgi?.basePath ? originalUrlOf(request) : undefined;
    if (whole !== undefined) context.originalUrl = context.request.originalUrl = whole;
    return context;
  };
}

function originalUrlOf(request: IncomingMessage): string | undefined {
  return 'originalUrl' in request && typeof request.originalUrl === 'string' ? request.originalUrl : undefined;
}
