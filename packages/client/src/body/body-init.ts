// What may be given as a request body. Types only.

import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** A request body. The length of the first row is known; that of the second is not, unless it is given beside it. */
export type ScgiBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | Blob
  | FormData
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array>;
