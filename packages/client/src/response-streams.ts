// The streams that a caller reads an answer's body from: a Readable, and after an upgrade a Duplex. Both pull, so that
// their back-pressure is that of the socket; destroying one closes the connection.

import { Duplex, Readable } from 'node:stream';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { BodyReader, ResponseBody } from './response-body.js';

type Callback = (error?: Error | null) => void;

/** A body as a stream. Made before anybody reads it, it costs nothing until then. */
export class ResponseStream extends Readable implements BodyReader {
  readonly #body: ResponseBody;
  #waiting: boolean;

  constructor(body: ResponseBody) {
    super();
    this.#body = body;
    this.#waiting = false;
  }

  override _read(): void {
    if (this.#body.claim(this)) this.#waiting = forward(this.#body, this);
    else this.destroy(new LocalProtocolError('ERR_SCGI_BODY_USED'));
  }

  onReadable(): void {
    if (this.#waiting && !this.destroyed) this.#waiting = forward(this.#body, this);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#body.cancel();
    callback(error);
  }
}

/** The writing side of a tunnel. */
export interface TunnelSink {
  /** False once `write` drops what it is given. */
  readonly takesBody: boolean;
  /** Returns false to ask for a pause. */
  write(chunk: Uint8Array): boolean;
  /** What was written goes out, and then the end. */
  end(): void;
  destroy(): void;
}

/** What follows a 101, both ways. As with net.Socket, ours ends with the side of the backend. */
export class TunnelSocket extends Duplex implements BodyReader {
  readonly #body: ResponseBody;
  readonly #sink: TunnelSink;
  #waiting: boolean;
  #blocked: Callback | undefined;

  constructor(body: ResponseBody, sink: TunnelSink) {
    super({ allowHalfOpen: false });
    this.#body = body;
    this.#sink = sink;
    this.#waiting = false;
    this.#blocked = undefined;
    body.claim(this);
  }

  override _read(): void {
    this.#waiting = forward(this.#body, this);
  }

  onReadable(): void {
    if (this.destroyed) return;
    if (this.#waiting) this.#waiting = forward(this.#body, this);
    // Nobody takes bytes any more: no drain comes, and further ones are dropped.
    if (!this.#sink.takesBody) this.onDrain();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#sink.write(chunk)) callback();
    else this.#blocked = callback;
  }

  /** The sink takes bytes again. */
  onDrain(): void {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    blocked?.();
  }

  override _final(callback: Callback): void {
    this.#sink.end();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#body.cancel();
    this.#sink.destroy();
    callback(error);
  }
}

/** One step. Returns whether the stream waits for more. */
function forward(body: ResponseBody, stream: Readable): boolean {
  const chunk = body.take();
  if (chunk !== null) stream.push(chunk);
  else if (body.failure !== undefined) stream.destroy(body.failure);
  else if (body.over) stream.push(null);
  else return true;
  return false;
}
