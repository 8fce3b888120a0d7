// The events of a socket, given to the connection that drives it. The listeners are shared functions that find the
// connection on the socket: with one request per connection, a closure per listener would be the largest part of the
// driver's cost.

import { kConnection } from './connection-socket.js';
import type { ConnectionSocket } from './connection-socket.js';
import type { ScgiConnection } from './connection.js';

/** Lets `connection` hear of everything that happens to `socket`, except of what it reads. */
export function listenTo(socket: ConnectionSocket, connection: ScgiConnection): void {
  socket[kConnection] = connection;
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** Ends what `listenTo` and `readEvents` began. The socket is left paused. */
export function letGo(socket: ConnectionSocket): void {
  socket[kConnection] = undefined;
  socket.removeListener('data', onData);
  socket.removeListener('end', onEnd);
  socket.removeListener('drain', onDrain);
  socket.removeListener('error', onError);
  socket.removeListener('close', onClose);
}

/** The connection that drives `socket`. */
export function connectionOf(socket: ConnectionSocket): ScgiConnection | undefined {
  return socket[kConnection];
}

/** Lets the connection of `socket` read what comes, as `data` events. */
export function readEvents(socket: ConnectionSocket): void {
  socket.on('data', onData);
}

function onData(this: ConnectionSocket, chunk: Uint8Array): void {
  this[kConnection]?.receive(chunk);
}

function onEnd(this: ConnectionSocket): void {
  this[kConnection]?.receiveEof();
}

function onDrain(this: ConnectionSocket): void {
  this[kConnection]?.drained();
}

function onError(this: ConnectionSocket, error: Error): void {
  this[kConnection]?.socketFailed(error);
}

function onClose(this: ConnectionSocket): void {
  this[kConnection]?.closed();
}
