// What becomes of an application that fails: one request never takes the process down, and the peer never takes half a
// response for a whole one.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** What serves requests: `(req, res)`, an Express app, a Connect stack. May return a promise. */
export type ScgiListener = (request: IncomingMessage, response: ServerResponse) => unknown;

const failureText = 'Internal Server Error\n';

/** Hears of an application that threw or rejected. */
export type ErrorHook = (error: unknown, request: IncomingMessage) => void;

/** Answers for a listener that throws or rejects: 500 before the head, a broken connection behind it. */
export function guardListener(listener: ScgiListener, onError: ErrorHook = logError): RequestListener {
  return (request, response) => {
    const fail = (error: unknown): void => {
      failRequest(response, error);
      // What the hook throws is the application's own: it ends the process as any uncaught error does.
      onError(error, request);
    };
    try {
      const result = listener(request, response);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  };
}

function failRequest(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.writableEnded) {
    response.destroy(error instanceof Error ? error : undefined);
    return;
  }
  // The fields set so far belong to a response that will not be.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = 500;
  response.statusMessage = '';
  response.setHeader('content-type', 'text/plain');
  // By hand: after removeHeader('content-length') Node would leave it out.
  response.setHeader('content-length', failureText.length);
  response.end(failureText);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function logError(error: unknown, request: IncomingMessage): void {
  // Whoever reads a body fails when the client leaves; that is nothing to report.
  if (request.aborted) return;
  console.error(`${request.method} ${request.url} failed:`, error);
}
