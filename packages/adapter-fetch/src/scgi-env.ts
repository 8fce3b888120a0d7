// Finds the variables of a request, whatever a framework has wrapped it in.

import { getScgiEnv as findInMessage } from '@scgi/core';
import type { CgiEnv } from '@scgi/core';
import { findWrapped } from '@scgi/core/env';
import { sourceOf } from './create-request.js';
import type { RequestSource } from './request-source.js';

/**
 * The SCGI variables of a request, or of what wraps it: Hono's `c`, h3's `event`, a `req` of Node's.
 * Returns undefined for a request that did not come over SCGI, and for a copy made with `new Request(request)`.
 */
export function getScgiEnv(request: object): CgiEnv | undefined {
  return findSource(request)?.env ?? findInMessage(request);
}

/** What the request was made of, under the same names and in the same wrappings. */
export function findSource(request: object): RequestSource | undefined {
  return findWrapped(request, sourceOf);
}
