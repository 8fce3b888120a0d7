// What a caller may give for a body, made one of two: bytes that are there, or a stream. Types as fetch tells them.

import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ScgiBody } from './body-init.js';
import { formDataBlob } from './form-data.js';

/** A body on its way out. */
export type OutgoingBody = BytesBody | StreamBody;

export interface BytesBody {
  readonly bytes: Uint8Array;
  readonly source: undefined;
  /** What fetch would give as Content-Type. */
  readonly type: string | undefined;
}

export interface StreamBody {
  readonly source: Readable;
  /** Undefined: it has to be kept until that is known. */
  readonly length: number | undefined;
  readonly type: string | undefined;
}

const noBytes = new Uint8Array(0);

/**
 * @param length what the caller says that it is
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for what is no body; ERR_SCGI_BODY_LENGTH_MISMATCH
 */
export function outgoingBody(body: ScgiBody | null | undefined, length: number | undefined): OutgoingBody {
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0)) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'contentLength', value: length });
  }
  if (body == null) return ofBytes(noBytes, undefined, length);
  if (typeof body === 'string') return ofBytes(Buffer.from(body), 'text/plain;charset=UTF-8', length);
  if (isUint8Array(body)) return ofBytes(body, undefined, length);
  if (isAnyArrayBuffer(body)) return ofBytes(new Uint8Array(body), undefined, length);
  if (ArrayBuffer.isView(body)) {
    return ofBytes(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), undefined, length);
  }
  if (body instanceof URLSearchParams) {
    return ofBytes(Buffer.from(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8', length);
  }
  if (body instanceof Blob) return ofBlob(body, length);
  if (body instanceof FormData) return ofBlob(formDataBlob(body), length);
  return { source: toReadable(body), length, type: undefined };
}

function ofBytes(bytes: Uint8Array, type: string | undefined, length: number | undefined): BytesBody {
  checkLength(bytes.length, length);
  return { bytes, source: undefined, type };
}

function ofBlob(blob: Blob, length: number | undefined): StreamBody {
  checkLength(blob.size, length);
  return { source: Readable.fromWeb(blob.stream()), length: blob.size, type: blob.type === '' ? undefined : blob.type };
}

function checkLength(bytes: number, contentLength: number | undefined): void {
  if (contentLength !== undefined && contentLength !== bytes) {
    throw new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { contentLength, body: bytes });
  }
}

function toReadable(body: Exclude<ScgiBody, string>): Readable {
  if (body instanceof Readable) return body;
  if (body instanceof ReadableStream) {
    if (!body.locked) return Readable.fromWeb(body);
    throw new LocalProtocolError('ERR_SCGI_OPTION', {
      option: 'body',
      problem: 'the stream is locked: it is read elsewhere',
    });
  }
  if (typeof body === 'object' && (Symbol.asyncIterator in body || Symbol.iterator in body)) return Readable.from(body);
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'body', problem: `${typeof body} is no body` });
}
