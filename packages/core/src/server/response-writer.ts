// A CGI response on a connection, for bridges that have no response object of Node's: the head once, a body that is as
// long as promised or broken off, back-pressure, and the end of the exchange. Knows nothing of the application.

import { LocalProtocolError, formatResponseHead, parseContentLength } from '../protocol/index.js';
import type { BridgedRequest } from './bridge.js';
import { watchHeadLength } from './long-heads.js';

/** A piece of a response body; strings are sent as UTF-8. */
export type BodyChunk = Uint8Array | string;

const UNKNOWN = -1;
/** Bodies that are copied behind their head. */
const MAX_COPIED_BYTES = 8 * 1024;

export class ResponseWriter {
  readonly #request: BridgedRequest;
  #headSent: boolean = false;
  #ended: boolean = false;
  #hasBody: boolean = true;
  /** What Content-Length promises and is still to come. */
  #bytesLeft: number = UNKNOWN;

  constructor(request: BridgedRequest) {
    this.#request = request;
  }

  /** The head is on its way: an error can no longer be answered. */
  get headSent(): boolean {
    return this.#headSent;
  }

  /** The whole response was given, or it was broken off. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Nobody wants the body: HEAD, 204 or 304. */
  get hasBody(): boolean {
    return this.#hasBody;
  }

  /** Bytes that Content-Length promises and that were not given yet; 0 without one. */
  get bytesMissing(): number {
    return this.#hasBody && this.#bytesLeft !== UNKNOWN ? this.#bytesLeft : 0;
  }

  /** The peer takes less than it is given: wait for the handler's `onDrain`. */
  get isBlocked(): boolean {
    return this.#request.connection.socket.writableNeedDrain;
  }

  /**
   * Sends a whole response: head and body in one write. Content-Length is added.
   * @param fields flat: name, value, name, value …
   * @param discard whether nobody reads the rest of the request: see `ScgiConnection.finish`
   * @throws {LocalProtocolError} ERR_SCGI_STATUS_CODE, ERR_SCGI_RESPONSE_FIELD; ERR_SCGI_BODY_LENGTH_MISMATCH for a
   *   Content-Length that is not the body's. Nothing is sent then.
   */
  send(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    body: BodyChunk | null,
    discard: boolean,
  ): void {
    const length = body === null ? 0 : byteLength(body);
    const stated = statedLength(fields);
    const isBodyless = this.#isHead() || isBodylessStatus(status);
    if (stated !== UNKNOWN && stated !== length && !isBodyless) {
      throw new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { stated, length });
    }
    // A HEAD without a body says nothing of the length that GET would have.
    const addsLength =
      stated === UNKNOWN && !isBodylessStatus(status) && (body !== null || !this.#isHead()) && !this.#isFile(fields);
    const head = this.#formatHead(status, reason, addsLength ? [...fields, 'Content-Length', String(length)] : fields);
    this.#begin(head, isBodyless ? UNKNOWN : length, isBodyless);
    if (length > 0 && !isBodyless && body !== null) this.#writeTogether(head, body);
    else this.#writeHead(head);
    this.#bytesLeft = UNKNOWN;
    this.end(discard);
  }

  /**
   * Sends the head of a response whose body follows in pieces.
   * @throws {LocalProtocolError} ERR_SCGI_STATUS_CODE, ERR_SCGI_RESPONSE_FIELD; nothing is sent then.
   *   ERR_SCGI_STATE for a second head.
   */
  writeHead(status: number, reason: string | undefined, fields: readonly string[]): void {
    const head = this.#formatHead(status, reason, fields);
    this.#begin(head, statedLength(fields), this.#isHead() || isBodylessStatus(status));
    this.#writeHead(head);
  }

