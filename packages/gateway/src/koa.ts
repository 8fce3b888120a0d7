// Backends in Koa: the answer is `ctx.status`, fields and a stream in `ctx.body`, so that what wraps the middleware sees
// it and may change it. Owns the way of one request through Koa; needs nothing of Koa but the shape of its context.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ScgiBody, ScgiResponse } from '@scgi/client';
import type { BackendTarget } from '@scgi/client/exchange';
import type { HttpRequestFacts } from '@scgi/core/env';
import {
  AbortError,
  isFieldValue,
  LocalProtocolError,
  parseContentLength,
  reasonPhrase,
  ScgiError,
} from '@scgi/core/protocol';
import { breakOff, endToEndFields, Mount, requestFacts, staysOpen, writeStatus } from '@scgi/core/relay';
import { readArguments } from './arguments.js';
import { forward, refuseFiles } from './forward.js';
import { HeldEnd, IncomingBody } from './incoming-body.js';
import type { GatewayOptions, GatewaySettings } from './options.js';
import { resolveGatewaySettings } from './options.js';

/** What the middleware needs of Koa's context, of version 2 or 3. */
export interface ScgiKoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly url: string;
  readonly originalUrl: string;
  status: number;
  message: string;
  body: unknown;
  set(field: string, value: string): void;
  append(field: string, value: string): void;
  remove(field: string): void;
  flushHeaders(): void;
}

/** Options of `scgiKoa`: those of every gateway, but files and tunnels. The functions among them get `ctx`. */
export type ScgiKoaOptions = Omit<GatewayOptions<ScgiKoaContext>, 'sendfile' | 'accelRedirect' | 'tunnelTimeout'>;

/** A middleware for `app.use`. */
export interface ScgiKoaMiddleware {
  (ctx: ScgiKoaContext, next: () => Promise<unknown>): Promise<void>;
  /** No more requests to the backend: 503. Those under way go on. */
  close(): void;
}

/**
 * Makes a Koa middleware that passes requests on to an SCGI backend. Outside of the prefix it calls `next()`.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function scgiKoa(target: BackendTarget | readonly BackendTarget[], options?: ScgiKoaOptions): ScgiKoaMiddleware;
export function scgiKoa(
  prefix: string,
  target: BackendTarget | readonly BackendTarget[],
  options?: ScgiKoaOptions,
): ScgiKoaMiddleware;
export function scgiKoa(
  first: BackendTarget | readonly BackendTarget[],
  second?: BackendTarget | readonly BackendTarget[] | ScgiKoaOptions,
  third?: ScgiKoaOptions,
): ScgiKoaMiddleware {
  const { prefix, target, options } = readArguments(first, second, third);
  return createKoaMiddleware(prefix, resolveGatewaySettings<ScgiKoaContext>(target, options));
}

/**
 * The same with settings that others may share.
 * @param prefix without a slash at its end
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for what a Koa middleware cannot do
 */
export function createKoaMiddleware(prefix: string, settings: GatewaySettings<ScgiKoaContext>): ScgiKoaMiddleware {
  refuseFiles(settings, 'a Koa middleware');
  const mount = new Mount(prefix);
  const middleware = async (ctx: ScgiKoaContext, next: () => Promise<unknown>): Promise<void> => {
    const { req } = ctx;
    // In an Express application, Koa takes what Express has left of the url for the original one.
    const originalUrl = 'originalUrl' in req ? req.originalUrl : ctx.originalUrl;
    const target = mount.locate({ url: req.url ?? '', originalUrl });
    if (target === undefined) await next();
    else await answer(settings, ctx, requestFacts(req, target, settings, false));
  };
  return Object.assign(middleware, { close: () => settings.client.close() });
}

