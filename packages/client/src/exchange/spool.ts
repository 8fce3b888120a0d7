// Keeps a body of unknown length until its length is known, because SCGI states it first: in memory up to a bound, the
// rest in a temporary file that has no name any more. Knows nothing of requests.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { BackendError, LocalProtocolError } from '@scgi/core/protocol';
import { resolveBound } from './settings.js';
import { SpoolFile } from './spool-file.js';

/** Where bodies of unknown length are kept, and how much of them. Limits in bytes, null for none. */
export interface SpoolOptions {
  /** How much of a body to keep in memory. Default 1,048,576. */
  readonly maxHeldBody?: number | null | undefined;
  /** Largest body, in memory and file together. Default 1,073,741,824. */
  readonly maxSpooledBody?: number | null | undefined;
  /** Folder of that file. Default: `os.tmpdir()`. */
  readonly spoolFolder?: string | undefined;
}

/** `SpoolOptions`, checked and complete. `Infinity` for no limit. */
export interface SpoolSettings {
  readonly maxHeldBody: number;
  readonly maxSpooledBody: number;
  readonly spoolFolder: string;
}

type Callback = (error?: Error | null) => void;

const defaultMaxHeldBody = 1_048_576;
const defaultMaxSpooledBody = 1_073_741_824;

/** Pieces below this are copied together: as a view each would cost more than its bytes, and hold on to a larger chunk. */
const SMALL_PIECE_BYTES = 4096;
const READ_BYTES = 65_536;

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible limit */
export function resolveSpoolSettings(options: SpoolOptions): SpoolSettings {
  return {
    maxHeldBody: resolveLimit('maxHeldBody', options.maxHeldBody, defaultMaxHeldBody),
    maxSpooledBody: resolveLimit('maxSpooledBody', options.maxSpooledBody, defaultMaxSpooledBody),
    spoolFolder: options.spoolFolder ?? tmpdir(),
  };
}

/** Checked settings, which have Infinity for no limit, pass as options. */
function resolveLimit(option: string, limit: number | null | undefined, fallback: number): number {
  return limit === Infinity ? limit : resolveBound(option, limit, fallback);
}

/**
 * Takes a body; after `finish` its `length` is known and it can be read, as often as needed, until `destroy`, which
 * whoever made it owes it. Chunks are kept, not copied: do not write into them afterwards.
 *
 * Fails with ERR_SCGI_LENGTH_REQUIRED for a body beyond `maxSpooledBody`, with ERR_SCGI_SPOOL for what goes wrong with
 * the file.
 */
export class Spool extends Writable {
  readonly #settings: SpoolSettings;
  #held: Uint8Array[];
  /** The end of `#held`, where small pieces are copied together, and how much of it they fill. */
  #tail: Uint8Array | undefined;
  #tailBytes: number;
  #file: SpoolFile | undefined;
  #length: number;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible limit */
  constructor(options: SpoolOptions = {}) {
    super({ autoDestroy: false, decodeStrings: true });
    this.#settings = resolveSpoolSettings(options);
    this.#held = [];
    this.#tail = undefined;
    this.#tailBytes = 0;
    this.#file = undefined;
    this.#length = 0;
  }

  /** Bytes so far; after `finish` all of them. */
  get length(): number {
    return this.#length;
  }

  /**
   * The body from its start.
   * @throws {LocalProtocolError} ERR_SCGI_STATE before `finish` and after `destroy`
   */
  createReadable(): Readable {
    if (!this.writableFinished || this.destroyed) {
      throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'a spool is read between its finish and its destroy' });
    }
    return new SpoolReader(this.#held, this.#file);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    const { maxHeldBody, maxSpooledBody } = this.#settings;
    this.#length += chunk.length;
    if (this.#length > maxSpooledBody) {
      this.#fail(new BackendError('ERR_SCGI_LENGTH_REQUIRED', { maxSpooledBody }), callback);
    } else if (this.#file === undefined && this.#length <= maxHeldBody) {
      this.#hold(chunk);
      callback();
    } else {
      this.#writeToFile(chunk, callback);
    }
  }

  #hold(chunk: Uint8Array): void {
    if (chunk.length >= SMALL_PIECE_BYTES) {
      this.#closeTail();
      this.#held.push(chunk);
      return;
    }
    if (this.#tail !== undefined && this.#tailBytes + chunk.length > this.#tail.length) this.#closeTail();
    this.#tail ??= new Uint8Array(4 * SMALL_PIECE_BYTES);
    this.#tail.set(chunk, this.#tailBytes);
    this.#tailBytes += chunk.length;
  }

  #closeTail(): void {
    if (this.#tail !== undefined && this.#tailBytes > 0) this.#held.push(this.#tail.subarray(0, this.#tailBytes));
    this.#tail = undefined;
    this.#tailBytes = 0;
  }

  #writeToFile(chunk: Uint8Array, callback: Callback): void {
    if (this.#file !== undefined) {
      this.#file.append(chunk, (error) => this.#written(error, callback));
      return;
    }
    // The name is a secret until it is gone, and `wx` follows no link that somebody else has put there.
    const path = join(this.#settings.spoolFolder, `scgi-body-${crypto.randomUUID()}`);
    SpoolFile.open(path, (error, file) => {
      if (file === undefined) {
        this.#written(error, callback);
      } else if (this.destroyed) {
        file.close();
        callback();
      } else {
        this.#file = file;
        file.append(chunk, (failed) => this.#written(failed, callback));
      }
    });
  }

  #written(cause: NodeJS.ErrnoException | null, callback: Callback): void {
    if (cause === null) callback();
    else this.#fail(spoolError(cause, this.#settings.spoolFolder), callback);
  }

  /** `autoDestroy` is off, so that `finish` frees nothing; an error must. */
  #fail(error: Error, callback: Callback): void {
    // In this order: a stream that is destroyed already tells nobody of the error of a write.
    this.destroy(error);
    callback(error);
  }

  override _final(callback: Callback): void {
    this.#closeTail();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#held = [];
    this.#tail = undefined;
    this.#file?.close();
    callback(error);
  }
}

/** First what is in memory, then the file. */
class SpoolReader extends Readable {
  readonly #held: readonly Uint8Array[];
  readonly #file: SpoolFile | undefined;
  #index: number;
  #position: number;

  constructor(held: readonly Uint8Array[], file: SpoolFile | undefined) {
    super({ highWaterMark: READ_BYTES });
    this.#held = held;
    this.#file = file;
    this.#index = 0;
    this.#position = 0;
  }

  override _read(): void {
    const held = this.#held[this.#index];
    if (held !== undefined) {
      this.#index += 1;
      this.push(held);
    } else if (this.#file === undefined) {
      this.push(null);
    } else {
      this.#file.read(Buffer.allocUnsafeSlow(READ_BYTES), this.#position, (cause, bytes) => {
        if (cause !== null) this.destroy(spoolError(cause));
        else this.#take(bytes);
      });
    }
  }

  #take(bytes: Uint8Array): void {
    this.#position += bytes.length;
    this.push(bytes.length === 0 ? null : bytes);
  }
}

function spoolError(cause: NodeJS.ErrnoException, spoolFolder?: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_SPOOL', { reason: cause.code, spoolFolder }, { cause });
}
