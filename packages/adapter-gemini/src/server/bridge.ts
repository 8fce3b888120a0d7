// Makes an exchange of each request: core's seam on one side, the handler on the other.

import { createEnv } from '@scgi/core';
import type { ScgiError } from '@scgi/core';
import type { ScgiRequest } from '@scgi/core/env';
import type { RequestHead } from '@scgi/core/protocol';
import { formatErrorResponse } from '@scgi/core/server';
import type { BridgedRequest, RequestHandler, ScgiBridge } from '@scgi/core/server';
import { GeminiExchange } from './exchange.js';
import type { GeminiHost } from './exchange.js';

/** Core asks for the facts of an HTTP request. This one has no method, no fields and, from Molly Brown, no target. */
const noHttpRequest: ScgiRequest = {
  method: 'GET',
  target: '/',
  httpVersionMinor: 0,
  fields: [],
  remoteAddress: undefined,
  remotePort: undefined,
  localAddress: undefined,
  localPort: undefined,
  serverName: undefined,
  encrypted: true,
  scriptName: '',
  upgrade: undefined,
};

export class GeminiBridge implements ScgiBridge {
  readonly #host: GeminiHost;

  constructor(host: GeminiHost) {
    this.#host = host;
  }

  readRequest(): ScgiRequest {
    return noHttpRequest;
  }

  createHandler({ connection, head }: BridgedRequest): RequestHandler {
    return new GeminiExchange(connection, envOf(head), this.#host);
  }

  /** Whoever speaks HTTP to this port should read that; a Gemini server gets what it can pass on. */
  formatError(error: ScgiError): string {
    if (error.code === 'ERR_SCGI_PLAIN_HTTP') return formatErrorResponse(error);
    return error.code === 'ERR_SCGI_GEMINI_REQUEST' ? '59 Bad request\r\n' : '42 CGI error\r\n';
  }
}

function envOf(head: RequestHead): ReturnType<typeof createEnv> {
  return createEnv(head.variables);
}
