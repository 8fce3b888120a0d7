// The body of a response in all its kinds, as one: a stream that is read, or given up. Knows neither status nor connection.

import { Readable } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';

/** Text goes out as UTF-8. Chunks of streams and iterables are strings or bytes, too. */
export type GeminiBody =
  | string
  | Uint8Array
  | Readable
  | ReadableStream<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>;

/** A body at hand is written in pieces of this size, so that a slow reader holds no more of it in the socket. */
export const pieceBytes: number = 64 * 1024;

/**
 * The body as a stream.
 * @throws {LocalProtocolError} ERR_SCGI_BODY_USED for one that was read, or given up; or what a stream failed with
 */
export function toReadable(body: GeminiBody): Readable {
  if (typeof body === 'string') return Readable.from(pieces(Buffer.from(body)));
  if (body instanceof Uint8Array) return Readable.from(pieces(body));
  if (body instanceof Readable) {
    if (body.errored !== null) throw body.errored;
    if (body.destroyed || body.readableEnded) throw new LocalProtocolError('ERR_SCGI_BODY_USED');
    return body;
  }
  if (body instanceof ReadableStream) {
    if (body.locked) throw new LocalProtocolError('ERR_SCGI_BODY_USED');
    return Readable.from(readStream(body));
  }
  return Readable.from(body);
}

/** Gives up a body that nobody will read. */
export function discardBody(body: GeminiBody | undefined): void {
  if (body instanceof Readable) body.on('error', ignore).destroy();
  else if (body instanceof ReadableStream && !body.locked) body.cancel().catch(ignore);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

/** As the stream's own iterator, which the types do not have everywhere. */
async function* readStream(stream: ReadableStream<unknown>): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  let whole = false;
  try {
    for (let result = await reader.read(); !result.done; result = await reader.read()) yield result.value;
    whole = true;
  } finally {
    // It may fail or hang in code of the application: there is nobody left who wants to know.
    if (!whole) reader.cancel().catch(ignore);
  }
}

function ignore(): void {}
