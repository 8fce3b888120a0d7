// The memory that connections read into. All of them share one block at a time; what a read leaves in it is copied out
// if it is little, and given away with its block if it is much. A block that was given away is never read into again:
// its new owner may hold it for as long as a slow client takes, or transfer it.

/** As much as Node reads at once. */
export const defaultBlockBytes = 65_536;

/** Hands out memory to read into. */
export class ReadBlocks {
  readonly #bytes: number;
  #block: Uint8Array | undefined;
  /** For the `buffer` option of net.Socket's `onread`. */
  readonly next: () => Uint8Array;

  /** @param bytes size of a block, and so the most that is read at once */
  constructor(bytes: number = defaultBlockBytes) {
    this.#bytes = bytes;
    this.#block = undefined;
    this.next = () => (this.#block ??= Buffer.allocUnsafeSlow(this.#bytes));
  }

  /** The first `length` bytes of `block`, which belong to the caller from now on. */
  take(block: Uint8Array, length: number): Uint8Array {
    const bytes = block.subarray(0, length);
    if (length * 2 < block.length) return copyOf(bytes);
    if (this.#block === block) this.#block = undefined;
    return bytes;
  }
}

/** Not from Node's pool, which cannot be transferred. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
