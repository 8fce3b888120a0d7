// The body of an answer as a web stream, which pulls: what nobody has asked for stays in the backend. Cancelling closes
// the connection.

import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { BodyReader, ResponseBody } from './response-body.js';

/** @param toError what readers get for a failure */
export function webStream(body: ResponseBody, toError: (failure: Error) => unknown): ReadableStream<Uint8Array> {
  return new ReadableStream(new WebSource(body, toError), { highWaterMark: 0 });
}

class WebSource implements BodyReader {
  readonly #body: ResponseBody;
  readonly #toError: (failure: Error) => unknown;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: boolean;

  constructor(body: ResponseBody, toError: (failure: Error) => unknown) {
    this.#body = body;
    this.#toError = toError;
    this.#controller = undefined;
    this.#waiting = false;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  /** Called when a reader waits, and not again before it got something. */
  pull(): void {
    if (this.#body.claim(this)) this.#forward();
    else this.#controller?.error(new LocalProtocolError('ERR_SCGI_BODY_USED'));
  }

  onReadable(): void {
    if (this.#waiting || this.#body.over) this.#forward();
  }

  cancel(): void {
    // Closed already: there is nothing left to tell it.
    this.#controller = undefined;
    this.#body.cancel();
  }

  #forward(): void {
    const body = this.#body;
    const chunk = body.take();
    this.#waiting = chunk === null && !body.over;
    if (chunk !== null) this.#controller?.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    // An error takes the place of what was enqueued and not read yet; an end comes behind it.
    if (body.failure === undefined) {
      if (body.over) this.#controller?.close();
    } else if (chunk === null) {
      this.#controller?.error(this.#toError(body.failure));
    }
  }
}
