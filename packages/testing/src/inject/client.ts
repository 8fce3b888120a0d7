// The client's end of an injected request: sends head and body at the pace of the server, decodes the answer at the
// pace of its reader, and tells how it ended. Uses the codecs of the production client.

import type { ResponseHead } from '@scgi/core/protocol';
import { BackendError, encodeRequest, ResponseDecoder, ScgiError } from '@scgi/core/protocol';
import type { MemoryPeer } from './memory-socket.js';
import { MemorySocket } from './memory-socket.js';
import type { WireRequest } from './request.js';

/** Sooner, the server might take the end of the connection for a half-close that came with the request. */
const TURNS_BEFORE_LEAVING = 4;

/** Hears of the answer. One of the last three is called, once, as the last of all. */
export interface AnswerHandler {
  onHead(head: ResponseHead): void;
  /** Returns false to ask for a pause until `resume`. */
  onBody(data: Uint8Array): boolean;
  onWhole(): void;
  /** The answer is not whole, or none. */
  onFault(error: ScgiError): void;
  /** The client has left before the answer was whole. */
  onLeft(reason: unknown): void;
}

/** One injected request, from the outside. */
export class InjectedClient implements MemoryPeer {
  /** What the server gets as its connection. */
  readonly socket: MemorySocket;
  bytesReceived: number;
  readonly #handler: AnswerHandler;
  #decoder: ResponseDecoder;
  #wanted: (() => void) | undefined;
  /** The server's last write, while nobody takes the body. */
  #unread: (() => void) | undefined;
  #requestSent: boolean;
  #over: boolean;

  constructor(handler: AnswerHandler) {
    this.socket = new MemorySocket(this);
    this.bytesReceived = 0;
    this.#handler = handler;
    this.#decoder = new ResponseDecoder();
    this.#wanted = undefined;
    this.#unread = undefined;
    this.#requestSent = false;
    this.#over = false;
  }

  /**
   * Sends the request. Each piece arrives in a turn of the event loop of its own, as from a socket.
   * @throws {ScgiError} ERR_SCGI_VARIABLE, before anything is sent; what the body throws; what the server throws
   */
  async send({ method, variables, contentLength, body }: WireRequest): Promise<void> {
    this.#decoder = new ResponseDecoder({ requestMethod: method });
    await this.#deliver(encodeRequest(variables, contentLength));
    for await (const piece of body) {
      if (this.socket.destroyed || this.#over) return;
      if (piece.length > 0) await this.#deliver(piece);
    }
    this.#requestSent = true;
  }

  /** Goes away, without waiting for the answer if it is not whole yet. */
  leave(reason: unknown): void {
    const inTime = !this.#over;
    this.#over = true;
    this.onWanted();
    afterTurns(TURNS_BEFORE_LEAVING, () => {
      if (!this.socket.destroyed) this.socket.leave(this.#unread !== undefined);
    });
    if (inTime) this.#handler.onLeft(reason);
  }

  /** After an `onBody` that returned false. */
  resume(): void {
    const taken = this.#unread;
    this.#unread = undefined;
    taken?.();
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    await nextTurn();
    if (this.socket.destroyed || this.#over) return;
    // The server's memory, as if it came out of the kernel.
    const more = this.socket.deliver(Buffer.from(bytes));
    if (!more) await new Promise<void>((resolve) => (this.#wanted = resolve));
  }

  onWanted(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }

  onBytes(bytes: Uint8Array, taken: () => void): void {
    this.bytesReceived += bytes.length;
    if (this.#over) {
      taken();
      return;
    }
    this.#decoder.receiveData(bytes);
    if (this.#dispatch()) taken();
    else this.#unread = taken;
  }

  onFin(): void {
    if (!this.#over) {
      this.#decoder.receiveEof();
      this.#dispatch();
    }
    this.#leaveLater();
  }

  onClosed(byReset: boolean): void {
    this.onWanted();
    if (this.#over) return;
    if (byReset) this.#fail(new BackendError('ERR_SCGI_BACKEND_RESET', { reason: 'ECONNRESET' }));
    else this.onFin();
  }

  /** Returns false if nobody wants more of the body for now. */
  #dispatch(): boolean {
    let more = true;
    try {
      for (let event = this.#decoder.nextEvent(); event !== null; event = this.#decoder.nextEvent()) {
        if (event.type === 'head') this.#handler.onHead(event.head);
        else if (event.type === 'body') more = this.#handler.onBody(event.data);
        else this.#finish();
        if (this.#over) return true;
      }
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      this.#fail(error);
    }
    return more;
  }

  /** As any client, this one closes now if it still has to send, else when the server has ended. */
  #finish(): void {
    this.#over = true;
    if (!this.#requestSent) this.#leaveLater();
    this.#handler.onWhole();
  }

  #fail(error: ScgiError): void {
    this.#over = true;
    this.#handler.onFault(error);
    this.#leaveLater();
  }

  /** Not within the server's own write. */
  #leaveLater(): void {
    setImmediate(() => this.leave(undefined));
  }
}

function afterTurns(turns: number, action: () => void): void {
  if (turns === 0) action();
  else setImmediate(afterTurns, turns - 1, action);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
