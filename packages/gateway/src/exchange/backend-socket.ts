// A socket that gets everything a peer has sent, and tells how it ended, where net.Socket takes short cuts:
// - A backend may answer and close before it has read the request. The next write fails while the answer lies in our
//   receive buffer; net.Socket gives up reading on a failed write.
// - When bytes and the end of the connection are found in one poll, libuv reports the end without another read
//   (uv__stream_io, "short-circuit iff POLLHUP"), be it a reset: an answer that was broken off would look whole.
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

  /** False always: reading stops after each chunk, so that libuv cannot take its short cut. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    super.push(chunk, encoding);
    return false;
  }

  /** Reading starts again once the poll in which the last chunk came is over. */
  override _read(size: number): void {
    setImmediate(readOn, this, size);
  }

  /** As `_read` of net.Socket. */
  readNow(size: number): void {
    if (!this.destroyed) super._read(size);
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

function readOn(socket: BackendSocket, size: number): void {
  socket.readNow(size);
}
