// A backend's Gemini response: bytes in, events out. One header line, then for 2x the body up to the end of the
// connection. Whatever the bytes are cut into, the events are the same.

import type { AnswerDecoder, AnswerEvent } from '@scgi/client/exchange';
import { RemoteProtocolError } from '@scgi/core';
import { findMetaFault, hasBody, isStatus, maxMetaBytes } from '../meta.js';

/** The header of a response. */
export interface GeminiHead {
  readonly status: number;
  readonly meta: string;
}

const lineFeed = 0x0a;
/** Two digits, a space, the meta, CRLF. */
const maxHeaderBytes = 2 + 1 + maxMetaBytes + 2;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const State = { Header: 0, Body: 1, BodyLess: 2, Done: 3 } as const;
type State = (typeof State)[keyof typeof State];

export class GeminiResponseDecoder implements AnswerDecoder<GeminiHead> {
  #state: State = State.Header;
  /** The header, as far as it has come. */
  readonly #header: Uint8Array = new Uint8Array(maxHeaderBytes);
  #headerBytes: number = 0;
  readonly #chunks: Uint8Array[] = [];
  #eof: boolean = false;

  /** Only the end of the connection shows the end of a body. */
  get bodyBytesLeft(): number | undefined {
    return this.#state === State.BodyLess || this.#state === State.Done ? 0 : undefined;
  }

  receiveData(chunk: Uint8Array): void {
    // Behind the header of any status but 2x there is nothing; what a program prints there all the same is dropped.
    if (chunk.length > 0 && this.#state <= State.Body) this.#chunks.push(chunk);
  }

  receiveEof(): void {
    this.#eof = true;
  }

  /** @throws {RemoteProtocolError} ERR_SCGI_RESPONSE_EMPTY, ERR_SCGI_GEMINI_RESPONSE */
  nextEvent(): AnswerEvent<GeminiHead> | null {
    if (this.#state === State.Header) {
      const head = this.#readHeader();
      return head === null ? null : { type: 'head', head };
    }
    const data = this.#state === State.Body ? this.#chunks.shift() : undefined;
    if (data !== undefined) return { type: 'body', data };
    if (this.#state === State.Done || (this.#state === State.Body && !this.#eof)) return null;
    this.#state = State.Done;
    return { type: 'end' };
  }

  #readHeader(): GeminiHead | null {
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      const piece = chunk.subarray(0, maxHeaderBytes - this.#headerBytes);
      const found = piece.indexOf(lineFeed);
      const end = found === -1 ? piece.length : found;
      this.#header.set(piece.subarray(0, end), this.#headerBytes);
      this.#headerBytes += end;
      if (found !== -1) {
        const head = parseHeader(this.#header.subarray(0, this.#headerBytes));
        this.#state = hasBody(head.status) ? State.Body : State.BodyLess;
        if (chunk.length > found + 1) this.#chunks.unshift(chunk.subarray(found + 1));
        if (this.#state === State.BodyLess) this.#chunks.length = 0;
        return head;
      }
      if (this.#headerBytes === maxHeaderBytes) throw refuse(`no end within ${maxHeaderBytes} bytes`);
    }
    if (!this.#eof) return null;
    if (this.#headerBytes === 0) throw new RemoteProtocolError('ERR_SCGI_RESPONSE_EMPTY');
    throw refuse('it ends inside the header');
  }
}

/** @param line without its LF, with its CR: CGI programs end lines as `print` does, so the CR may be missing */
function parseHeader(line: Uint8Array): GeminiHead {
  let text: string;
  try {
    text = utf8.decode(line);
  } catch {
    throw refuse('no UTF-8');
  }
  const [, digits = '', meta = ''] = /^([0-9]{2})(?: ([^\r]*))?\r?$/.exec(text) ?? [];
  const status = digits === '' ? 0 : Number(digits);
  if (!isStatus(status)) throw refuse('no status from 10 to 69');
  const fault = findMetaFault(status, meta);
  if (fault !== undefined) throw refuse(fault);
  return { status, meta };
}

function refuse(fault: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_GEMINI_RESPONSE', { fault });
}