async function answer(
  settings: GatewaySettings<ScgiKoaContext>,
  ctx: ScgiKoaContext,
  facts: HttpRequestFacts,
): Promise<void> {
  const { req, res } = ctx;
  const leaving = new AbortController();
  const { signal } = leaving;
  res.once('close', () => {
    if (!res.writableFinished) leaving.abort(new AbortError('ERR_SCGI_CLIENT_GONE'));
  });
  try {
    const body = bodyOf(req, settings.lingerTimeout);
    const response = await forward(settings, { ...body, facts, incoming: ctx, signal });
    respond(settings, ctx, response, signal);
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    // A client that has left is nobody's failure, and gets no answer.
    if (signal.aborted) return;
    settings.onError(error, ctx);
    ctx.status = error.statusHint;
    ctx.body = statusText(error.statusHint);
  }
}

function statusText(status: number): string {
  return `${status} ${reasonPhrase(status)}\n`;
}

/** @throws {LocalProtocolError} ERR_SCGI_BODY_USED when a body parser came first */
function bodyOf(req: IncomingMessage, lingerTimeout: number): { body?: ScgiBody; bodyLength: number | undefined } {
  const { headers } = req;
  const chunked = headers['transfer-encoding'] !== undefined;
  // HTTP/2 frames its bodies: without Content-Length, only the end tells how long one is.
  const announced = headers['content-length'] ?? (req.httpVersionMajor >= 2 ? undefined : '0');
  const bodyLength = chunked || announced === undefined ? undefined : (parseContentLength(announced) ?? 0);
  if (bodyLength === 0) return { bodyLength };
  if (req.readableDidRead) {
    throw new LocalProtocolError('ERR_SCGI_BODY_USED', { remedy: 'use scgiKoa() before body parsers' });
  }
  return { body: new IncomingBody(req, lingerTimeout), bodyLength };
}

function respond(
  settings: GatewaySettings<ScgiKoaContext>,
  ctx: ScgiKoaContext,
  response: ScgiResponse,
  signal: AbortSignal,
): void {
  const { req, res } = ctx;
  const { status, reason, body } = response;
  // Whatever becomes of the answer, the backend is let go with it.
  res.once('close', () => body.destroy());
  body.once('error', (error) => {
    // Whoever wraps us may have put another stream around this one, which does not hear of it.
    if (error instanceof ScgiError && !signal.aborted) fail(settings, ctx, error);
  });
  ctx.status = status;
  if (req.httpVersionMajor < 2 && isFieldValue(reason)) ctx.message = reason;
  if (req.method === 'HEAD' || status === 204 || status === 304) {
    // To its end, which is all that can come: closing before it would look like a client that left.
    body.resume();
  } else {
    const typed = res.hasHeader('Content-Type');
    const content = req.complete || staysOpen(req, res) ? body : body.pipe(new HeldEnd(req));
    ctx.body = content;
    // Koa's guess, which the backend did not make.
    if (!typed) ctx.remove('Content-Type');
    // Koa begins to read when it begins to answer. The head must not wait for the body: the first event may be minutes away.
    content.once('resume', () => {
      if (ctx.body === content && content.readableLength === 0 && !res.headersSent) ctx.flushHeaders();
    });
  }
  setFields(ctx, endToEndFields(response));
}

/** Fields that the application has set stay, unless the backend has its own; of these two all go out. */
const cumulative: ReadonlySet<string> = new Set(['set-cookie', 'vary']);

function setFields(ctx: ScgiKoaContext, fields: readonly string[]): void {
  const seen = new Set(cumulative);
  for (let index = 0; index < fields.length; index += 2) {
    const [name = '', value = ''] = fields.slice(index, index + 2);
    if (seen.has(name.toLowerCase())) ctx.append(name, value);
    else ctx.set(name, value);
    seen.add(name.toLowerCase());
  }
}

/** The body breaks off. Before anything has gone out there is still a status; later, the connection must not end in order. */
function fail(settings: GatewaySettings<ScgiKoaContext>, ctx: ScgiKoaContext, error: ScgiError): void {
  const { res } = ctx;
  if (res.headersSent) {
    breakOff(res, !res.chunkedEncoding && !res.hasHeader('Content-Length'));
  } else if (!res.writableEnded) {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    writeStatus(res, error.statusHint);
    res.end();
  }
  settings.onError(error, ctx);
}
