// Which handler a request goes to. Knows nothing of what handlers do.

import type { BridgedRequest, RequestHandler, ScgiBridge } from '@scgi/core/server';
import type { SsgiHost } from './host.js';
import { HttpExchange } from './http-exchange.js';
import { plainAnswer } from './response-head.js';
import type { SsgiHttpHandler } from './types.js';
import { WebSocketRequest } from './websocket-request.js';

export class SsgiBridge implements ScgiBridge {
  readonly #host: SsgiHost;
  readonly #http: SsgiHttpHandler;

  constructor(host: SsgiHost) {
    this.#host = host;
    this.#http = host.http ?? answerWith(503);
  }

  createHandler(request: BridgedRequest): RequestHandler {
    const host = this.#host;
    if (!asksForWebSocket(request)) return new HttpExchange(request, this.#http, host);
    if (host.websocket === null) return new HttpExchange(request, answerWith(501), host);
    return new WebSocketRequest(request, host.websocket, host);
  }
}

/** RFC 6455 §4.2.1; `upgrade` is set only where the front end can carry the answer. */
function asksForWebSocket({ facts, head }: BridgedRequest): boolean {
  const { upgrade, method } = facts;
  return upgrade !== undefined && method === 'GET' && head.bodyLength === 0 && upgrade.toLowerCase() === 'websocket';
}

function answerWith(status: number): SsgiHttpHandler {
  const { fields, body } = plainAnswer(status);
  return (...call) => {
    const response = call[7];
    response.sendStatus(status);
    response.sendHeaders(pairs(fields));
    response.send(body);
  };
}

function* pairs(fields: readonly string[]): Iterable<readonly [string, string]> {
  for (let index = 0; index < fields.length; index += 2) yield [fields[index] ?? '', fields[index + 1] ?? ''];
}
