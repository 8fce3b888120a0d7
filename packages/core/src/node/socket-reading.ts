// How a connection reads its socket. Node makes a Buffer of 64 KiB and a `data` event of every read; most requests are one
// read of a few hundred bytes, which is decoded on the spot. So all sockets read into one piece of memory, and a body, of
// which views are handed out, into blocks of the connection's own.

import type { Socket } from 'node:net';
import { connectionOf } from '../server/index.js';
import { readInto, stopFlowing } from './internals/socket.js';

/** As much as Node reads at once. */
const SHARED_BYTES = 64 * 1024;
/** A longer body gets larger blocks: fewer to make, and yet below what malloc maps anew each time. */
const BLOCK_BYTES = 128 * 1024;
/** Not worth a read of its own at the end of a block. */
const LEAST_READ_BYTES = 16 * 1024;

const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
/** From `onRead` to `takeNext`, which Node calls right after it and without a `this`. */
let next: Uint8Array | undefined;

/** Lets the connection of `socket` read without events. Returns false where the socket does not allow it. */
export function readDirectly(socket: Socket): boolean {
  return readInto(socket, shared, onRead, takeNext);
}

function onRead(this: Socket, length: number, buffer: Uint8Array): void {
  next = undefined;
  const connection = connectionOf(this);
  if (connection === undefined) return;
  // Somebody watches the bytes, as Node's HTTP server lets them.
  if (this.listenerCount('data') > 0) this.emit('data', Buffer.from(buffer.subarray(0, length)));
  connection.receive(buffer.subarray(0, length), buffer === shared);
  next = memoryFor(connection.bodyBytesLeft, buffer, length);
}

/** Makes the socket an ordinary stream, not flowing yet, for whoever takes it over. */
export function becomeStream(socket: Socket): void {
  stopFlowing(socket, pushCopy);
}

function pushCopy(this: Socket, length: number, buffer: Uint8Array): boolean {
  next = undefined;
  return this.push(Buffer.from(buffer.subarray(0, length)));
}

function takeNext(): Uint8Array | undefined {
  return next;
}

/** Where to read the next of `due` body bytes, after `used` bytes of `buffer`. Undefined: where the last ones were. */
function memoryFor(due: number, buffer: Uint8Array, used: number): Uint8Array | undefined {
  if (buffer === shared) return due === 0 ? undefined : Buffer.allocUnsafeSlow(Math.min(due, SHARED_BYTES));
  if (due === 0) return shared;
  if (buffer.length - used >= Math.min(due, LEAST_READ_BYTES)) return buffer.subarray(used);
  return Buffer.allocUnsafeSlow(Math.min(due, BLOCK_BYTES));
}
