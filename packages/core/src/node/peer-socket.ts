// The socket as the application sees it: the client's address and encryption as the front end vouches for them, so
// that `req.ip` and `req.secure` are right without `trust proxy`; and a `destroy` that cannot pass off half a response
// as a whole one. One request per socket makes this safe.

import type { Socket } from 'node:net';
import type { ScgiRequest } from '../env/index.js';
import { prototypeOf, resetOnDestroy, setPrototype } from './internals.js';

/** What a socket asks of the exchange it carries. */
export interface CarriedExchange {
  readonly facts: ScgiRequest;
  /** The head of a response was sent and its end was not. */
  readonly responseIsPartial: boolean;
  /** Passes a time-out of the socket on. Returns false if nobody listens. */
  emitTimeout(): boolean;
}

const kCarried: unique symbol = Symbol('scgi.carried');

declare module 'node:net' {
  interface Socket {
    /** @internal */
    [kCarried]?: CarriedExchange;
  }
}

/** A prototype for each kind of socket seen, which is one: changing the prototype is a fifth of defining properties. */
const prototypes = new WeakMap<Socket, Socket>();

/** Lets `socket` speak for the client of `exchange`. */
export function carryExchange(socket: Socket, exchange: CarriedExchange): void {
  const base = prototypeOf(socket);
  let prototype = prototypes.get(base);
  if (prototype === undefined) {
    prototype = peerPrototype(base);
    prototypes.set(base, prototype);
  }
  setPrototype(socket, prototype);
  socket[kCarried] = exchange;
}

/** The exchange that `socket` carries; undefined before its request head is complete. */
export function exchangeOf(socket: Socket): CarriedExchange | undefined {
  return socket[kCarried];
}

function peerPrototype(base: Socket): Socket {
  const getter = (get: (this: Socket) => unknown): PropertyDescriptor => ({
    get,
    configurable: true,
    enumerable: true,
  });
  return Object.create(base, {
    remoteAddress: getter(function () {
      return this[kCarried]?.facts.remoteAddress;
    }),
    remotePort: getter(function () {
      return this[kCarried]?.facts.remotePort;
    }),
    remoteFamily: getter(function () {
      return familyOf(this[kCarried]?.facts.remoteAddress);
    }),
    localAddress: getter(function () {
      return this[kCarried]?.facts.localAddress;
    }),
    localPort: getter(function () {
      return this[kCarried]?.facts.localPort;
    }),
    localFamily: getter(function () {
      return familyOf(this[kCarried]?.facts.localAddress);
    }),
    // As on a tls.TLSSocket: true, or not there.
    encrypted: getter(function () {
      return this[kCarried]?.facts.encrypted ? true : undefined;
    }),
    // A response without Content-Length ends where the connection ends, so a broken one is reset, not closed. Express's
    // error handler, res.destroy() and req.destroy() all come here. Unix sockets have no reset.
    destroy: {
      configurable: true,
      writable: true,
      value(this: Socket, error?: Error): Socket {
        if (!this.destroyed && this[kCarried]?.responseIsPartial) resetOnDestroy(this);
        return base.destroy.call(this, error);
      },
    },
  });
}

function familyOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
