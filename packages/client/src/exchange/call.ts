// One request to a backend, whichever of its addresses answers: waits for a connection, goes on to the next address
// when one cannot be reached, tries again where that is safe, and bounds the whole in time and size.
// Owns no socket: an Exchange does.

import { BackendError, encodeRequest, RemoteProtocolError } from '@scgi/core/protocol';
import type { ScgiError } from '@scgi/core/protocol';
import type { AnswerDecoder } from './answer.js';
import { mayTryOn } from './connect-error.js';
import { Exchange } from './exchange.js';
import type { ExchangeHandler, ExchangeRequest } from './exchange.js';
import type { Peer, Peers } from './peers.js';
import type { ReadBlocks } from './read-blocks.js';
import { type BackendSettings, MAX_TIMEOUT_MS } from './settings.js';
import type { Slots, SlotUser } from './slots.js';

/** What a call has from its backend. */
export interface CallHost {
  readonly slots: Slots;
  readonly peers: Peers;
  readonly blocks: ReadBlocks;
}

/** One request. */
export interface CallRequest {
  /** REQUEST_METHOD. Of RFC 9110 §9.2.2 the idempotent ones may be retried. */
  readonly method: string;
  /** Flat: name, value, name, value … without CONTENT_LENGTH and SCGI. */
  readonly variables: readonly string[];
  /** Bytes of body. */
  readonly bodyLength: number;
  /** The whole body, if it is there already; else `write` is given it. */
  readonly body?: Uint8Array | undefined;
}

/** Up to this a body is copied behind the head, so that both are one write. */
const SMALL_BODY_BYTES = 16_384;

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** One request and its answer. Its handler hears what an ExchangeHandler hears, once. */
export class Call<Head> implements ExchangeHandler<Head>, SlotUser {
  readonly #host: CallHost;
  readonly #request: ExchangeRequest;
  readonly #decoder: AnswerDecoder<Head>;
  readonly #settings: BackendSettings;
  readonly #handler: ExchangeHandler<Head>;
  #exchange: Exchange<Head> | undefined;
  #peer: Peer | undefined;
  #tried: Set<Peer> | undefined;
  #retriesLeft: number;
  #total: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #bytes: number;
  #holdsSlot: boolean;
  #over: boolean;

  /** @throws {LocalProtocolError} ERR_SCGI_VARIABLE */
  constructor(
    host: CallHost,
    request: CallRequest,
    decoder: AnswerDecoder<Head>,
    settings: BackendSettings,
    handler: ExchangeHandler<Head>,
  ) {
    this.#host = host;
    this.#request = encode(request);
    this.#decoder = decoder;
    this.#settings = settings;
    this.#handler = handler;
    this.#exchange = undefined;
    this.#peer = undefined;
    this.#tried = undefined;
    this.#retriesLeft = idempotent.has(request.method) ? settings.retries : 0;
    this.#total = undefined;
    this.#retry = undefined;
    this.#bytes = 0;
    this.#holdsSlot = false;
    this.#over = false;
  }

