// What a Request is made of, each piece on first use: most applications look at the method and the URL, and at nothing
// else. Knows variables and the connection, but no response.

import { createEnv } from '@scgi/core';
import type { AbortError, CgiEnv } from '@scgi/core';
import type { FrontEnd } from '@scgi/core/env';
import type { BridgedRequest } from '@scgi/core/server';
import type { IncomingBody } from './incoming-body.js';
import { formatRequestUrl } from './request-url.js';

/** The pieces of a Request. */
export interface RequestSource {
  readonly method: string;
  readonly url: string;
  readonly signal: AbortSignal;
  /** Null where there is none, and for GET and HEAD, which have none in the Fetch standard. */
  readonly body: IncomingBody | null;
  /** All variables. */
  readonly env: CgiEnv | undefined;
  /** What the option of this name says that the front end does. */
  readonly frontEnd: FrontEnd;
  addFields(headers: Headers): void;
}

/** The methods that the Fetch standard spells in capitals, however they come. */
const normalized = /^(?:delete|get|head|options|post|put)$/i;

/** The source of a request that came over SCGI. */
export class ScgiRequestSource implements RequestSource {
  readonly method: string;
  readonly body: IncomingBody | null;
  readonly #bridged: BridgedRequest;
  #url: string | undefined;
  #env: CgiEnv | undefined;
  #controller: AbortController | undefined;
  #abortReason: AbortError | undefined;

  constructor(request: BridgedRequest, body: IncomingBody | null) {
    const { method } = request.facts;
    this.method = normalized.test(method) ? method.toUpperCase() : method;
    this.body = this.method === 'GET' || this.method === 'HEAD' ? null : body;
    this.#bridged = request;
    this.#url = undefined;
    this.#env = undefined;
    this.#controller = undefined;
    this.#abortReason = undefined;
  }

  get url(): string {
    return (this.#url ??= formatRequestUrl(this.#bridged.facts, this.#bridged.url));
  }

  get env(): CgiEnv {
    return (this.#env ??= createEnv(this.#bridged.head.variables));
  }

  get frontEnd(): FrontEnd {
    return this.#bridged.frontEnd;
  }

  /** Repeated fields are joined by `Headers` itself, Cookie with semicolons. */
  addFields(headers: Headers): void {
    const { fields } = this.#bridged.facts;
    for (let index = 0; index < fields.length; index += 2) {
      headers.append(fields[index] ?? '', fields[index + 1] ?? '');
    }
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** The client has left before the response was complete. */
  abort(reason: AbortError): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }
}
