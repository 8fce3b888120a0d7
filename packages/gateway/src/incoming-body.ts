// Node's request and an answer that comes before its end: the body as a stream that can be destroyed without taking the
// connection from the client, and an answer that does not close the connection under the rest. Knows nothing of Koa.

import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { AbortError } from '@scgi/core/protocol';
import { stopReading } from '@scgi/core/relay';

/** Reads a request at the pace of its own reader. Destroyed, it lets the rest go by for `lingerTimeout`. */
export class IncomingBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #lingerTimeout: number;
  readonly #onData: (chunk: Uint8Array) => void;
  readonly #onEnd: () => void;
  readonly #onClose: () => void;
  #begun: boolean;

  /** @param lingerTimeout milliseconds; 0 for no limit */
  constructor(request: IncomingMessage, lingerTimeout: number) {
    super();
    this.#request = request;
    this.#lingerTimeout = lingerTimeout;
    this.#begun = false;
    this.#onData = (chunk) => {
      if (!this.push(chunk)) request.pause();
    };
    this.#onEnd = () => void this.push(null);
    this.#onClose = () => {
      if (!request.readableEnded) this.destroy(new AbortError('ERR_SCGI_CLIENT_GONE'));
    };
  }

  override _read(): void {
    const request = this.#request;
    if (!this.#begun) {
      this.#begun = true;
      request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    }
    request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#linger();
    callback(error);
  }

  /** Unread input would be a reset to the client, in place of the answer that lies before it. */
  #linger(): void {
    const request = this.#request;
    request.resume();
    if (request.complete || request.destroyed || this.#lingerTimeout === 0) return;
    const timer = setTimeout(() => request.complete || stopReading(request), this.#lingerTimeout);
    request.once('close', () => clearTimeout(timer));
  }
}

type TransformCallback = (error?: Error | null, chunk?: unknown) => void;

/**
 * Passes an answer on that may be over before the request is, and holds its end back for so long: on a connection that
 * closes with the answer, unread input would be a reset. An IncomingBody bounds how long that is.
 */
export class HeldEnd extends Transform {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
  }

  override _transform(chunk: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    const request = this.#request;
    if (request.complete || request.destroyed) callback();
    else request.once('end', () => callback());
  }
}
