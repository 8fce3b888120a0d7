// The body of a request, to be pulled, for bridges that have no stream of Node's: what has come and was not taken yet,
// within a bound. Knows nothing of the application.

import type { ScgiConnection } from './connection.js';

/** Bytes that are taken in before anybody asks for them; a chunk on its way may come on top. Precedent: Node's 64 KiB. */
const MAX_AHEAD_BYTES = 64 * 1024;

export class RequestBody {
  readonly #connection: ScgiConnection;
  #chunks: Uint8Array[] = [];
  #bufferedBytes: number = 0;
  #ended: boolean = false;
  #error: Error | undefined = undefined;
  #discarding: boolean = false;
  #isRead: boolean = false;
  /** Called when `read` has something new to say after it had nothing. */
  onReadable: (() => void) | undefined = undefined;

  constructor(connection: ScgiConnection) {
    this.#connection = connection;
  }

  /** Bytes that are here and not taken. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Somebody has asked for the body. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** The last byte has come, taken or not. */
  get isComplete(): boolean {
    return this.#ended;
  }

  /**
   * The next bytes, a view never empty; null at the end; undefined where nothing is here yet: `onReadable` tells.
   * @throws what `fail` was given, behind the bytes that came before it
   */
  read(): Uint8Array | null | undefined {
    this.#isRead = true;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended || this.#discarding) return null;
    } else {
      this.#bufferedBytes -= chunk.length;
    }
    const { socket } = this.#connection;
    if (!this.#ended && this.#bufferedBytes < MAX_AHEAD_BYTES && socket.isPaused()) socket.resume();
    return chunk;
  }

  /** For the handler's `onBody`: returns false to ask for a pause. */
  push(chunk: Uint8Array): boolean {
    if (this.#discarding) return true;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    this.onReadable?.();
    return this.#bufferedBytes < MAX_AHEAD_BYTES;
  }

  /** For the handler's `onEnd`. */
  end(): void {
    this.#ended = true;
    this.onReadable?.();
  }

  /** The rest will not come. Nothing happens to a body that is complete. */
  fail(error: Error): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#error = error;
    this.onReadable?.();
  }

  /** Drops what is here and all that comes; readers see the end. */
  discard(): void {
    this.#discarding = true;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    if (this.#connection.socket.isPaused()) this.#connection.socket.resume();
    this.onReadable?.();
  }
}
