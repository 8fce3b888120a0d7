// Finds the request in whatever a framework has wrapped around it. Knows frameworks by their shape.

import type { IncomingMessage } from 'node:http';

/** A request of one of the two kinds. */
export type FoundRequest =
  | { readonly kind: 'node'; readonly message: IncomingMessage; readonly contextUrl: unknown }
  | { readonly kind: 'fetch'; readonly request: Request };

/** A framework's context around its request around Node's. */
const MAX_WRAPPERS = 4;

/** Koa's `ctx`, Fastify's `request`, Express's `req`, Node's own, Hono's `c.req` or a Request; undefined for what is none. */
export function findRequest(wrapped: object): FoundRequest | undefined {
  let holder: unknown = wrapped;
  let contextUrl: unknown;
  for (let depth = 0; depth <= MAX_WRAPPERS && isHolder(holder); depth += 1) {
    if (isMessage(holder)) return { kind: 'node', message: holder, contextUrl };
    if (isFetchRequest(holder)) return { kind: 'fetch', request: holder };
    contextUrl ??= holder.originalUrl;
    holder = holder.req ?? holder.raw;
  }
  return undefined;
}

interface Holder {
  readonly req?: unknown;
  readonly raw?: unknown;
  readonly originalUrl?: unknown;
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}

/** Not by its class: that of tests without a socket, and of HTTP/2, is another one. Contexts have no rawHeaders. */
function isMessage(value: object): value is IncomingMessage {
  return 'rawHeaders' in value && 'httpVersion' in value && 'socket' in value;
}

/** Not by its class either: there are several, of several copies of Undici. */
function isFetchRequest(value: object): value is Request {
  if (!('url' in value && 'signal' in value && 'headers' in value)) return false;
  const { headers } = value;
  return typeof headers === 'object' && headers !== null && 'get' in headers && typeof headers.get === 'function';
}
