// Finds the variables of a request, whatever a framework has wrapped it in.

import { getScgiEnv as findInMessage } from '@scgi/core';
import type { CgiEnv } from '@scgi/core';
import { sourceOf } from './create-request.js';
import type { RequestSource } from './request-source.js';

/** A framework's context around its request around ours. */
const MAX_WRAPPERS = 4;

/**
 * The SCGI variables of a request, or of what wraps it: Hono's `c`, h3's `event`, a `req` of Node's.
 * Returns undefined for a request that did not come over SCGI, and for a copy made with `new Request(request)`.
 */
export function getScgiEnv(request: object): CgiEnv | undefined {
  return findSource(request)?.env ?? findInMessage(request);
}

/** What the request was made of, under the same names and in the same wrappings. */
export function findSource(request: object): RequestSource | undefined {
  let holder: unknown = request;
  for (let depth = 0; depth <= MAX_WRAPPERS && isHolder(holder); depth += 1) {
    const source = sourceOf(holder);
    if (source !== undefined) return source;
    holder = holder.req ?? holder.raw;
  }
  return undefined;
}

function isHolder(value: unknown): value is { readonly req?: unknown; readonly raw?: unknown } {
  return typeof value === 'object' && value !== null;
}
