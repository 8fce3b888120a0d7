// The SCGI server's half of a request: bytes in, events out. A netstring of variables, then the body.
// https://python.ca/scgi/protocol.txt
// Sans-I/O: no sockets, no timers; deadlines and answers to bad requests belong to the connection driver.

import { LocalProtocolError, RemoteProtocolError } from './errors.js';
import type { ErrorDetails, ScgiErrorCode } from './errors.js';
import { latin1 } from './latin1.js';
import { maxTrailingBytes } from './limits.js';
import { ByteCollector, ChunkQueue } from './received-bytes.js';
import { readHead } from './request-head.js';
import type { RequestHead } from './request-head.js';
import { RequestRules } from './request-rules.js';
import type { RequestDecoderOptions } from './request-rules.js';

/** What arrived. `body` data are views of the chunks that `receiveData` was given, never empty. */
export type RequestEvent =
  | { readonly type: 'head'; readonly head: RequestHead }
  | { readonly type: 'body'; readonly data: Uint8Array }
  | { readonly type: 'end' };

/** Where a RequestDecoder stands; the moves between these are in `requestTransitions`. */
export const RequestState = {
  /** Nothing received. */
  Start: 0,
  /** Inside the digits of the netstring length. */
  Length: 1,
  /** Inside the netstring. */
  Head: 2,
  /** The head was delivered; the body is due, though perhaps nothing of it is left. */
  Body: 3,
  /** The end was delivered. What follows is trailing data. */
  Done: 4,
  /** The peer closed before it sent anything: a health probe, not an error. */
  Unused: 5,
  /** A fault was thrown; every further `nextEvent()` throws it again. */
  Failed: 6,
} as const;
export type RequestState = (typeof RequestState)[keyof typeof RequestState];

const endEvent: RequestEvent = Object.freeze({ type: 'end' });

/**
 * Decodes one request.
 *
 * Feed with `receiveData()` and `receiveEof()`, then call `nextEvent()` until it returns null. Nothing is decoded
 * before it is asked for, so what came before a fault is always delivered before the fault is thrown, and neither
 * events nor errors depend on how the bytes were cut into chunks.
 */
export class RequestDecoder {
  readonly #rules: RequestRules;
  readonly #input: ChunkQueue;
  #state: RequestState;
  #fault: unknown;
  #eof: boolean;
  /** The received chunk will be written again: nothing of it may be kept. */
  #borrowed: boolean;
  /** Announced size of the netstring payload. */
  #headBytes: number;
  /** Holds the payload and its comma if they came in more than one chunk. */
  #head: ByteCollector | null;
  #bodyBytesLeft: number;
  #trailing: Uint8Array | ByteCollector | null;
  #trailingBytes: number;

  /**
   * @param options how to read; a server that makes a decoder per connection prepares `RequestRules` once
   * @throws LocalProtocolError ERR_SCGI_OPTION for an impossible limit, or `strict` together with `lax`
   */
  constructor(options: RequestDecoderOptions | RequestRules = {}) {
    this.#rules = options instanceof RequestRules ? options : new RequestRules(options);
    this.#input = new ChunkQueue();
    this.#state = RequestState.Start;
    this.#fault = undefined;
    this.#eof = false;
    this.#borrowed = false;
    this.#headBytes = 0;
    this.#head = null;
    this.#bodyBytesLeft = 0;
    this.#trailing = null;
    this.#trailingBytes = 0;
  }

  /** Where decoding stands, as of the last `nextEvent()`. */
  get state(): RequestState {
    return this.#state;
  }

  /** How many bytes of the body are still to be delivered; 0 before the head is known. */
  get bodyBytesLeft(): number {
    return this.#bodyBytesLeft;
  }

  /** How many bytes came after the body, kept or not. */
  get trailingBytes(): number {
    return this.#trailingBytes;
  }

  /**
   * Takes bytes from the peer. The chunk is not copied: do not write into it afterwards.
   * @throws LocalProtocolError ERR_SCGI_STATE after `receiveEof()`
   */
  receiveData(chunk: Uint8Array): void {
    this.#receive(chunk, false);
  }

  /**
   * Takes bytes that lie in memory of the caller's, who writes it again: draw all events before that. Body data are then
   * copies; a head that comes whole is read where it lies.
   * @throws LocalProtocolError ERR_SCGI_STATE after `receiveEof()`
   */
  receiveBorrowed(chunk: Uint8Array): void {
    this.#receive(chunk, true);
  }

