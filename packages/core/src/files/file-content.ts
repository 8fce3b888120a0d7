// Bytes of a file on their way out: opened when the first one is wanted, closed with the last one or when nobody wants
// more. What was promised comes whole or fails: a file that shrinks, or is another one by then, never ends in good order.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { LocalProtocolError } from '../protocol/errors.js';

/** As many bytes are read at once: what Node's own file streams take. */
export const chunkBytes: number = 64 * 1024;

/** A link that has taken the place of the file is refused, and a pipe does not hold the open up. Not all systems have these. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What tells a file from another one at its path, and from itself before a change. */
export interface FileState {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export class FileContent {
  readonly #path: string;
  readonly #state: FileState;
  readonly #start: number;
  readonly #end: number;

  /** The bytes of the file at `path` from `start` up to `end`, if it is still in that state. */
  constructor(path: string, state: FileState, start: number, end: number) {
    this.#path = path;
    this.#state = state;
    this.#start = start;
    this.#end = end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Whether it can be opened, while a failure is still an answer. @throws {LocalProtocolError} ERR_SCGI_SENDFILE */
  async check(): Promise<void> {
    const file = await this.#open();
    await file.close();
  }

  /** All at once, for a part that fits in memory. @throws {LocalProtocolError} ERR_SCGI_SENDFILE */
  async readWhole(): Promise<Buffer> {
    const file = await this.#open();
    try {
      const bytes = Buffer.allocUnsafeSlow(this.length);
      let filled = 0;
      while (filled < bytes.length) filled += await this.#read(file, bytes.subarray(filled), this.#start + filled);
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * Piece by piece, as they are asked for. The generator throws ERR_SCGI_SENDFILE, and closes the file when it is left. It ends
   * at once behind the last piece: a front end that counts bytes closes the connection as soon as it has that one.
   */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    const file = await this.#open();
    let last: Uint8Array | undefined;
    try {
      for (let position = this.#start; position < this.#end;) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, this.#end - position));
        const length = await this.#read(file, chunk, position);
        position += length;
        last = chunk.subarray(0, length);
        if (position < this.#end) yield last;
      }
    } finally {
      await file.close();
    }
    if (last !== undefined) yield last;
  }

  /** The same for those who pipe. */
  stream(): Readable {
    return Readable.from(this.chunks(), { objectMode: false, highWaterMark: chunkBytes });
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, flags).catch((cause: unknown) => {
      throw this.#failure('it cannot be opened', cause);
    });
    try {
      const { dev, ino, size, mtimeNs } = await file.stat({ bigint: true });
      const { dev: device, ino: node, size: length, mtimeNs: modified } = this.#state;
      if (dev === device && ino === node && size === length && mtimeNs === modified) return file;
    } catch (cause) {
      await file.close();
      throw this.#failure('it cannot be looked at', cause);
    }
    await file.close();
    throw this.#failure('it has changed since it was looked at');
  }

  async #read(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await file.read(into, 0, into.length, position).catch((cause: unknown) => {
      throw this.#failure('it cannot be read', cause);
    });
    if (bytesRead === 0) throw this.#failure('it has become shorter while it was sent');
    return bytesRead;
  }

  #failure(fault: string, cause?: unknown): LocalProtocolError {
    return new LocalProtocolError('ERR_SCGI_SENDFILE', { path: this.#path, fault }, { cause });
  }
}
