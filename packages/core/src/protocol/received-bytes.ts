// What has been received and not yet decoded: the current chunk, and those that came before it was used up.
// Also the one place that copies: bytes of a head that arrived in pieces. Knows nothing of SCGI.

const nothing = new Uint8Array(0);

/** Received chunks in order, read from the front without copying. */
export class ChunkQueue {
  /** The chunk being read; empty when there is none. */
  chunk: Uint8Array;
  /** Where reading goes on in `chunk`. */
  offset: number;
  /** Chunks behind the current one; null while there are none, which is nearly always. */
  #later: Uint8Array[] | null;
  #next: number;

  constructor() {
    this.chunk = nothing;
    this.offset = 0;
    this.#later = null;
    this.#next = 0;
  }

  push(chunk: Uint8Array): void {
    if (this.offset < this.chunk.length) {
      (this.#later ??= []).push(chunk);
    } else {
      this.chunk = chunk;
      this.offset = 0;
    }
  }

  /** Moves to the next chunk if the current one is used up; false when nothing is left. */
  ready(): boolean {
    if (this.offset < this.chunk.length) return true;
    this.offset = 0;
    const next = this.#later?.[this.#next];
    // An index instead of shift(): one-byte chunks by the ten thousand stay linear.
    this.#next++;
    if (next !== undefined) {
      this.chunk = next;
      return true;
    }
    this.clear();
    return false;
  }

  /** A view of the current chunk from where reading goes on, at most `limit` bytes; `ready()` was true. */
  take(limit: number): Uint8Array {
    const { chunk, offset } = this;
    const end = Math.min(chunk.length, offset + limit);
    this.offset = end;
    return offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end);
  }

  /** Forgets everything, so that a long-lived connection does not pin its first chunk. */
  clear(): void {
    this.chunk = nothing;
    this.offset = 0;
    this.#later = null;
    this.#next = 0;
  }
}

/** Bytes gathered from several chunks in one buffer that doubles, so every byte is copied a bounded number of times. */
export class ByteCollector {
  #buffer: Uint8Array;
  #length: number;
  readonly #limit: number;

  /** @param limit the most that will ever be collected; no more is allocated, nor more than twice what came */
  constructor(limit: number) {
    this.#buffer = nothing;
    this.#length = 0;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(256, 2 * length)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /** A view of what was collected. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
