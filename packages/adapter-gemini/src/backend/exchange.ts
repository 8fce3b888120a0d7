// One request to a backend, and its answer as a GeminiResponse whose body comes as it is read. What fails before the
// answer is handed out makes it a 43; what fails behind that breaks the body.

import { Readable } from 'node:stream';
import type { Backend, Call, ExchangeHandler } from '@scgi/client/exchange';
import { ScgiError } from '@scgi/core';
import type { GeminiRequest } from '../request.js';
import { markReported } from '../reported.js';
import { GeminiResponse } from '../response.js';
import { GeminiResponseDecoder } from './decoder.js';
import type { GeminiHead } from './decoder.js';
import { failureResponse } from './failure.js';

/** Hears why a request failed. */
export type BackendErrorHook = (error: ScgiError, request: GeminiRequest) => void;

const methods = { method: 'GET', bodyLength: 0 };

export class BackendExchange implements ExchangeHandler<GeminiHead> {
  readonly #request: GeminiRequest;
  readonly #onError: BackendErrorHook;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #call: Call<GeminiHead> | undefined = undefined;
  #body: BackendBody | undefined = undefined;
  #head: GeminiHead | undefined = undefined;
  #settled: boolean = false;
  #resolve: (response: GeminiResponse) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(request: GeminiRequest, onError: BackendErrorHook) {
    this.#request = request;
    this.#onError = onError;
    this.#signal = request.signal;
    this.#onAbort = () => this.#abort();
  }

  /** Resolves with the response; rejects with the signal's reason when the client leaves before there is one. */
  start(backend: Backend, variables: readonly string[]): Promise<GeminiResponse> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#signal.aborted) {
        this.#abort();
        return;
      }
      this.#signal.addEventListener('abort', this.#onAbort, { once: true });
      try {
        this.#call = backend.openWith(new GeminiResponseDecoder(), { ...methods, variables }, this);
      } catch (error) {
        if (error instanceof ScgiError) this.onError(error);
        else throw error;
      }
    });
  }

  onConnect(): void {}

  onDrain(): void {}

  onHead(head: GeminiHead): void {
    this.#head = head;
    // Not before the rest of what came with it was looked at: it may be too large, or the connection may be broken.
    process.nextTick(settle, this);
  }

  onBody(data: Uint8Array): boolean {
    return this.#openBody().push(data);
  }

  onEnd(): void {
    this.#leave();
    this.#body?.push(null);
  }

  onError(error: ScgiError): void {
    this.#leave();
    markReported(error);
    if (this.#settled) {
      this.#body?.destroy(error);
    } else {
      this.#settled = true;
      this.#body?.destroy();
      this.#resolve(failureResponse(error));
    }
    this.#onError(error, this.#request);
  }

  /** For the next tick only. */
  settle(): void {
    if (this.#settled || this.#head === undefined) return;
    this.#settled = true;
    const { status, meta } = this.#head;
    this.#resolve(
      status >= 20 && status < 30
        ? new GeminiResponse(status, meta, this.#openBody())
        : new GeminiResponse(status, meta),
    );
  }

  #openBody(): BackendBody {
    return (this.#body ??= new BackendBody(() => this.#call));
  }

  #abort(): void {
    this.#leave();
    this.#call?.destroy();
    this.#body?.destroy();
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(this.#signal.reason);
  }

  #leave(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

function settle(exchange: BackendExchange): void {
  exchange.settle();
}

/** The body: reads on when it is read, and closes the backend's connection when it is destroyed. */
class BackendBody extends Readable {
  readonly #call: () => Call<GeminiHead> | undefined;

  constructor(call: () => Call<GeminiHead> | undefined) {
    super();
    this.#call = call;
    // A middleware may still hold the response when the backend fails; who reads the body hears of it.
    this.on('error', () => {});
  }

  override _read(): void {
    this.#call()?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#call()?.destroy();
    callback(error);
  }
}
