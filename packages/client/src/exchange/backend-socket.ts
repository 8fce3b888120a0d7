// A socket that gets everything a peer has sent, and tells how it ended, where net.Socket takes short cuts:
// - A backend may answer and close before it has read the request. The next write fails while the answer lies in our
//   receive buffer; net.Socket gives up reading on a failed write.
// - When bytes and the end of the connection are found in one poll, libuv reports the end without another read
//   (uv__stream_io, "short-circuit iff POLLHUP"), be it a reset: an answer that was broken off would look whole.
// Knows nothing of SCGI.

import type { OnReadOpts, SocketConstructorOpts } from 'node:net';
import { Socket } from 'node:net';
import { ReadBlocks } from './read-blocks.js';

type WriteCallback = (error?: Error | null) => void;

const sharedBlocks = new ReadBlocks();

/** A client socket that reads on after a failed write. Never half-closes by itself. Its bytes come to `onBytes`, not as `data`. */
export class BackendSocket extends Socket {
  /** Why the peer does not take any more bytes. Further writes are accepted and dropped. */
  writeError: Error | undefined;
  #callback: WriteCallback | undefined;
  readonly #onWritten: WriteCallback;
  #readingPaused: boolean;
  #readScheduled: boolean;

  /**
   * @param onBytes gets every read; the bytes belong to it
   * @param blocks the memory to read into
   */
  constructor(onBytes: (bytes: Uint8Array) => void, blocks: ReadBlocks = sharedBlocks) {
    super(
      socketOptions(blocks.next, (length, block) => {
        this.#scheduleRead();
        onBytes(blocks.take(block, length));
        // Reading stops after each chunk, so that libuv cannot take its short cut.
        return false;
      }),
    );
    this.writeError = undefined;
    this.#callback = undefined;
    this.#readingPaused = false;
    this.#readScheduled = false;
    // One function for all writes: a stream has no second write under way before the first is called back.
    this.#onWritten = (error) => {
      const callback = this.#callback;
      this.#callback = undefined;
      // A socket that never connected has nothing to read either.
      if (error != null && !this.pending) this.writeError ??= error;
      callback?.(this.writeError === undefined ? error : null);
    };
  }

  /** Whether `pauseReading` was called, and `resumeReading` not since. */
  get readingPaused(): boolean {
    return this.#readingPaused;
  }

  /** No more bytes until `resumeReading`, but for those of a read under way. */
  pauseReading(): void {
    this.#readingPaused = true;
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    this.#scheduleRead();
  }

  /** Reading starts again once the poll in which the last chunk came is over. */
  #scheduleRead(): void {
    if (this.#readScheduled) return;
    this.#readScheduled = true;
    setImmediate(readOn, this);
  }

  /** For `readOn` only. */
  readNow(): void {
    this.#readScheduled = false;
    if (!this.destroyed) this._read(0);
  }

  override _read(size: number): void {
    if (!this.#readingPaused) super._read(size);
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

  /** As with writes: what the peer has sent is worth more than our own end. */
  override _final(callback: WriteCallback): void {
    if (this.writeError !== undefined) {
      callback();
      return;
    }
    super._final((error) => {
      if (error != null && !this.pending) this.writeError ??= error;
      callback(this.writeError === undefined ? error : null);
    });
  }
}

/** Two options of the constructor that the types leave out. */
function socketOptions(
  buffer: () => Uint8Array,
  callback: (length: number, block: Uint8Array) => boolean,
): SocketConstructorOpts & { noDelay: boolean; onread: OnReadOpts } {
  return { allowHalfOpen: true, noDelay: true, onread: { buffer, callback } };
}

function readOn(socket: BackendSocket): void {
  socket.readNow();
}
