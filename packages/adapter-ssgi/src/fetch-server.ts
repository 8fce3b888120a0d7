// The pick 'fetch': handed to @scgi/adapter-fetch, an optional peer, known by its shape.

import { LocalProtocolError } from '@scgi/core';
import type { RunningServer, ServeOptions } from '@scgi/core';
import type { SsgiErrorHook, SsgiServeOptions } from './types.js';

interface FetchAdapter {
  serveScgi(app: unknown, options: object): Promise<RunningServer>;
}

/** By a variable, so that the compiler does not look for what need not be there. */
const packageName: string = '@scgi/adapter-fetch';

/** Serves HTTP with `http`, and requests for WebSockets with `websocket`, null for 501; both may be the same handler. */
export async function serveFetch(
  http: unknown,
  websocket: unknown,
  given: SsgiServeOptions,
  options: ServeOptions,
): Promise<RunningServer> {
  const adapter = await loadAdapter();
  return adapter.serveScgi(http === websocket ? http : splitByProtocol(http, websocket), {
    ...options,
    ...(given.onError === undefined ? {} : { onError: adaptHook(given.onError) }),
    ...(given.maxPayload === undefined ? {} : { webSocket: { maxPayload: given.maxPayload } }),
  });
}

/** One handler that looks who is to answer. */
function splitByProtocol(
  http: unknown,
  websocket: unknown,
): (request: Request, ...rest: readonly unknown[]) => unknown {
  return (request, ...rest) => {
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return call(http, request, rest);
    return websocket === null ? new Response('Not Implemented\n', { status: 501 }) : call(websocket, request, rest);
  };
}

function call(handler: unknown, request: Request, rest: readonly unknown[]): unknown {
  if (typeof handler === 'function') return handler(request, ...rest);
  if (hasFetch(handler)) return handler.fetch(request, ...rest);
  throw new TypeError('a Fetch handler is a function, or an object with `fetch`');
}

function hasFetch(value: unknown): value is { fetch(request: Request, ...rest: readonly unknown[]): unknown } {
  return typeof value === 'object' && value !== null && 'fetch' in value && typeof value.fetch === 'function';
}

function adaptHook(onError: SsgiErrorHook): (error: unknown, request: Request) => void {
  return (error, { method, url, signal }) => onError(error, { method, url, aborted: signal.aborted });
}

async function loadAdapter(): Promise<FetchAdapter> {
  let adapter: unknown;
  try {
    adapter = await import(packageName);
  } catch (cause) {
    const details = { interface: 'fetch', remedy: `npm install ${packageName}` };
    throw new LocalProtocolError('ERR_SCGI_OPTION', details, { cause });
  }
  if (isFetchAdapter(adapter)) return adapter;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { fault: `${packageName} has no serveScgi` });
}

function isFetchAdapter(value: unknown): value is FetchAdapter {
  return typeof value === 'object' && value !== null && 'serveScgi' in value && typeof value.serveScgi === 'function';
}
