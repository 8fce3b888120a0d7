// What a caller gets of an answer. Types only.

import type { Duplex, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { ResponseKind } from '@scgi/core/protocol';

/** A body that can be read once, in one of these ways. */
export interface RawResponse {
  /**
   * The bytes as they come. Broken off, it fails with the error that says why; destroying it closes the connection.
   * A body that nobody reads is given up after `idleTimeout`.
   */
  readonly body: Readable;
  /** The same as a web stream. It pulls; cancelling it closes the connection. */
  stream(): ReadableStream<Uint8Array>;
  /** Whether the body was read, or is being read. */
  readonly bodyUsed: boolean;
  /** The whole body as UTF-8; a byte order mark is dropped, what is no UTF-8 becomes U+FFFD, as with `fetch`. */
  text(): Promise<string>;
  /** The whole body, which must be JSON. */
  json(): Promise<unknown>;
  /** The whole body. */
  bytes(): Promise<Uint8Array>;
}

/** The answer of an SCGI backend. */
export interface ScgiResponse extends RawResponse {
  readonly status: number;
  /** As sent; without one the registered phrase of the status. */
  readonly reason: string;
  /** What the backend means by it, RFC 3875 §6.2. */
  readonly kind: ResponseKind;
  /** Flat: name, value, name, value … as sent, without Status. */
  readonly fields: readonly string[];
  /** The same fields; made when first asked for. */
  readonly headers: Headers;
  readonly location: string | undefined;
  /** The value of Content-Length, whether or not a body follows (HEAD, 304). */
  readonly contentLength: number | undefined;
  /** After a 101: the upgraded protocol, both ways. `body` is empty then. */
  readonly socket: Duplex | undefined;
}