  /**
   * For the backend that made the call; no handler is called before this returns.
   * @throws {BackendError} ERR_SCGI_BACKEND_BUSY for a full queue
   */
  start(): void {
    this.#host.slots.take(this);
    if (this.#settings.totalTimeout > 0) this.#total = setTimeout(onTotalTimeout, this.#settings.totalTimeout, this);
  }

  onSlot(): void {
    this.#holdsSlot = true;
    this.#attempt(this.#host.peers.choose());
  }

  onNoSlot(error: ScgiError): void {
    this.#fail(error);
  }

  /** Sends a piece of the body; see `Exchange.write`. Not before `onConnect`. */
  write(chunk: Uint8Array): boolean {
    return this.#exchange?.write(chunk) ?? true;
  }

  /** See `Exchange.takesBody`. */
  get takesBody(): boolean {
    return this.#exchange?.takesBody ?? false;
  }

  /** See `Exchange.openTunnel`. A tunnel has no total time. */
  openTunnel(idleTimeout?: number): void {
    clearTimeout(this.#total);
    this.#exchange?.openTunnel(idleTimeout);
  }

  /** After an upgrade: no more will be written. */
  end(): void {
    this.#exchange?.end();
  }

  /** Goes on reading after an `onBody` that returned false. */
  resume(): void {
    this.#exchange?.resume();
  }

  /** Gives up: the connection closes now, nothing more is reported. */
  destroy(): void {
    if (this.#over) {
      this.#exchange?.destroyHalfOpen();
      return;
    }
    this.#host.slots.leave(this);
    this.#exchange?.destroy();
    this.#finish();
  }

  #attempt(peer: Peer): void {
    this.#peer = peer;
    const onClose = (): void => this.#closed(peer, exchange);
    const { blocks } = this.#host;
    const exchange = new Exchange(peer.address, this.#request, this.#decoder, this.#settings, this, blocks, onClose);
    peer.connections += 1;
    this.#exchange = exchange;
  }

  /** An attempt's socket is closed. The slot stays with the call while it tries on. */
  #closed(peer: Peer, exchange: Exchange<Head>): void {
    peer.connections -= 1;
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    if (this.#over) this.#releaseSlot();
  }

  #releaseSlot(): void {
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    this.#host.slots.release();
  }

  onConnect(): void {
    this.#handler.onConnect();
  }

  onDrain(): void {
    this.#handler.onDrain();
  }

  onHead(head: Head): void {
    if (this.#peer !== undefined) this.#host.peers.succeeded(this.#peer);
    if ((this.#decoder.bodyBytesLeft ?? 0) > this.#settings.maxResponseSize) this.#failTooLarge();
    else this.#handler.onHead(head);
  }

  onBody(data: Uint8Array): boolean {
    this.#bytes += data.length;
    if (this.#bytes <= this.#settings.maxResponseSize) return this.#handler.onBody(data);
    this.#failTooLarge();
    return false;
  }

  #failTooLarge(): void {
    const { maxResponseSize } = this.#settings;
    this.#exchange?.destroy();
    this.#fail(new RemoteProtocolError('ERR_SCGI_RESPONSE_TOO_LARGE', { maxResponseSize }));
  }

  onEnd(): void {
    this.#finish();
    this.#handler.onEnd();
  }

  onError(error: ScgiError): void {
    const peer = this.#peer;
    if (peer !== undefined && isPeersFault(error)) this.#host.peers.failed(peer);
    if (peer !== undefined && this.#exchange?.connected === false && mayTryOn(error)) {
      this.#tryOn(peer, error);
    } else {
      this.#fail(error);
    }
  }

  /** No connection was made, so nothing was sent, and another address may get the request, whatever its method: nginx's rule. */
  #tryOn(peer: Peer, error: ScgiError): void {
    this.#tried ??= new Set();
    this.#tried.add(peer);
    const next = this.#host.peers.chooseOther(this.#tried);
    if (next !== undefined) {
      this.#attempt(next);
      return;
    }
    if (this.#retriesLeft === 0) {
      this.#fail(error);
      return;
    }
    const { retries, retryDelay } = this.#settings;
    const delay = Math.min(retryDelay * 2 ** (retries - this.#retriesLeft), MAX_TIMEOUT_MS);
    this.#retriesLeft -= 1;
    this.#tried = undefined;
    this.#retry = setTimeout(onRetry, delay, this);
  }

  /** For the timer only. */
  tryAgain(): void {
    this.#attempt(this.#host.peers.choose());
  }

  /** For the timer only. */
  timeOut(): void {
    const awaited = this.#holdsSlot ? 'whole response' : 'free connection';
    this.destroy();
    this.#handler.onError(
      new BackendError('ERR_SCGI_BACKEND_TIMEOUT', { awaited, totalTimeout: this.#settings.totalTimeout }),
    );
  }

  #fail(error: ScgiError): void {
    this.#finish();
    this.#handler.onError(error);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#total);
    clearTimeout(this.#retry);
    // Else with the close of the socket: until then the backend is busy with us.
    if (this.#exchange === undefined) this.#releaseSlot();
  }
}

function encode({ variables, body, bodyLength }: CallRequest): ExchangeRequest {
  const head = encodeRequest(variables, body?.length ?? bodyLength);
  if (body === undefined) return { head, body, bodyLength };
  const small = body.length <= SMALL_BODY_BYTES;
  return { head: small ? Buffer.concat([head, body]) : head, body: small ? undefined : body, bodyLength: 0 };
}

function onTotalTimeout(call: Call<unknown>): void {
  call.timeOut();
}

function onRetry(call: Call<unknown>): void {
  call.tryAgain();
}

/** Of what can go wrong, what says that another address might do better: unreachable, broken off, silent, no answer. */
function isPeersFault({ code }: ScgiError): boolean {
  return code.startsWith('ERR_SCGI_BACKEND_') ? code !== 'ERR_SCGI_BACKEND_BUSY' : code === 'ERR_SCGI_RESPONSE_EMPTY';
}
