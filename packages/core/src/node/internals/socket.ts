// The private side of `net.Socket`.
// Each piece is asserted by behaviour in test/node/internals.test.ts on every Node line.

import type http from 'node:http';
import net from 'node:net';
import type { Socket } from 'node:net';
import type { ConnectionSocket } from '../../server/connection-socket.js';
import { assertMethods } from './private.js';

interface SocketInternals {
  _handle?: { reset?: unknown; writeQueueSize?: number; useUserBuffer?(buffer: Uint8Array): void } | null;
  bytesWritten?: number;
  resetAndClosing: boolean;
  _getpeername: (this: Socket) => EndpointName;
  _getsockname: (this: Socket) => EndpointName;
}

/** What the option `onread` of `net.Socket` sets; the sockets that a server accepts cannot have it otherwise. */
const readSymbols = ['kBuffer', 'kBufferCb', 'kBufferGen'].map(optionalSymbol) as [symbol?, symbol?, symbol?];

function optionalSymbol(description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(new net.Socket()).find((symbol) => symbol.description === description);
}

assertMethods(net.Socket, ['_getpeername', '_getsockname']);

/** The socket that this server accepted and gave to the driver. */
export function socketOf(socket: ConnectionSocket): Socket {
  return socket as unknown as Socket;
}

/** `socket.server`, which applications reach through `req.socket`. */
export function setSocketServer(socket: Socket, server: http.Server): void {
  (socket as unknown as { server: http.Server }).server = server;
}

export function serverOf(socket: Socket): http.Server | undefined {
  return (socket as unknown as { server?: http.Server }).server;
}

/** One end of a connection, as `_getpeername` and `_getsockname` tell it to the getters of `net.Socket`. */
export interface EndpointName {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly family: 'IPv4' | 'IPv6' | undefined;
}

/** Decides what `remoteAddress`, `localPort` and the other four say. */
export function overlayEndpoints(
  socket: Socket,
  remote: (this: Socket) => EndpointName,
  local: (this: Socket) => EndpointName,
): void {
  const internals = socket as unknown as Pick<SocketInternals, '_getpeername' | '_getsockname'>;
  internals._getpeername = remote;
  internals._getsockname = local;
}

/** The method behind an own property of that name. */
export function inherited<K extends 'destroy' | 'setTimeout'>(socket: Socket, name: K): Socket[K] {
  return (Object.getPrototypeOf(socket) as Socket)[name];
}

/** Makes the coming `destroy` send a reset. Returns false where there is none: on Unix sockets. */
export function resetOnDestroy(socket: Socket): boolean {
  const internals = socket as unknown as SocketInternals;
  if (typeof internals._handle?.reset !== 'function') return false;
  internals.resetAndClosing = true;
  return true;
}

/** Bytes that the kernel has taken, those of a large write in progress included. */
export function takenBytes(socket: ConnectionSocket): number {
  const internals = socket as unknown as SocketInternals;
  return (internals.bytesWritten ?? 0) - (internals._handle?.writeQueueSize || socket.writableLength);
}

/** Takes what was read into `buffer`. False stops the reading until somebody reads or resumes the socket. */
export type ReadCallback = (this: Socket, length: number, buffer: Uint8Array) => boolean | void;

/**
 * Makes an accepted socket read into `buffer` and call `onRead` instead of making a Buffer and a `data` event of every
 * read. After each call `nextBuffer` may name the memory for the next read; Node calls it without `this`.
 * Returns false, and does nothing, where that cannot be: not a plain socket, or somebody reads it already.
 */
export function readInto(
  socket: Socket,
  buffer: Uint8Array,
  onRead: ReadCallback,
  nextBuffer: () => Uint8Array | undefined,
): boolean {
  const internals = socket as unknown as SocketInternals & Record<symbol, unknown>;
  const [kBuffer, kBufferCb, kBufferGen] = readSymbols;
  if (kBuffer === undefined || kBufferCb === undefined || kBufferGen === undefined) return false;
  if (internals[kBuffer] !== null || typeof internals._handle?.useUserBuffer !== 'function') return false;
  if (socket.readableFlowing !== null || socket.readableLength > 0) return false;
  internals[kBuffer] = buffer;
  internals[kBufferCb] = onRead;
  internals[kBufferGen] = nextBuffer;
  internals._handle.useUserBuffer(buffer);
  return true;
}

/** Lets a socket that nobody listens to any more wait, with what comes, for whoever listens next: as Node's `upgrade`. */
export function stopFlowing(socket: Socket, onRead: ReadCallback): void {
  (socket as unknown as { readableFlowing: boolean | null }).readableFlowing = null;
  const internals = socket as unknown as Record<symbol, unknown>;
  const [kBuffer, kBufferCb] = readSymbols;
  // There is no way back from a buffer to `data` events; the callback has to make them.
  if (kBuffer !== undefined && kBufferCb !== undefined && internals[kBuffer]) internals[kBufferCb] = onRead;
}
