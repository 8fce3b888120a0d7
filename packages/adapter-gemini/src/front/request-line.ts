// The bytes of a request until its CRLF, however they are cut. Knows nothing of URLs.

import { RemoteProtocolError } from '@scgi/core';
import { maxUrlBytes } from '../url.js';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class RequestLine {
  readonly #bytes: Uint8Array = new Uint8Array(maxUrlBytes + 2);
  #length: number = 0;

  /** Nothing has come yet. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Takes what came next. Returns the line, without its CRLF, when it is whole; null until then.
   * @throws {RemoteProtocolError} ERR_SCGI_GEMINI_REQUEST: too long, ended by a bare LF, or no UTF-8
   */
  take(chunk: Uint8Array): string | null {
    const bytes = this.#bytes;
    const from = this.#length;
    const piece = chunk.subarray(0, bytes.length - from);
    bytes.set(piece, from);
    this.#length += piece.length;
    const found = bytes.subarray(from, this.#length).indexOf(lineFeed);
    if (found === -1) {
      const tooLong = this.#length > maxUrlBytes && bytes[maxUrlBytes] !== carriageReturn;
      if (tooLong || this.#length === bytes.length) throw refuse(`more than ${maxUrlBytes} bytes`);
      return null;
    }
    const end = from + found;
    if (bytes[end - 1] !== carriageReturn) {
      throw refuse(end > maxUrlBytes ? `more than ${maxUrlBytes} bytes` : 'a line feed without a carriage return');
    }
    try {
      return utf8.decode(bytes.subarray(0, end - 1));
    } catch {
      throw refuse('no UTF-8');
    }
  }
}

function refuse(fault: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_GEMINI_REQUEST', { fault });
}
