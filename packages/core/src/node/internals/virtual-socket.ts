// A real net.Socket that leads to no descriptor of its own: applications look at `req.socket` and Node's http classes
// work on it, while where bytes come from and go to is its heir's business.
// Each private piece is asserted by behaviour in test/node/internals.test.ts on every Node line.

import type { SocketConstructorOpts } from 'node:net';
import { Socket } from 'node:net';
import { assertMethods } from './private.js';

interface SocketInternals {
  /** Starts the clock of `setTimeout` again. */
  _unrefTimer(): void;
  resetAndClosing: boolean;
}

/** As much of libuv's handles as net.Socket asks for where reading and writing are not left to it. */
interface VirtualHandle {
  bytesRead: number;
  bytesWritten: number;
  close(onClosed: () => void): void;
  reset(onClosed: () => void): number;
}

assertMethods(Socket, ['_unrefTimer']);

/** An heir has `_read`, `_write`, `_writev`, `_final`, counts what it moves, and closes. */
export abstract class VirtualSocket extends Socket {
  readonly #handle: VirtualHandle;

  constructor() {
    const handle: VirtualHandle = {
      bytesRead: 0,
      bytesWritten: 0,
      close: (onClosed) => this.closeEnds(false, onClosed),
      reset: (onClosed) => {
        this.closeEnds(true, onClosed);
        return 0;
      },
    };
    super({ allowHalfOpen: true, handle, manualStart: true } as SocketConstructorOpts);
    this.#handle = handle;
    // net.Socket counts what its own writes hand on; as there, what waits is counted too.
    Object.defineProperty(this, 'bytesWritten', { get: () => handle.bytesWritten + this.writableLength });
  }

  /** net.Socket's own refuses whatever is no TCP handle. */
  override resetAndDestroy(): this {
    (this as unknown as SocketInternals).resetAndClosing = true;
    this.destroy();
    return this;
  }

  /** Called once, by `destroy`; `broken` if a reset was wanted, so that nobody takes the response for whole. */
  protected abstract closeEnds(broken: boolean, onClosed: () => void): void;

  protected countRead(length: number): void {
    this.#handle.bytesRead += length;
    (this as unknown as SocketInternals)._unrefTimer();
  }

  protected countWritten(length: number): void {
    this.#handle.bytesWritten += length;
    (this as unknown as SocketInternals)._unrefTimer();
  }
}
