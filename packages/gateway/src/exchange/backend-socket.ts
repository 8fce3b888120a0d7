// A socket to a backend that may answer and close before it has read the request. The answer lies in our receive
// buffer then, while the next write fails; net.Socket gives up reading on a failed write, and the answer would be lost.
// Knows nothing of SCGI.

import { Socket } from 'node:net';

type WriteCallback = (error?: Error | null) => void;

// One chunk at most is read ahead while reading is paused: a reset behind it then waits in the kernel, instead of
// destroying the stream together with the bytes it holds.
const socketOptions = { allowHalfOpen: true, noDelay: true, readableHighWaterMark: 1 };

/** A client socket that reads on after a failed write. Never half-closes by itself. */
export class BackendSocket extends Socket {
  /** Why the peer does not take any more bytes. Further writes are accepted and dropped. */
  writeError: Error | undefined;
  #callback: WriteCallback | undefined;
  readonly #onWritten: WriteCallback;

  constructor() {
    super(socketOptions);
    this.writeError = undefined;
    this.#callback = undefined;
    // One function for all writes: a stream has no second write under way before the first is called back.
    this.#onWritten = (error) => {
      const callback = this.#callback;
      this.#callback = undefined;
      // A socket that never connected has nothing to read either.
      if (error != null && !this.pending) this.writeError ??= error;
      callback?.(this.writeError === undefined ? error : null);
    };
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: WriteCallback): void {
    this.#callback = callback;
    if (this.writeError === undefined) super._write(chunk, encoding, this.#onWritten);
    else this.#onWritten();
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: WriteCallback): void {
    this.#callback = callback;
    if (this.writeError === undefined) super._writev?.(chunks, this.#onWritten);
    else this.#onWritten();
  }
}
