// One request on its way and its answer: where the body of a caller, a call of the exchange and the promise of an answer
// meet. Whatever ends it, the source of the body, the connection and the listener of the signal go with it.

import type { Readable } from 'node:stream';
import { AbortError, ScgiError } from '@scgi/core/protocol';
import { BodyPump, type BodySink } from './body/body-pump.js';
import type { AnswerDecoder, Backend, BackendSettings, Call, CallRequest, ExchangeHandler } from './exchange/index.js';
import type { BodyOrigin } from './response-body.js';
import { ResponseBody } from './response-body.js';
import type { TunnelSink } from './response-streams.js';

/** Makes an answer of what the exchange has received of it. */
export interface Receiver<Head, Answer> {
  decoder(): AnswerDecoder<Head>;
  answer(head: Head, body: ResponseBody, transfer: Tunnel): Answer;
}

/** How an answer becomes a tunnel. */
export interface Tunnel {
  /** Gives what takes bytes from now on. `onDrain` is called after a write that returned false. */
  open(onDrain: () => void): TunnelSink;
}

/** What is sent, and by which rules. */
export interface TransferRequest extends CallRequest {
  /** Where the body comes from unless it is there already. */
  readonly source: Readable | undefined;
  readonly settings: BackendSettings;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a request.
 * @throws {ScgiError} or the signal's reason; as a rejection
 */
export function transfer<Head, Answer>(
  backend: Backend,
  request: TransferRequest,
  receiver: Receiver<Head, Answer>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const running = new Transfer(request, receiver, resolve, reject);
    running.start(backend);
  });
}

class Transfer<Head, Answer> implements ExchangeHandler<Head>, BodySink, BodyOrigin, Tunnel, TunnelSink {
  readonly #request: TransferRequest;
  readonly #receiver: Receiver<Head, Answer>;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #pump: BodyPump | undefined;
  readonly #onAbort: (() => void) | undefined;
  #call: Call<Head> | undefined;
  #body: ResponseBody | undefined;
  #onTunnelDrain: (() => void) | undefined;

  constructor(
    request: TransferRequest,
    receiver: Receiver<Head, Answer>,
    resolve: (answer: Answer) => void,
    reject: (reason: unknown) => void,
  ) {
    const { source, signal, bodyLength } = request;
    this.#request = request;
    this.#receiver = receiver;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#pump = source === undefined ? undefined : new BodyPump(source, bodyLength, this);
    this.#onAbort = signal === undefined ? undefined : () => this.#giveUp(signal.reason);
    this.#call = undefined;
    this.#body = undefined;
    this.#onTunnelDrain = undefined;
  }

  start(backend: Backend): void {
    const { signal, settings } = this.#request;
    if (signal?.aborted === true) {
      this.#fail(signal.reason);
      return;
    }
    try {
      this.#call = backend.openWith(this.#receiver.decoder(), this.#request, this, settings);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#onAbort !== undefined) signal?.addEventListener('abort', this.#onAbort);
  }

  onConnect(): void {
    this.#pump?.start();
  }

  takeBody(chunk: Uint8Array): boolean {
    const call = this.#call;
    if (call?.takesBody === true) return call.write(chunk);
    // The backend reads no more; its answer may still come.
    this.#pump?.stop();
    return true;
  }

  onBodyEnd(): void {}

  onBodyError(error: ScgiError): void {
    this.#giveUp(error);
  }

  onDrain(): void {
    if (this.#onTunnelDrain === undefined) this.#pump?.resume();
    else this.#onTunnelDrain();
  }

  onHead(head: Head): void {
    this.#body = new ResponseBody(this);
    this.#resolve(this.#receiver.answer(head, this.#body, this));
  }

  onBody(data: Uint8Array): boolean {
    return this.#body?.receive(data) ?? true;
  }

  onEnd(): void {
    this.#release();
    this.#body?.end();
  }

  onError(error: ScgiError): void {
    this.#fail(error);
  }

  open(onDrain: () => void): TunnelSink {
    this.#pump?.stop();
    this.#onTunnelDrain = onDrain;
    this.#call?.openTunnel();
    return this;
  }

  get takesBody(): boolean {
    return this.#call?.takesBody ?? false;
  }

  write(chunk: Uint8Array): boolean {
    return this.#call?.write(chunk) ?? true;
  }

  end(): void {
    this.#call?.end();
  }

  resume(): void {
    this.#call?.resume();
  }

  /** Nobody wants the answer any more. */
  destroy(): void {
    this.#call?.destroy();
    this.#release();
  }

  #giveUp(reason: unknown): void {
    this.#call?.destroy();
    this.#fail(reason);
  }

  #fail(reason: unknown): void {
    this.#release();
    if (this.#body === undefined) this.#reject(reason);
    else this.#body.fail(toError(reason));
  }

  #release(): void {
    this.#pump?.stop();
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** A signal may be aborted with anything, but a stream fails with an error. */
function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new AbortError('ERR_SCGI_CLIENT_GONE', {}, { cause: reason });
}
