// The private side of `http.IncomingMessage`.
// Each piece is asserted by behaviour in test/node/internals.test.ts on every Node line.

import type { IncomingMessage } from 'node:http';
import { http } from '../http.js';
import { assertMethods } from './private.js';

interface RequestInternals {
  _addHeaderLines(headers: readonly string[], count: number): void;
  _eventsCount: number;
  _consuming: boolean;
  _dumped: boolean;
  _readableState: Record<'ended' | 'endEmitted' | 'destroyed' | 'closed' | 'closeEmitted', boolean>;
  _dump(): void;
}

const requestPrototype = http.IncomingMessage.prototype as unknown as RequestInternals & Record<symbol, unknown>;

/** Node 24 and later: forgets `req.signal` when the exchange ended well. */
const kDetachAbortSignal = Object.getOwnPropertySymbols(requestPrototype).find(
  (symbol) => symbol.description === 'kDetachAbortSignal',
);

assertMethods(http.IncomingMessage, ['_addHeaderLines', '_dump']);

/** Says, as Node's parser does, whether the request is one to upgrade the connection. */
export function setUpgrade(request: IncomingMessage, upgrade: boolean): void {
  (request as unknown as { upgrade: boolean }).upgrade = upgrade;
}

/** Takes over the option `joinDuplicateHeaders` of the server. */
export function setJoinRule(request: IncomingMessage, join: boolean): void {
  (request as unknown as { joinDuplicateHeaders: boolean }).joinDuplicateHeaders = join;
}

/** Fills `rawHeaders` so that `headers` and `headersDistinct` stay lazy and follow Node's duplicate rules. */
export function setRequestFields(request: IncomingMessage, fields: readonly string[]): void {
  (request as unknown as RequestInternals)._addHeaderLines(fields, fields.length);
}

/** Discards a body nobody reads, as Node does when a response is finished. Returns false if somebody reads it. */
export function dumpUnread(request: IncomingMessage): boolean {
  const internals = request as unknown as RequestInternals;
  // A listener for `data` starts the flow one tick later; the flag alone would miss it.
  const isRead = internals._consuming || request.readableFlowing === true;
  if (isRead && !isGivenUp(request) && !request.destroyed) return false;
  internals._dump();
  return true;
}

/** Paused by somebody who listens no more: so raw-body, and Koa's body parsers with it, leave a body that is too large. */
function isGivenUp(request: IncomingMessage): boolean {
  if (request.readableFlowing !== false) return false;
  return request.listenerCount('data') === 0 && request.listenerCount('readable') === 0;
}

/**
 * Ends and closes a request without a body that nobody listens to, without the five ticks its events would take.
 * Node 24 does the same with `optimizeEmptyRequests`. Returns false, and does nothing, if somebody could tell.
 */
export function closeUnobserved(request: IncomingMessage): boolean {
  if (request.readableFlowing !== null || request.readableLength > 0) return false;
  const internals = request as unknown as RequestInternals;
  if (internals._eventsCount > 0) return false;
  internals._dumped = true;
  const state = internals._readableState;
  state.ended = state.endEmitted = state.destroyed = state.closed = state.closeEmitted = true;
  return true;
}

/** Keeps `req.signal` from aborting when the connection closes after a complete response. */
export function detachAbortSignal(request: IncomingMessage): void {
  if (kDetachAbortSignal === undefined) return;
  (request as unknown as Record<symbol, () => void>)[kDetachAbortSignal]?.();
}
