// What a bridge implements to receive requests from the connection driver, and what it may set.
// The driver owns the socket's reading side and its end; the bridge owns what is written as the response.

import type { RequestHead, ScgiError } from '../protocol/index.js';
import type { ConnectionSocket } from './connection-socket.js';
import type { ScgiConnection } from './connection.js';

/** Receives one request: one object per connection. */
export interface RequestHandler {
  /** The head of the response is on its way: an error can no longer be answered. */
  readonly responseStarted: boolean;
  /** The application has given the last byte of the response, sent or not. */
  readonly responseEnded: boolean;
  /** Bytes of the body that the bridge holds and the application has not taken. */
  readonly bufferedBytes: number;
  /** Runs the application. Called once, before any body byte. What it throws is not caught here. */
  start(): void;
  /** A view of the next body bytes, never empty. Returns false to ask for a pause until the socket is resumed. */
  onBody(chunk: Uint8Array): boolean;
  /** Drops what is held of the body and all that comes. Returns false, and does nothing, if the application reads it. */
  discardBody(): boolean;
  /** The request is complete. Called once, after the last `onBody`. */
  onEnd(): void;
  /** The socket takes bytes again after a `write` that returned false. */
  onDrain(): void;
  /** The connection is closed, whole exchange or not: the last call in any case. */
  onClose(): void;
}

/** What the driver asks of the server that accepted the connection. */
export interface ConnectionHost extends ConnectionSettings {
  /**
   * A request head is complete: make the handler that receives the request.
   * @throws {ScgiError} to refuse it; the driver answers with the error's status hint.
   */
  createHandler(connection: ScgiConnection, head: RequestHead): RequestHandler;
  /**
   * The peer broke the protocol, let a deadline pass, or the socket failed.
   * Returns true if somebody has taken over the socket; otherwise the driver answers, if it still can, and closes.
   */
  onPeerError(connection: ScgiConnection, error: Error): boolean;
  /** The bytes that answer `error` in place of a response. Default: `formatErrorResponse`. */
  formatError?(error: ScgiError): string;
  /** The connection is gone. */
  onConnectionClose(connection: ScgiConnection): void;
  /** Ends the socket with a reset; simply closes it where the transport has none. */
  reset(socket: ConnectionSocket, error?: Error): void;
  /** The connection gave its socket away, the last call for it: the socket is an ordinary stream now, paused at first. */
  onHandOver(connection: ScgiConnection): void;
  /** Bytes of the response that the kernel has taken: rises while a slow peer makes progress. */
  takenBytes(socket: ConnectionSocket): number;
}

/**
 * How to read an EOF that follows a complete request. `auto`: together with the last request byte it is a
 * half-close (carry on), later it is a client that left (abort). `allow`: never an abort. `abort`: always one.
 */
export type HalfOpenRule = 'auto' | 'allow' | 'abort';

/** Bounds of one connection. All times in milliseconds, 0 for none; read at each use, so they may change. */
export interface ConnectionSettings {
  /** From accept until the request head is complete. */
  readonly headersTimeout: number;
  /** From accept until the request body is complete. */
  readonly requestTimeout: number;
  /** Without a byte arriving while the body is awaited, or leaving while the response is blocked or the peer half-closed. */
  readonly idleTimeout: number;
  /** After the response: silence after which the rest of the request is no longer awaited; four times that in all. */
  readonly lingerTimeout: number;
  /** After the response: how many more bytes of the request to read and discard. */
  readonly lingerBytes: number;
  /** Body bytes to take in beyond the application's demand while the response is blocked. */
  readonly maxBufferedBody: number;
  readonly halfOpen: HalfOpenRule;
}
