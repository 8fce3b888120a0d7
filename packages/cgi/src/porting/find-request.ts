// Finds the request in whatever a framework has wrapped around it. Knows frameworks by their shape.

import type { IncomingMessage } from 'node:http';
import { findWrapped } from '@scgi/core/env';

/** A request of one of the two kinds. */
export type FoundRequest =
  | { readonly kind: 'node'; readonly message: IncomingMessage; readonly contextUrl: unknown }
  | { readonly kind: 'fetch'; readonly request: Request };

/** Koa's `ctx`, Fastify's `request`, Express's `req`, Node's own, Hono's `c.req` or a Request; undefined for what is none. */
export function findRequest(wrapped: object): FoundRequest | undefined {
  let contextUrl: unknown;
  return findWrapped<FoundRequest>(wrapped, (wrapper) => {
    if (isMessage(wrapper)) return { kind: 'node', message: wrapper, contextUrl };
    if (isFetchRequest(wrapper)) return { kind: 'fetch', request: wrapper };
    if ('originalUrl' in wrapper) contextUrl ??= wrapper.originalUrl;
    return undefined;
  });
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