  #receive(chunk: Uint8Array, borrowed: boolean): void {
    this.#borrowed = borrowed;
    if (this.#eof) throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'data after the end of input' });
    if (this.#state === RequestState.Done) this.#keepTrailing(chunk);
    else if (this.#state !== RequestState.Failed && chunk.length > 0) this.#input.push(chunk);
  }

  /** The peer sends no more. Calling it again changes nothing. */
  receiveEof(): void {
    this.#eof = true;
  }

  /**
   * The next event, or null when more bytes are needed or the request is over.
   * @throws RemoteProtocolError for what the peer did wrong, the same one at every further call
   */
  nextEvent(): RequestEvent | null {
    for (;;) {
      switch (this.#state) {
        case RequestState.Start:
        case RequestState.Length:
          if (!this.#input.ready()) return this.#starve();
          this.#readLength();
          break;
        case RequestState.Head:
          if (!this.#input.ready()) return this.#starve();
          if (this.#gatherHead()) return this.#deliverHead();
          break;
        case RequestState.Body:
          if (this.#bodyBytesLeft === 0) return this.#finish();
          if (!this.#input.ready()) return this.#starve();
          return this.#deliverBody();
        case RequestState.Done:
        case RequestState.Unused:
          return null;
        case RequestState.Failed:
          throw this.#fault;
      }
    }
  }

  /**
   * Hands over what came after the body and forgets it: the first bytes of an upgraded connection, or junk.
   * At most 64 KiB are kept until they are taken; what exceeds that is counted in `trailingBytes` and dropped.
   */
  takeTrailing(): Uint8Array | null {
    const trailing = this.#trailing;
    this.#trailing = null;
    return trailing instanceof ByteCollector ? trailing.bytes() : trailing;
  }

  /** Reads digits up to the colon. Every byte is judged as it comes: garbage is refused at the first impossible one. */
  #readLength(): void {
    const input = this.#input;
    const { chunk } = input;
    while (input.offset < chunk.length) {
      const byte = chunk[input.offset++] ?? 0;
      if (byte === colon && this.#state === RequestState.Length) {
        this.#state = RequestState.Head;
        return;
      }
      const digit = byte - zero;
      // No netstring length starts with 0 (netstrings.txt), and an empty head has no CONTENT_LENGTH.
      if (digit < 0 || digit > 9 || (digit === 0 && this.#headBytes === 0)) this.#refuseLength(byte);
      this.#state = RequestState.Length;
      this.#headBytes = this.#headBytes * 10 + digit;
      if (this.#headBytes > this.#rules.maxHeadBytes) {
        this.#fail('ERR_SCGI_HEAD_TOO_LARGE', { maxHeadBytes: this.#rules.maxHeadBytes });
      }
    }
  }

  /** The first byte already tells other protocols from SCGI; none of them starts with a digit. */
  #refuseLength(byte: number): never {
    if (this.#state === RequestState.Start) {
      // RFC 8446 §5.1: a handshake record starts with content type 22.
      if (byte === tlsHandshake) this.#fail('ERR_SCGI_TLS');
      // RFC 9110 §9.1: every registered method, and the HTTP/2 preface "PRI", starts with a letter.
      if (isLetter(byte)) this.#fail('ERR_SCGI_PLAIN_HTTP');
    }
    this.#fail('ERR_SCGI_NETSTRING_LENGTH', { byte: `0x${byte.toString(16).padStart(2, '0')}` });
  }

  /** True once the payload and its comma are at hand: usually in the current chunk, else in `#head`. */
  #gatherHead(): boolean {
    const input = this.#input;
    const size = this.#headBytes + 1;
    if (this.#head === null && input.chunk.length - input.offset >= size) return true;
    this.#head ??= new ByteCollector(size);
    this.#head.append(input.take(size - this.#head.length));
    return this.#head.length === size;
  }

  #deliverHead(): RequestEvent {
    const bytes = this.#headBytes;
    const collected = this.#head;
    this.#head = null;
    // A head that came in one piece is read where it lies: not even a view is made.
    const { chunk, offset } = this.#input;
    const netstring = collected === null ? chunk : collected.bytes();
    const start = collected === null ? offset : 0;
    if (collected === null) this.#input.offset += bytes + 1;
    if (netstring[start + bytes] !== comma) this.#fail('ERR_SCGI_NETSTRING_TERMINATOR');
    const head = this.#decodeHead(latin1.decode(netstring, start, start + bytes));
    this.#bodyBytesLeft = head.bodyLength;
    this.#state = RequestState.Body;
    return { type: 'head', head };
  }

  #decodeHead(payload: string): RequestHead {
    try {
      return readHead(payload, this.#rules);
    } catch (error) {
      // Also whatever the caller's bodyLength rule throws: there is no length to go on with.
      this.#failWith(error);
    }
  }

  #deliverBody(): RequestEvent {
    const data = this.#input.take(this.#bodyBytesLeft);
    this.#bodyBytesLeft -= data.length;
    return { type: 'body', data: this.#borrowed ? new Uint8Array(data) : data };
  }

  #finish(): RequestEvent {
    this.#state = RequestState.Done;
    while (this.#input.ready()) this.#keepTrailing(this.#input.take(Infinity));
    return endEvent;
  }

  #keepTrailing(chunk: Uint8Array): void {
    this.#trailingBytes += chunk.length;
    const kept = this.#trailing;
    const room = maxTrailingBytes - (kept === null ? 0 : kept.length);
    if (room === 0 || chunk.length === 0) return;
    const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (kept === null) {
      this.#trailing = this.#borrowed ? new Uint8Array(bytes) : bytes; // nearly always all there is
    } else if (kept instanceof ByteCollector) {
      kept.append(bytes);
    } else {
      // One buffer of our own from here on: a list of views would pin a chunk of any size for each.
      this.#trailing = new ByteCollector(maxTrailingBytes);
      this.#trailing.append(kept);
      this.#trailing.append(bytes);
    }
  }

  /** Nothing left to decode: wait for more, unless there will be none. */
  #starve(): null {
    if (!this.#eof) return null;
    if (this.#state === RequestState.Start) {
      this.#state = RequestState.Unused;
      return null;
    }
    const part = this.#state === RequestState.Body ? 'body' : 'head';
    this.#fail('ERR_SCGI_PREMATURE_EOF', { part });
  }

  #fail(code: ScgiErrorCode, details?: ErrorDetails): never {
    this.#failWith(new RemoteProtocolError(code, details));
  }

  #failWith(error: unknown): never {
    this.#state = RequestState.Failed;
    this.#fault = error;
    this.#head = null;
    this.#input.clear();
    throw error;
  }
}

const zero = 0x30;
const colon = 0x3a;
const comma = 0x2c;
const tlsHandshake = 0x16;

function isLetter(byte: number): boolean {
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x5a;
}
