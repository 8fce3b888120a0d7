// The body of Node's request as a stream that can be destroyed without it: an early answer of the backend is no reason to
// take the connection from the client. Knows nothing of Koa or SCGI.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { AbortError } from '@scgi/core/protocol';
import { stopReading } from './node/answer.js';

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
