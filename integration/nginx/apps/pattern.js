// Bytes without end, the same for whoever makes them, of which no two blocks are alike: lost, repeated and swapped
// blocks all change the digest. Made as they are needed, so that no process ever holds them.

import { createHash } from 'node:crypto';

const blockBytes = 64 * 1024;
const template = Buffer.alloc(blockBytes, 'All blocks share this text, and each begins with its own number. ');

/**
 * The first `size` bytes of the pattern, block by block.
 * @param {number} size
 * @returns {Generator<Buffer, void, void>}
 */
export function* pattern(size) {
  for (let offset = 0; offset < size; offset += blockBytes) {
    const block = Buffer.from(template.subarray(0, Math.min(blockBytes, size - offset)));
    block.write(String(offset));
    yield block;
  }
}

/**
 * SHA-256 of the first `size` bytes.
 * @param {number} size
 * @returns {string}
 */
export function digestOf(size) {
  const hash = createHash('sha256');
  for (const block of pattern(size)) hash.update(block);
  return hash.digest('hex');
}
