// How a connection reads its socket. Node makes a Buffer of 64 KiB and a `data` event of every read; most requests are one
// read of a few hundred bytes, which is decoded on the spot. So all sockets read into one piece of memory, and a body into
// blocks of the connection's own. A block of which a view was given away is never read into again: an application may
// transfer its memory to a worker, or to a stream of bytes, at any time.

import type { Socket } from 'node:net';
import type { ScgiConnection } from '../server/index.js';
import { connectionOf } from '../server/index.js';
import { readInto, stopFlowing } from './internals/socket.js';

/** As much as Node reads at once. */
const SHARED_BYTES = 64 * 1024;
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
  if (buffer === shared) connection.receive(shared.subarray(0, length), true);
  // A view of a block that is half empty would waste more memory than a copy costs time.
  else if (length * 2 < buffer.length) connection.receive(copyOf(buffer, length));
  else receiveBlock(this, connection, buffer.subarray(0, length));
  next = memoryFor(connection.bodyBytesLeft, buffer, length);
}

function receiveBlock(socket: Socket, connection: ScgiConnection, block: Uint8Array): void {
  try {
    connection.receive(block);
  } catch (error) {
    // Of the application; Node would go on and read into the block that is the application's now.
    socket.destroy();
    throw error;
  }
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
  if (due === 0) return buffer === shared ? undefined : shared;
  if (buffer !== shared && used * 2 < buffer.length) return undefined;
  return Buffer.allocUnsafeSlow(Math.min(due, SHARED_BYTES));
}

/** Not from Node's pool, which cannot be transferred. */
function copyOf(buffer: Uint8Array, length: number): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(length);
  copy.set(buffer.subarray(0, length));
  return copy;
}
