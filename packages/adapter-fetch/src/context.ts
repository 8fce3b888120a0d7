// What a handler gets beside the request, and the work that goes on behind its response.

import type { CgiEnv } from '@scgi/core';
import type { BridgedRequest } from '@scgi/core/server';
import type { ScgiRequestSource } from './request-source.js';

/** Hears of a handler that threw or rejected, of a response that cannot be sent, and of failed background work. */
export type FetchErrorHook = (error: unknown, request: Request) => void;

/** The second argument of a handler, and the third: `c.env` and `c.executionCtx` of Hono. */
export interface FetchContext {
  /** All variables of the request (RFC 3875 §4.1): null prototype, upper-case names, latin1 values. Built on first use. */
  readonly env: CgiEnv;
  /** The client, as the front end vouches for it. */
  readonly remoteAddress: string | undefined;
  /** The part of the path that the option `basePath` has cut off `request.url`; empty if none was. */
  readonly basePath: string;
  /** Lets `close()` of the server wait for work behind the response; a rejection goes to `onError`. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Does nothing: an error always goes to `onError`. For what expects it of an execution context. */
  passThroughOnException(): void;
  /** Empty, for what expects it of an execution context. */
  readonly props: unknown;
}

/** Promises that the end of the server waits for. */
export class BackgroundWork {
  readonly #pending = new Set<Promise<unknown>>();

  add(promise: Promise<unknown>, onRejected: (error: unknown) => void): void {
    const settled: Promise<unknown> = Promise.resolve(promise)
      .then(undefined, onRejected)
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }

  /** Resolves when nothing is left; more may come while it waits. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }
}

export class RequestContext implements FetchContext {
  readonly props: unknown;
  readonly #bridged: BridgedRequest;
  readonly #source: ScgiRequestSource;
  readonly #addWork: (promise: Promise<unknown>) => void;

  constructor(bridged: BridgedRequest, source: ScgiRequestSource, addWork: (promise: Promise<unknown>) => void) {
    this.props = undefined;
    this.#bridged = bridged;
    this.#source = source;
    this.#addWork = addWork;
  }

  get env(): CgiEnv {
    return this.#source.env;
  }

  get remoteAddress(): string | undefined {
    return this.#bridged.facts.remoteAddress;
  }

  get basePath(): string {
    return this.#bridged.basePath;
  }

  get waitUntil(): (promise: Promise<unknown>) => void {
    return this.#addWork;
  }

  passThroughOnException(): void {}
}
