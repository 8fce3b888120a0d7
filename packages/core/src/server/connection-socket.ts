// The little that the connection driver needs of a byte stream. A `net.Socket` satisfies it, any Duplex does,
// and so can a leaner transport: nothing here is particular to TCP or to `node:net`.

import type { ScgiConnection } from './connection.js';

/** Where a socket keeps the connection that drives it. */
export const kConnection: unique symbol = Symbol('scgi.connection');

/** A two-way byte stream with half-close, as the connection driver sees it. */
export interface ConnectionSocket {
  [kConnection]?: ScgiConnection | undefined;
  readonly destroyed: boolean;
  /** Bytes given to `write` that the transport has not taken yet. */
  readonly writableLength: number;
  /** True while a `write` has returned false and `drain` has not followed. */
  readonly writableNeedDrain: boolean;
  on(event: 'data', listener: (this: ConnectionSocket, chunk: Uint8Array) => void): unknown;
  on(event: 'end' | 'drain' | 'close', listener: (this: ConnectionSocket) => void): unknown;
  on(event: 'error', listener: (this: ConnectionSocket, error: Error) => void): unknown;
  removeListener(event: string, listener: (this: ConnectionSocket, ...args: never[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  write(chunk: Uint8Array | string): boolean;
  /** Sends what is queued, then half-closes; the callback runs when both are done. */
  end(callback?: () => void): unknown;
  destroy(error?: Error): unknown;
  /** Hold small writes back until `uncork`, to send them in one go. Optional. */
  cork?(): unknown;
  uncork?(): unknown;
}
