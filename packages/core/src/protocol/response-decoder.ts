// The SCGI client's half of a response: bytes in, events out. A CGI head, then the body up to its length or to the end.
// Sans-I/O, and independent of the request: an answer may begin and end before the request was sent whole.

import { LocalProtocolError, RemoteProtocolError } from './errors.js';
import type { ErrorDetails, ScgiErrorCode } from './errors.js';
import { latin1 } from './latin1.js';
import { defaultMaxResponseHeadBytes, defaultMaxResponseLineBytes, resolveLimit } from './limits.js';
import { ByteCollector, ChunkQueue } from './received-bytes.js';
import { readResponseHead } from './response-head.js';
import type { ResponseHead } from './response-head.js';

/** How to read responses. */
export interface ResponseDecoderOptions {
  /** Method of the request: the answer to HEAD has no body. Default: a method that allows one. */
  readonly requestMethod?: string | undefined;
  /** Largest response head in bytes, skipped interim heads included. Default 65536. */
  readonly maxHeadBytes?: number | undefined;
  /** Longest line of the head in bytes, without its LF. Default 8192. */
  readonly maxLineBytes?: number | undefined;
}

/** What arrived. `body` data are views of the received chunks, never copies and never empty. */
export type ResponseEvent =
  | { readonly type: 'head'; readonly head: ResponseHead }
  | { readonly type: 'body'; readonly data: Uint8Array }
  | { readonly type: 'end' };

/** Where a ResponseDecoder stands; the moves between these are in `responseTransitions`. */
export const ResponseState = {
  /** Nothing of a head received, or only interim ones. */
  Start: 0,
  /** Inside a head. */
  Head: 1,
  /** The head was delivered; the body has a known length, though perhaps nothing of it is left. */
  CountedBody: 2,
  /** The head was delivered; the body ends where the connection does. */
  OpenBody: 3,
  /** A 101 was delivered; everything up to the end of the connection belongs to the upgraded protocol. */
  Tunnel: 4,
  /** The end was delivered. What follows is ignored. */
  Done: 5,
  /** A fault was thrown; every further `nextEvent()` throws it again. */
  Failed: 6,
} as const;
export type ResponseState = (typeof ResponseState)[keyof typeof ResponseState];

const endEvent: ResponseEvent = Object.freeze({ type: 'end' });
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Decodes one response.
 *
 * Feed with `receiveData()` and `receiveEof()`, then call `nextEvent()` until it returns null. What came before a
 * fault is delivered before the fault is thrown, and neither depends on how the bytes were cut into chunks.
 * Interim responses other than 101 are skipped: a CGI response has one head.
 */
export class ResponseDecoder {
  readonly #bodiless: boolean;
  readonly #maxHeadBytes: number;
  readonly #maxLineBytes: number;
  readonly #input: ChunkQueue;
  #state: ResponseState;
  #fault: unknown;
  #eof: boolean;
  /** Bytes of all whole head lines so far. */
  #headBytes: number;
  /** Bytes of the current head line so far, and the last of them. */
  #lineBytes: number;
  #lastByte: number;
  /** Holds the head if it came in more than one chunk. */
  #head: ByteCollector | null;
  #bodyBytesLeft: number;

  /** @throws LocalProtocolError ERR_SCGI_OPTION for an impossible limit */
  constructor(options: ResponseDecoderOptions = {}) {
    this.#bodiless = options.requestMethod === 'HEAD';
    this.#maxHeadBytes = resolveLimit('maxHeadBytes', options.maxHeadBytes, defaultMaxResponseHeadBytes, 0);
    this.#maxLineBytes = resolveLimit('maxLineBytes', options.maxLineBytes, defaultMaxResponseLineBytes, 0);
    this.#input = new ChunkQueue();
    this.#state = ResponseState.Start;
    this.#fault = undefined;
    this.#eof = false;
    this.#headBytes = 0;
    this.#lineBytes = 0;
    this.#lastByte = 0;
    this.#head = null;
    this.#bodyBytesLeft = 0;
  }

  /** Where decoding stands, as of the last `nextEvent()`. */
  get state(): ResponseState {
    return this.#state;
  }

  /** Bytes of body still to come; undefined where only the end of the connection shows that it is whole, and in the head. */
  get bodyBytesLeft(): number | undefined {
    return this.#state === ResponseState.CountedBody ? this.#bodyBytesLeft : undefined;
  }