  /**
   * Sends a piece of the body. Returns false if the peer takes no more for now.
   * @throws {LocalProtocolError} ERR_SCGI_BODY_LENGTH_MISMATCH for more than Content-Length promised: what fits is sent
   */
  write(chunk: BodyChunk): boolean {
    const { socket } = this.#request.connection;
    if (!this.#hasBody || this.#ended || socket.destroyed) return true;
    if (this.#bytesLeft === UNKNOWN) return socket.write(chunk);
    const length = byteLength(chunk);
    const excess = length - this.#bytesLeft;
    if (excess > 0) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      if (this.#bytesLeft > 0) socket.write(bytes.subarray(0, this.#bytesLeft));
      this.#bytesLeft = 0;
      throw new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { excess });
    }
    this.#bytesLeft -= length;
    return socket.write(chunk);
  }

  /**
   * The body is complete: ends the exchange as `ScgiConnection.finish` does. A body that is shorter than promised is
   * broken off instead.
   */
  end(discard: boolean): void {
    if (this.#ended) return;
    if (this.bytesMissing > 0) {
      this.breakOff();
      return;
    }
    this.#ended = true;
    this.#request.connection.finish(discard);
  }

  /** There will be no more: the front end must not take what it has for the whole. */
  breakOff(error?: Error): void {
    this.#ended = true;
    this.#request.connection.breakOff(error);
  }

  #begin(head: string, length: number, isBodyless: boolean): void {
    if (this.#headSent) throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'a second response head' });
    this.#headSent = true;
    this.#hasBody = !isBodyless;
    this.#bytesLeft = length;
    watchHeadLength(this.#request.head, head);
  }

  /** Everything but the body. */
  #isHead(): boolean {
    return this.#request.facts.method === 'HEAD';
  }

  /** The front end has the body. Apache with `ap_trust_cgilike_cl` would take our length for the file's. */
  #isFile(fields: readonly string[]): boolean {
    const { sendfileRoots, sendfileField } = this.#request.frontEnd;
    return sendfileRoots.length > 0 && findField(fields, sendfileField.toLowerCase()) !== undefined;
  }

  #formatHead(status: number, reason: string | undefined, fields: readonly string[]): string {
    const head = formatResponseHead(status, reason, fields);
    if (!this.#request.unbufferedEvents || !isEventStream(fields)) return head;
    // nginx holds back whole buffers of a response unless it is told not to.
    return `${head.slice(0, -2)}X-Accel-Buffering: no\r\n\r\n`;
  }

  #writeHead(head: string): void {
    if (!this.#request.connection.socket.destroyed)
      this.#request.connection.socket.write(isAscii(head) ? head : Buffer.from(head, 'latin1'));
  }

  #writeTogether(head: string, body: BodyChunk): void {
    const { socket } = this.#request.connection;
    if (socket.destroyed) return;
    if (typeof body === 'string' && isAscii(head)) {
      socket.write(head + body);
      return;
    }
    const length = byteLength(body);
    if (length <= MAX_COPIED_BYTES) {
      // One piece of memory is written at once; gathering two costs more than the copy.
      const bytes = Buffer.allocUnsafe(head.length + length);
      bytes.write(head, 'latin1');
      if (typeof body === 'string') bytes.write(body, head.length);
      else bytes.set(body, head.length);
      socket.write(bytes);
      return;
    }
    socket.cork?.();
    this.#writeHead(head);
    socket.write(body);
    socket.uncork?.();
  }
}

function byteLength(chunk: BodyChunk): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
}

/** RFC 9110 §6.4.1: these have no content. */
function isBodylessStatus(status: number): boolean {
  return status === 204 || status === 304;
}

function statedLength(fields: readonly string[]): number {
  const value = findField(fields, 'content-length');
  return value === undefined ? UNKNOWN : (parseContentLength(value) ?? UNKNOWN);
}

function isEventStream(fields: readonly string[]): boolean {
  const type = findField(fields, 'content-type');
  if (type === undefined || !/^[ \t]*text\/event-stream/i.test(type)) return false;
  return findField(fields, 'x-accel-buffering') === undefined;
}

function findField(fields: readonly string[], lowerCase: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name.length === lowerCase.length && name.toLowerCase() === lowerCase) return fields[index + 1];
  }
  return undefined;
}

/** Then latin1 and UTF-8 are the same, and head and body can go as one string. */
function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
