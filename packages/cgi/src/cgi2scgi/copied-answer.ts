// The answer as bytes to be copied: its head is read only to know that it is one and where the body ends. What goes out
// is what came in, but for the first line of a server that answers as if it spoke HTTP, and for interim heads.

import type { AnswerDecoder, AnswerEvent } from '@scgi/client/exchange';
import type { ErrorDetails, ScgiErrorCode } from '@scgi/core/protocol';
import { readResponseHead, RemoteProtocolError } from '@scgi/core/protocol';

/** As lighttpd; interim heads included. */
const maxHeadBytes = 65_536;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** `HTTP/1.1 ` */
const protocolLength = 9;

/** A decoder for `Backend.openWith` whose head is the bytes of the head. */
export class CopiedAnswer implements AnswerDecoder<Uint8Array> {
  readonly #bodiless: boolean;
  /** What came and was not delivered yet. */
  #received: Buffer;
  #headBytes: number;
  /** Undefined inside the head. */
  #bodyLeft: number | undefined;
  #eof: boolean;
  #over: boolean;
  /** Bytes have come. */
  started: boolean;

  constructor(requestMethod: string) {
    this.#bodiless = requestMethod === 'HEAD';
    this.#received = Buffer.alloc(0);
    this.#headBytes = 0;
    this.#bodyLeft = undefined;
    this.#eof = false;
    this.#over = false;
    this.started = false;
  }

  get bodyBytesLeft(): number | undefined {
    return this.#bodyLeft === Infinity ? undefined : this.#bodyLeft;
  }

  receiveData(chunk: Uint8Array): void {
    this.started = true;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
  }

  receiveEof(): void {
    this.#eof = true;
  }

  nextEvent(): AnswerEvent<Uint8Array> | null {
    if (this.#over) return null;
    if (this.#bodyLeft === undefined) return this.#nextHead();
    // A body longer than its Content-Length is cut there, as nginx and lighttpd do.
    const data = this.#received.subarray(0, this.#bodyLeft);
    this.#received = Buffer.alloc(0);
    if (data.length > 0) {
      this.#bodyLeft -= data.length;
      return { type: 'body', data };
    }
    if (this.#bodyLeft > 0 && !this.#eof) return null;
    if (this.#bodyLeft > 0 && this.#bodyLeft < Infinity) {
      throw this.#fail('ERR_SCGI_RESPONSE_TRUNCATED', { bytesMissing: this.#bodyLeft });
    }
    this.#over = true;
    return { type: 'end' };
  }

  #nextHead(): AnswerEvent<Uint8Array> | null {
    for (;;) {
      const end = findHeadEnd(this.#received);
      if (this.#headBytes + (end ?? this.#received.length) > maxHeadBytes) {
        throw this.#fail('ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', { maxHeadBytes });
      }
      if (end === undefined) return this.#eof ? this.#endInHead() : null;
      const bytes = this.#received.subarray(0, end);
      this.#received = this.#received.subarray(end);
      this.#headBytes += end;
      const head = this.#takeHead(bytes);
      if (head !== undefined) return { type: 'head', head };
    }
  }

  /** Undefined for an interim head, which CGI does not have: Apache would take it for the answer. */
  #takeHead(bytes: Buffer): Uint8Array | undefined {
    const text = bytes.toString('latin1');
    const { status, contentLength } = readResponseHead(text);
    // Nothing can be upgraded by way of pipes.
    if (status === 101) throw this.#fail('ERR_SCGI_RESPONSE_STATUS', { status });
    if (status < 200) return undefined;
    const hasBody = !this.#bodiless && status !== 204 && status !== 304;
    this.#bodyLeft = hasBody ? (contentLength ?? Infinity) : 0;
    // RFC 3875 §5. nginx and lighttpd accept that of an SCGI server, Apache does not of a CGI program.
    return text.startsWith('HTTP/') ? Buffer.from(`Status: ${text.slice(protocolLength)}`, 'latin1') : bytes;
  }

  #endInHead(): never {
    if (this.#received.length === 0) throw this.#fail('ERR_SCGI_RESPONSE_EMPTY');
    throw this.#fail('ERR_SCGI_RESPONSE_HEAD', { fault: 'ends inside the head' });
  }

  #fail(code: ScgiErrorCode, details?: ErrorDetails): RemoteProtocolError {
    this.#over = true;
    return new RemoteProtocolError(code, details);
  }
}

/** Where the head ends, behind its empty line. */
function findHeadEnd(bytes: Uint8Array): number | undefined {
  for (let start = 0; ;) {
    const newline = bytes.indexOf(lineFeed, start);
    if (newline === -1) return undefined;
    const isEmpty = newline === start || (newline === start + 1 && bytes[start] === carriageReturn);
    if (isEmpty) return newline + 1;
    start = newline + 1;
  }
}
