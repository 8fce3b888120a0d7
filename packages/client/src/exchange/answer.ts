// What an exchange asks of the decoder of an answer, so that answers need not be CGI responses; and the decoder that
// takes bytes as they come.

/** What arrived. `body` data are views of the received chunks, never empty. */
export type AnswerEvent<Head> =
  | { readonly type: 'head'; readonly head: Head }
  | { readonly type: 'body'; readonly data: Uint8Array }
  | { readonly type: 'end' };

/** Bytes in, events out: `ResponseDecoder` of @scgi/core is one for `ResponseHead`. */
export interface AnswerDecoder<Head> {
  receiveData(chunk: Uint8Array): void;
  receiveEof(): void;
  /**
   * The next event, or null when more bytes are needed or the answer is over.
   * @throws {ScgiError} for what the backend did wrong
   */
  nextEvent(): AnswerEvent<Head> | null;
  /** Bytes of body still to come. Undefined where only the end of the connection shows that: a reset is no such end. */
  readonly bodyBytesLeft: number | undefined;
}

/** Takes everything up to the end of the connection for the body. Its head is null, and comes with the first bytes or the end. */
export class RawDecoder implements AnswerDecoder<null> {
  readonly bodyBytesLeft: undefined = undefined;
  readonly #chunks: Uint8Array[];
  #headDelivered: boolean;
  #eof: boolean;
  #over: boolean;

  constructor() {
    this.#chunks = [];
    this.#headDelivered = false;
    this.#eof = false;
    this.#over = false;
  }

  receiveData(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  receiveEof(): void {
    this.#eof = true;
  }

  nextEvent(): AnswerEvent<null> | null {
    if (!this.#headDelivered && (this.#eof || this.#chunks.length > 0)) {
      this.#headDelivered = true;
      return { type: 'head', head: null };
    }
    const data = this.#chunks.shift();
    if (data !== undefined) return { type: 'body', data };
    if (!this.#eof || this.#over) return null;
    this.#over = true;
    return { type: 'end' };
  }
}