  /**
   * Takes bytes from the backend. The chunk is not copied: do not write into it afterwards.
   * @throws LocalProtocolError ERR_SCGI_STATE after `receiveEof()`
   */
  receiveData(chunk: Uint8Array): void {
    if (this.#eof) throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'data after the end of input' });
    // A body longer than its Content-Length is cut there, as nginx and lighttpd do.
    const over = this.#state === ResponseState.Done || this.#state === ResponseState.Failed;
    if (!over && chunk.length > 0) this.#input.push(chunk);
  }

  /** The backend sends no more. Calling it again changes nothing. */
  receiveEof(): void {
    this.#eof = true;
  }

  /**
   * The next event, or null when more bytes are needed or the response is over.
   * @throws RemoteProtocolError for what the backend did wrong, the same one at every further call
   */
  nextEvent(): ResponseEvent | null {
    for (;;) {
      switch (this.#state) {
        case ResponseState.Start:
        case ResponseState.Head: {
          if (!this.#input.ready()) return this.#starve();
          this.#state = ResponseState.Head;
          const text = this.#gatherHead();
          const event = text === null ? null : this.#deliverHead(text);
          if (event !== null) return event;
          break;
        }
        case ResponseState.CountedBody:
          if (this.#bodyBytesLeft === 0) return this.#finish();
          if (!this.#input.ready()) return this.#starve();
          return this.#deliverBody(this.#bodyBytesLeft);
        case ResponseState.OpenBody:
        case ResponseState.Tunnel:
          if (this.#input.ready()) return this.#deliverBody(Infinity);
          return this.#eof ? this.#finish() : null;
        case ResponseState.Done:
          return null;
        case ResponseState.Failed:
          throw this.#fault;
      }
    }
  }

  /** The head as text once its empty line is there; until then what came of it is collected. */
  #gatherHead(): string | null {
    const input = this.#input;
    const end = this.#findHeadEnd(input.chunk, input.offset);
    const piece = input.take((end === -1 ? input.chunk.length : end) - input.offset);
    // Usually one chunk holds the whole head: read it where it lies.
    if (end !== -1 && this.#head === null) return latin1.decode(piece, 0, piece.length);
    this.#head ??= new ByteCollector(this.#maxHeadBytes);
    this.#head.append(piece);
    if (end === -1) return null;
    const bytes = this.#head.bytes();
    this.#head = null;
    return latin1.decode(bytes, 0, bytes.length);
  }

  /** Where the head ends in this chunk, behind its empty line, or -1. Every byte is looked at once. */
  #findHeadEnd(chunk: Uint8Array, from: number): number {
    for (let start = from; ;) {
      const newline = chunk.indexOf(lineFeed, start);
      const end = newline === -1 ? chunk.length : newline;
      const lineBytes = this.#lineBytes + end - start;
      const lastByte = end > start ? (chunk[end - 1] ?? 0) : this.#lastByte;
      this.#checkSize(lineBytes, newline !== -1);
      if (newline === -1) {
        this.#lineBytes = lineBytes;
        this.#lastByte = lastByte;
        return -1;
      }
      this.#headBytes += lineBytes + 1;
      this.#lineBytes = 0;
      if (lineBytes === 0 || (lineBytes === 1 && lastByte === carriageReturn)) return newline + 1;
      start = newline + 1;
    }
  }

  /** Reports the limit that the bytes crossed first, as if they had come one by one. */
  #checkSize(lineBytes: number, complete: boolean): void {
    const room = this.#maxHeadBytes - this.#headBytes;
    if (lineBytes > this.#maxLineBytes && this.#maxLineBytes <= room) {
      this.#fail('ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', { maxLineBytes: this.#maxLineBytes });
    }
    if (lineBytes + (complete ? 1 : 0) > room) {
      this.#fail('ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', { maxHeadBytes: this.#maxHeadBytes });
    }
  }

  /** Null for an interim response, which is skipped. */
  #deliverHead(text: string): ResponseEvent | null {
    const head = this.#parseHead(text);
    const { status, contentLength } = head;
    if (status === 101) {
      this.#state = ResponseState.Tunnel;
    } else if (status < 200) {
      this.#state = ResponseState.Start;
      return null;
    } else if (this.#bodiless || status === 204 || status === 304) {
      this.#state = ResponseState.CountedBody;
    } else if (contentLength !== undefined) {
      this.#bodyBytesLeft = contentLength;
      this.#state = ResponseState.CountedBody;
    } else {
      this.#state = ResponseState.OpenBody;
    }
    return { type: 'head', head };
  }

  #parseHead(text: string): ResponseHead {
    try {
      return readResponseHead(text);
    } catch (error) {
      this.#failWith(error);
    }
  }

  #deliverBody(limit: number): ResponseEvent {
    const data = this.#input.take(limit);
    if (this.#state === ResponseState.CountedBody) this.#bodyBytesLeft -= data.length;
    return { type: 'body', data };
  }

  #finish(): ResponseEvent {
    this.#state = ResponseState.Done;
    this.#input.clear();
    return endEvent;
  }

  /** Nothing left to decode where more is due: wait for it, unless there will be none. */
  #starve(): null {
    if (!this.#eof) return null;
    switch (this.#state) {
      case ResponseState.Start:
        return this.#fail('ERR_SCGI_RESPONSE_EMPTY');
      case ResponseState.Head:
        return this.#fail('ERR_SCGI_RESPONSE_HEAD', { fault: 'ends inside the head' });
      default:
        return this.#fail('ERR_SCGI_RESPONSE_TRUNCATED', { bytesMissing: this.#bodyBytesLeft });
    }
  }

  #fail(code: ScgiErrorCode, details?: ErrorDetails): never {
    this.#failWith(new RemoteProtocolError(code, details));
  }

  #failWith(error: unknown): never {
    this.#state = ResponseState.Failed;
    this.#fault = error;
    this.#head = null;
    this.#input.clear();
    throw error;
  }
}
