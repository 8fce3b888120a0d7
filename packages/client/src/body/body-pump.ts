// Moves a body from where it comes from to whoever takes it, as fast as that one takes it, and holds it to its length.
// No promise and no closure per chunk. Knows neither sockets nor files.

import type { Readable } from 'node:stream';
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ErrorDetails, ScgiError } from '@scgi/core/protocol';

/** Takes a body. After `onBodyEnd` or `onBodyError` nothing more is called. */
export interface BodySink {
  /** Returns false to ask for a pause until `BodyPump.resume`. */
  takeBody(chunk: Uint8Array): boolean;
  /** The body is whole, and as long as it should be. */
  onBodyEnd(): void;
  /** ERR_SCGI_BODY_SOURCE or ERR_SCGI_BODY_LENGTH_MISMATCH. The source is destroyed. */
  onBodyError(error: ScgiError): void;
}

/** Reads one body. Listens for errors of its source from the start, for data from `start` on. */
export class BodyPump {
  readonly #source: Readable;
  readonly #length: number | undefined;
  readonly #sink: BodySink;
  #bytes: number;
  #over: boolean;

  /** @param length undefined: any */
  constructor(source: Readable, length: number | undefined, sink: BodySink) {
    this.#source = source;
    this.#length = length;
    this.#sink = sink;
    this.#bytes = 0;
    this.#over = false;
    source.on('error', (error) => this.#fail({}, error));
    source.on('close', () => this.#fail({ fault: 'closed before its end' }));
  }

  /** Starts reading. */
  start(): void {
    const source = this.#source;
    // Events of a source that is over already have been; nobody would hear of it.
    if (source.destroyed || source.readableEnded) {
      this.#fail({ fault: 'was read or closed before' }, source.errored);
      return;
    }
    source.on('end', () => this.#end());
    source.on('data', (chunk: unknown) => this.#take(chunk));
  }

  /** The sink takes bytes again. */
  resume(): void {
    if (!this.#over) this.#source.resume();
  }

  /** No more is wanted. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.destroy();
  }

  #take(given: unknown): void {
    if (this.#over) return;
    const chunk = this.#toBytes(given);
    if (chunk === undefined) {
      this.#fail({ fault: `gave ${given === null ? 'null' : typeof given} in the place of bytes` });
      return;
    }
    this.#bytes += chunk.length;
    if (this.#length !== undefined && this.#bytes > this.#length) {
      this.#failLength('longer');
      return;
    }
    if (chunk.length > 0 && !this.#sink.takeBody(chunk)) this.#source.pause();
  }

  #toBytes(chunk: unknown): Uint8Array | undefined {
    if (isUint8Array(chunk)) return chunk;
    if (typeof chunk === 'string') return Buffer.from(chunk, this.#source.readableEncoding ?? 'utf8');
    if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return isAnyArrayBuffer(chunk) ? new Uint8Array(chunk) : undefined;
  }

  #end(): void {
    if (this.#over) return;
    if (this.#length !== undefined && this.#bytes < this.#length) {
      this.#failLength(this.#bytes);
      return;
    }
    this.#over = true;
    this.#sink.onBodyEnd();
  }

  #failLength(sent: number | 'longer'): void {
    this.#failWith(
      new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { contentLength: this.#length, body: sent }),
    );
  }

  #fail(details: ErrorDetails, cause?: Error | null): void {
    const options = cause == null ? undefined : { cause };
    if (!this.#over) this.#failWith(new LocalProtocolError('ERR_SCGI_BODY_SOURCE', details, options));
  }

  #failWith(error: ScgiError): void {
    this.#over = true;
    this.#source.destroy();
    this.#sink.onBodyError(error);
  }
}
