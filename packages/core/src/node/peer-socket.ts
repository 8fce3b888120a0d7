// The socket as the application sees it: the client's address and encryption as the front end vouches for them, so
// that `req.ip` and `req.secure` are right without `trust proxy`; and a `destroy` that cannot pass off half a response
// as a whole one. One request per socket makes this safe.
//
// Own properties with shared functions: another prototype per socket would be shorter to write, but V8 then treats
// every later use of the socket as megamorphic, which cost a quarter of the CPU time of a small request.

import type { Socket } from 'node:net';
import type { ScgiRequest } from '../env/index.js';
import type { EndpointName } from './internals/socket.js';
import { inherited, overlayEndpoints, resetOnDestroy } from './internals/socket.js';

/** Both ends of the client's connection. */
export type PeerFacts = Pick<ScgiRequest, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort' | 'encrypted'>;

/** What a socket asks of the exchange it carries. */
export interface CarriedExchange {
  readonly facts: PeerFacts;
  /** The head of a response was sent and its end was not. */
  readonly responseIsPartial: boolean;
  /** Passes a time-out of the socket on. Returns false if nobody listens. */
  emitTimeout(): boolean;
}

const kCarried: unique symbol = Symbol('scgi.carried');

declare module 'net' {
  interface Socket {
    /** @internal */
    [kCarried]?: CarriedExchange;
    /** As on a `tls.TLSSocket`: true, or not there. */
    encrypted?: true;
  }
}

/** Lets `socket` speak for the client of `exchange`. */
export function carryExchange(socket: Socket, exchange: CarriedExchange): void {
  socket[kCarried] = exchange;
  overlayEndpoints(socket, remoteEnd, localEnd);
  socket.destroy = destroy;
  if (exchange.facts.encrypted) socket.encrypted = true;
}

/** The exchange that `socket` carries; undefined before its request head is complete. */
export function exchangeOf(socket: Socket): CarriedExchange | undefined {
  return socket[kCarried];
}

function remoteEnd(this: Socket): EndpointName {
  const facts = this[kCarried]?.facts;
  return endpointName(facts?.remoteAddress, facts?.remotePort);
}

function localEnd(this: Socket): EndpointName {
  const facts = this[kCarried]?.facts;
  return endpointName(facts?.localAddress, facts?.localPort);
}

function endpointName(address: string | undefined, port: number | undefined): EndpointName {
  const family = address === undefined ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
  return { address, port, family };
}

/**
 * A response without Content-Length ends where the connection ends, so a broken one is reset, not closed. Express's
 * error handler, `res.destroy()` and `req.destroy()` all come here. Unix sockets have no reset.
 */
function destroy(this: Socket, error?: Error): Socket {
  if (!this.destroyed && this[kCarried]?.responseIsPartial) resetOnDestroy(this);
  return inherited(this, 'destroy').call(this, error);
}
