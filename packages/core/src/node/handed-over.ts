// The sockets that upgrade listeners have taken. They count as open and can be closed by the server, and that is all that
// is kept of them: they live for hours, and there are many.

import type { Socket } from 'node:net';
import { inherited } from './internals/socket.js';

const kOwner: unique symbol = Symbol('scgi.handedOver');

declare module 'net' {
  interface Socket {
    /** @internal */
    [kOwner]?: HandedOverSockets;
  }
}

/** Those of one server. */
export class HandedOverSockets {
  readonly #sockets: Set<Socket>;

  constructor() {
    this.#sockets = new Set();
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Node's streams end by their `destroy`, however they end; a listener for `close` would cost each socket an array. */
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket[kOwner] = this;
    socket.destroy = destroy;
  }

  /** Its socket is being destroyed. */
  forget(socket: Socket): void {
    this.#sockets.delete(socket);
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function destroy(this: Socket, error?: Error): Socket {
  this[kOwner]?.forget(this);
  return inherited(this, 'destroy').call(this, error);
}
