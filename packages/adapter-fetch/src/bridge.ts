// Makes an exchange of each request: core's seam on one side, the application's handler on the other.

import type { BridgedRequest, RequestHandler, ScgiBridge } from '@scgi/core/server';
import { BackgroundWork } from './context.js';
import type { FetchContext, FetchErrorHook } from './context.js';
import { FetchExchange } from './exchange.js';
import type { WebSockets } from './websocket.js';

/** What answers requests, by the Fetch standard. A promise of a Response, or a Response. */
export type FetchHandler = (request: Request, env: FetchContext, executionContext: FetchContext) => unknown;

export class FetchBridge implements ScgiBridge {
  readonly handler: FetchHandler;
  readonly onError: FetchErrorHook;
  readonly work: BackgroundWork;
  readonly webSockets: WebSockets;

  constructor(handler: FetchHandler, webSockets: WebSockets, onError: FetchErrorHook = logError) {
    this.handler = handler;
    this.webSockets = webSockets;
    this.onError = onError;
    this.work = new BackgroundWork();
  }

  createHandler(request: BridgedRequest): RequestHandler {
    return new FetchExchange(this, request);
  }
}

function logError(error: unknown, request: Request): void {
  // Whoever reads a body or writes one fails when the client leaves; that is nothing to report.
  if (request.signal.aborted) return;
  console.error(`${request.method} ${request.url} failed:`, error);
}
