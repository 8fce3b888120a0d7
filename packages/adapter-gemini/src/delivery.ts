// One response on its way: runs the handler within its time, sends header and body no faster than the peer takes them,
// and ends what is left when either side fails. Knows neither TLS nor SCGI: whoever owns the connection writes.

import type { Readable } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';
import { discardBody, pieceBytes, toReadable } from './body.js';
import type { GeminiBody } from './body.js';
import { callHandler } from './handler.js';
import { wasReported } from './reported.js';
import type { GeminiHandler } from './handler.js';
import type { Departure, GeminiRequest } from './request.js';
import type { GeminiResponse } from './response.js';

/** The connection. */
export interface DeliveryOwner {
  /** What to answer when the handler fails. */
  readonly failure: GeminiResponse;
  /** How long the handler may take, milliseconds; 0 for no limit. */
  readonly handlerTimeout: number;
  /** Returns false to ask for a pause until `resume`. */
  write(chunk: string | Uint8Array): boolean;
  /** The whole response is written. */
  finish(): void;
  /** It will not become whole: the peer must not take it for that. */
  breakOff(): void;
  report(error: unknown): void;
}

export class Delivery {
  readonly #owner: DeliveryOwner;
  readonly #departure: Departure;
  #timer: NodeJS.Timeout | undefined = undefined;
  #body: Readable | undefined = undefined;
  #started: boolean = false;
  #over: boolean = false;

  constructor(owner: DeliveryOwner, departure: Departure) {
    this.#owner = owner;
    this.#departure = departure;
  }

  /** The header is written. */
  get started(): boolean {
    return this.#started;
  }

  /** Everything is written, or it never will be. */
  get over(): boolean {
    return this.#over;
  }

  /** Lets the handler answer. */
  run(handler: GeminiHandler, request: GeminiRequest): void {
    const { handlerTimeout } = this.#owner;
    if (handlerTimeout > 0) this.#timer = setTimeout(onHandlerTimeout, handlerTimeout, this);
    callHandler(handler, request).then(
      (response) => this.send(response),
      (error: unknown) => this.#failHandler(error),
    );
  }

  /** Sends a response; one that comes too late is dropped. */
  send(response: GeminiResponse): void {
    clearTimeout(this.#timer);
    if (this.#started || this.#over) {
      discardBody(response.body);
      return;
    }
    this.#started = true;
    const { status, meta, body } = response;
    const header = meta === '' ? `${status}\r\n` : `${status} ${meta}\r\n`;
    if (typeof body === 'string' && body.length * 3 <= pieceBytes) {
      this.#owner.write(header + body);
      this.#end();
    } else if (body === undefined) {
      this.#owner.write(header);
      this.#end();
    } else {
      this.#owner.write(header);
      this.#stream(body);
    }
  }

  /** The peer takes bytes again. */
  resume(): void {
    this.#body?.resume();
  }

  /** The peer has left: nobody is told, for nobody is left. */
  abort(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#departure.announce(reason);
    // Destroyed without an error: that it was broken off is not the body's fault.
    this.#body?.destroy();
  }

  /** For the timer only. */
  timeOut(): void {
    const { handlerTimeout } = this.#owner;
    this.#failHandler(new LocalProtocolError('ERR_SCGI_HANDLER_TIMEOUT', { handlerTimeout }));
  }

  #failHandler(error: unknown): void {
    if (this.#started || this.#over) return;
    const owner = this.#owner;
    this.send(owner.failure);
    this.#departure.announce(toError(error));
    owner.report(error);
  }

  #stream(source: GeminiBody): void {
    let body: Readable;
    try {
      body = toReadable(source);
    } catch (error) {
      this.#failBody(error);
      return;
    }
    this.#body = body;
    body.on('error', (error) => this.#failBody(error));
    body.on('close', () => this.#failBody(new Error('the body of the response was closed before its end')));
    body.on('end', () => this.#end());
    body.on('data', (chunk: unknown) => this.#take(body, chunk));
  }

  #take(body: Readable, chunk: unknown): void {
    if (this.#over) return;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      body.destroy(new TypeError('a chunk of the body is neither a string nor bytes'));
    } else if (chunk.length > 0 && !this.#owner.write(chunk)) {
      body.pause();
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.finish();
  }

  #failBody(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.breakOff();
    this.#departure.announce(toError(error));
    if (!wasReported(error)) this.#owner.report(error);
  }
}

function onHandlerTimeout(delivery: Delivery): void {
  delivery.timeOut();
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the response failed', { cause: error });
}
