// The server's end of a connection that leads nowhere but to an object of this process: a real net.Socket, as
// applications may look at `req.socket`, on a handle of our own. Carries bytes, ends and resets; knows no SCGI.

import type { SocketConstructorOpts } from 'node:net';
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/** The other end. */
export interface MemoryPeer {
  /** The server has sent something; `taken` says that it may send more. */
  onBytes(bytes: Uint8Array, taken: Done): void;
  /** The server sends no more. */
  onFin(): void;
  /** The server takes more, after a `deliver` that returned false. */
  onWanted(): void;
  /** The server has closed its end. */
  onClosed(byReset: boolean): void;
}

/** As much of libuv's handles as net.Socket asks for where reading and writing are not left to it. */
interface MemoryHandle {
  bytesRead: number;
  bytesWritten: number;
  close(onClosed: () => void): void;
  reset(onClosed: () => void): number;
}

/** The server's end. */
export class MemorySocket extends Socket {
  readonly #peer: MemoryPeer;
  readonly #handle: MemoryHandle;
  /** The peer cannot take any more: it has gone. */
  #broken: boolean;

  constructor(peer: MemoryPeer) {
    const handle: MemoryHandle = {
      bytesRead: 0,
      bytesWritten: 0,
      close: (onClosed) => this.#closed(false, onClosed),
      reset: (onClosed) => this.#closed(true, onClosed),
    };
    super(socketOptions(handle));
    this.#peer = peer;
    this.#handle = handle;
    this.#broken = false;
    // net.Socket counts what its own writes hand on; as there, what waits is counted too.
    Object.defineProperty(this, 'bytesWritten', { get: () => handle.bytesWritten + this.writableLength });
  }

  /** Brings bytes from the peer. Returns false where more should wait for `onWanted`. */
  deliver(bytes: Uint8Array): boolean {
    this.#handle.bytesRead += bytes.length;
    return this.push(bytes);
  }

  /** The peer sends no more. */
  deliverEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The peer has gone: it neither sends nor takes any more. Behind bytes that it has left unread it is a reset. */
  leave(byReset: boolean): void {
    this.#broken = true;
    if (byReset) this.destroy(connectionError('read', 'ECONNRESET'));
    else this.deliverEnd();
  }

  override resetAndDestroy(): this {
    // net.Socket's own refuses whatever is no TCP handle.
    Reflect.set(this, 'resetAndClosing', true);
    this.destroy();
    return this;
  }

  override _read(): void {
    this.#peer.onWanted();
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    const bytes = toBytes(chunk, encoding);
    if (this.#broken) {
      done(connectionError('write', 'EPIPE'));
      return;
    }
    this.#peer.onBytes(bytes, (error) => {
      if (error == null) this.#handle.bytesWritten += bytes.length;
      done(error);
    });
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding))), 'latin1', done);
  }

  override _final(done: Done): void {
    this.#peer.onFin();
    done();
  }

  #closed(byReset: boolean, onClosed: () => void): number {
    this.#peer.onClosed(byReset);
    setImmediate(onClosed);
    return 0;
  }
}

/** Options that the types leave out. */
function socketOptions(handle: MemoryHandle): SocketConstructorOpts & { handle: MemoryHandle; manualStart: boolean } {
  return { allowHalfOpen: true, handle, manualStart: true };
}

/** A copy: the writer may use its memory again when the write is done. */
function toBytes(chunk: unknown, encoding: BufferEncoding): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk);
  throw new TypeError('a socket takes strings and bytes');
}

function connectionError(syscall: string, code: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}
