// The standard output of a function that stands in for a program: a Writable that hands a CGI answer to whoever reads such
// answers, at the reader's pace. Knows what can go wrong with a stream, not what that means.

import { type Readable, Writable } from 'node:stream';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ProgramOutput } from '../runner/output.js';

/** Hears of what the function does to its output. */
export interface StdoutHandler {
  /** Bytes have come. */
  onWrite(): void;
  /** It was destroyed before its end, or what was piped into it failed. */
  onBroken(cause: Error): void;
  /** Something was written behind its end: called once at most. */
  onLateWrite(): void;
}

export class ProgramStdout extends Writable {
  readonly #output: ProgramOutput;
  readonly #handler: StdoutHandler;
  /** What is piped into it, and how to stop listening there. */
  readonly #piped: Map<Readable, () => void>;
  #onTaken: ((error?: Error) => void) | undefined;
  #hasBegun: boolean;

  constructor(output: ProgramOutput, handler: StdoutHandler) {
    // Not destroyed by its end: it would hear nothing of what is written then.
    super({ decodeStrings: false, autoDestroy: false });
    this.#output = output;
    this.#handler = handler;
    this.#piped = new Map();
    this.#onTaken = undefined;
    this.#hasBegun = false;
    this.on('error', (error) => {
      if ('code' in error && error.code === 'ERR_STREAM_WRITE_AFTER_END') handler.onLateWrite();
    });
    this.on('pipe', (source: Readable) => this.#watch(source));
    this.on('unpipe', (source: Readable) => this.#unwatch(source));
  }

  /** Whether something was written. */
  get hasBegun(): boolean {
    return this.#hasBegun || this.writableLength > 0;
  }

  get isPiped(): boolean {
    return this.#piped.size > 0;
  }

  /** The reader wants more. */
  resume(): void {
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.();
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#hasBegun = true;
    this.#handler.onWrite();
    if (this.#output.receive(toBytes(chunk, encoding))) done();
    else this.#onTaken = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#output.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const cause = error ?? failure('stdout was destroyed');
    // Node fails what waits behind the write that is under way.
    this.#onTaken?.(cause);
    this.#onTaken = undefined;
    // With the end of a process its files are closed; `pipe` would leave them open.
    for (const source of this.#piped.keys()) source.destroy();
    if (!this.writableFinished) this.#handler.onBroken(cause);
    done(error);
  }

  /** Node's `pipe` takes no notice of a source that fails: as a program's own, the error would end this process. */
  #watch(source: Readable): void {
    const onError = (error: Error): void => {
      if (!this.destroyed) this.#handler.onBroken(error);
    };
    const onClose = (): void => {
      if (!source.readableEnded && !this.destroyed)
        this.#handler.onBroken(failure('what was piped into stdout closed before its end'));
    };
    source.on('error', onError);
    source.on('close', onClose);
    this.#piped.set(source, () => {
      source.off('error', onError);
      source.off('close', onClose);
    });
  }

  #unwatch(source: Readable): void {
    // Its failure is still nobody else's.
    if (this.destroyed) return;
    this.#piped.get(source)?.();
    this.#piped.delete(source);
  }
}

function failure(fault: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_PROGRAM_FAILED', { fault });
}

/** A copy: whoever has written it may use its buffer for something else, while it waits here for a slow client. */
function toBytes(chunk: unknown, encoding: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
}
