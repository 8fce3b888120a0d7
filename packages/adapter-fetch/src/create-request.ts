// Chooses what requests are: lazy ones where the runtime's own class takes them for real, else real ones.

import { plainFrontEnd } from '@scgi/core/env';
import { LazyRequest, requestInit } from './lazy-request.js';
import type { RequestSource } from './request-source.js';

const NativeRequest = globalThis.Request;

const nativeSources = new WeakMap<object, RequestSource>();

/** A Request for `source`. */
export const createRequest: (source: RequestSource) => Request = lazyRequestsWork() ? createLazy : createNative;

function createLazy(source: RequestSource): Request {
  const request: unknown = new LazyRequest(source);
  if (request instanceof NativeRequest) return request;
  throw new TypeError('the global Request was replaced');
}

/**
 * Node.js 24 and later keep the state of a Request in private fields, which nothing but its constructor can make:
 * `new Request(lazy)` and `fetch(lazy)` would fail. There, the constructor takes a tenth of the time.
 */
function createNative(source: RequestSource): Request {
  // Fields last: the constructor would copy them. The signal is half of the time, but without it a `fetch(request)` would
  // go on when the client has left.
  const request = new NativeRequest(source.url, requestInit(source, source.body?.stream ?? null));
  source.addFields(request.headers);
  nativeSources.set(request, source);
  return request;
}

/** What a request was made of, if it was made here. */
export function sourceOf(request: object): RequestSource | undefined {
  return LazyRequest.sourceOf(request) ?? nativeSources.get(request);
}

/** Asks the runtime itself, with a request that differs in everything from the default one. */
function lazyRequestsWork(): boolean {
  const { signal } = new AbortController();
  const source = {
    method: 'PUT',
    url: 'http://localhost/a?b',
    signal,
    body: null,
    env: undefined,
    frontEnd: plainFrontEnd,
    addFields: (headers: Headers) => headers.append('a', 'b'),
  };
  try {
    const lazy: unknown = new LazyRequest(source);
    if (!(lazy instanceof NativeRequest)) return false;
    return [new NativeRequest(lazy), lazy.clone()].every(
      ({ method, url, headers }) => method === source.method && url === source.url && headers.get('a') === 'b',
    );
  } catch {
    return false; // It looked for fields that a lazy request cannot have.
  }
}
