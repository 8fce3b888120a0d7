// A temporary file without a name: appended to, read anywhere, closed when nothing is under way in it any more. A
// descriptor that is closed while the thread pool still works on it may by then be somebody else's file.

import { close, open, read, unlink, write } from 'node:fs';

type Done = (error: NodeJS.ErrnoException | null) => void;

/** A file that goes when it is closed, whatever happens to the process. */
export class SpoolFile {
  readonly #descriptor: number;
  #length: number;
  #operations: number;
  #closed: boolean;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#length = 0;
    this.#operations = 0;
    this.#closed = false;
  }

  /** Creates the file for its owner alone, and removes its name at once. */
  static open(path: string, done: (error: NodeJS.ErrnoException | null, file?: SpoolFile) => void): void {
    open(path, 'wx+', 0o600, (error, descriptor) => {
      if (error !== null) {
        done(error);
        return;
      }
      const file = new SpoolFile(descriptor);
      unlink(path, (failed) => {
        if (failed !== null) file.close();
        done(failed, failed === null ? file : undefined);
      });
    });
  }

  append(bytes: Uint8Array, done: Done): void {
    if (this.#refuse(done)) return;
    this.#operations += 1;
    write(this.#descriptor, bytes, 0, bytes.length, this.#length, (error, written) => {
      this.#operationOver();
      if (error !== null) {
        done(error);
        return;
      }
      this.#length += written;
      // A disk that fills up takes a part first, and says why it takes no more with the next write.
      if (written < bytes.length) this.append(bytes.subarray(written), done);
      else done(null);
    });
  }

  /** Reads into `block`; gives the part of it that was filled, empty at the end of the file. */
  read(
    block: Uint8Array,
    position: number,
    done: (error: NodeJS.ErrnoException | null, bytes: Uint8Array) => void,
  ): void {
    if (this.#refuse((error) => done(error, block))) return;
    this.#operations += 1;
    read(this.#descriptor, block, 0, block.length, position, (error, length) => {
      this.#operationOver();
      done(error, block.subarray(0, length));
    });
  }

  /** Nothing is read or written any more; what is under way ends first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#operations === 0) this.#closeNow();
  }

  #refuse(done: Done): boolean {
    if (!this.#closed) return false;
    process.nextTick(done, Object.assign(new Error('the file is closed'), { code: 'EBADF' }));
    return true;
  }

  #operationOver(): void {
    this.#operations -= 1;
    if (this.#closed && this.#operations === 0) this.#closeNow();
  }

  #closeNow(): void {
    // Nothing is left that an error could lose: the file has no name, and nobody reads it any more.
    close(this.#descriptor, () => {});
  }
}
