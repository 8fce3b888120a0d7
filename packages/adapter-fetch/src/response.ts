// A Response on its way to the front end: in one write with its length where the body is at hand, else as it comes, no
// faster than the client takes it. Knows no request.

import type { ReadableStreamReadResult } from 'node:stream/web';
import { LocalProtocolError } from '@scgi/core';
import type { BodyChunk, ResponseWriter } from '@scgi/core/server';

/** Turns of the event loop until the head goes out without a length. A Blob takes one for its bytes and one for its end. */
const PATIENT_TURNS = 2;

/** A Response, of whatever realm or library. */
export interface ResponseLike {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
  arrayBuffer?(): Promise<ArrayBuffer>;
}

export function isResponseLike(value: unknown): value is ResponseLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'number' &&
    'headers' in value &&
    typeof value.headers === 'object' &&
    value.headers !== null &&
    Symbol.iterator in value.headers
  );
}

/** Names and values in turn; each Set-Cookie by itself, as the iterator of `Headers` gives them. */
export function fieldsOf(response: ResponseLike): string[] {
  const fields: string[] = [];
  for (const [name, value] of response.headers) fields.push(name, value);
  return fields;
}

/** The body as a stream; null for none. @throws {TypeError} for a body that was read, or that is no stream */
export function bodyOf(response: ResponseLike): ReadableStream<unknown> | null {
  const { body } = response;
  if (response.bodyUsed) throw new TypeError('the body of the response has been read already');
  if (isStream(body)) {
    if (body.locked) throw new TypeError('the body of the response is locked to a reader');
    return body;
  }
  // Libraries from before Fetch was in Node.js: a stream of Node's, or none at all.
  if (isAsyncIterable(body)) return ReadableStream.from(body);
  if (body === null || (body === undefined && response.arrayBuffer === undefined)) return null;
  if (body === undefined) return ReadableStream.from(readWhole(response));
  throw new TypeError('the body of the response is no ReadableStream');
}

/** Gives a body up that nobody will read. */
export function cancelBody(response: ResponseLike, reason?: unknown): void {
  const { body } = response;
  // It may fail, or hang, in code of the application: there is nobody left who wants to know.
  if (isStream(body) && !body.locked) body.cancel(reason).catch(ignore);
}

/** Who owns the exchange: hears of the end. */
export interface ResponseOwner {
  readonly writer: ResponseWriter;
  /** Nobody reads the rest of the request: see `ResponseWriter.end`. */
  discardsRest(): boolean;
  /** The response cannot be completed. */
  fail(error: unknown): void;
}

/** Sends a response whose body is a stream. */
export class ResponseStream {
  readonly #owner: ResponseOwner;
  readonly #status: number;
  readonly #reason: string | undefined;
  readonly #fields: readonly string[];
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  /** A body of one chunk may have ended with it, and then its length is known: it waits for the next read. */
  #first: BodyChunk | undefined;
  #isWaiting: boolean;
  #isOver: boolean;
  readonly #onRead: (result: ReadableStreamReadResult<unknown>) => void;
  readonly #onError: (error: unknown) => void;

  constructor(owner: ResponseOwner, response: ResponseLike, body: ReadableStream<unknown>) {
    this.#owner = owner;
    this.#status = response.status;
    this.#reason = response.statusText;
    this.#fields = fieldsOf(response);
    this.#reader = body.getReader();
    this.#first = undefined;
    this.#isWaiting = false;
    this.#isOver = false;
    this.#onRead = (result) => {
      if (this.#isOver) return;
      try {
        if (result.done) this.#end();
        else this.#take(toChunk(result.value));
      } catch (error) {
        this.#fail(error);
      }
    };
    this.#onError = (error) => {
      if (this.#isOver) return;
      this.#isOver = true;
      owner.fail(error);
    };
    this.#read();
    // Most bodies come whole within the microtasks of this turn.
    queueMicrotask(() => process.nextTick(sendWaiting, this, PATIENT_TURNS));
  }

  /** The client takes bytes again. */
  resume(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#read();
  }

  /** The client has left. */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.cancel(reason).catch(ignore);
  }

  /** Sends what is known, some turns from now: who has more to wait for gets the head out first. */
  static sendWaiting(stream: ResponseStream, turns: number): void {
    const { writer } = stream.#owner;
    if (stream.#isOver || writer.headSent) return;
    if (turns > 0) {
      setImmediate(sendWaiting, stream, turns - 1);
      return;
    }
    try {
      stream.#begin();
    } catch (error) {
      stream.#fail(error);
    }
  }

  #read(): void {
    this.#reader.read().then(this.#onRead, this.#onError);
  }

  #take(chunk: BodyChunk): void {
    const { writer } = this.#owner;
    if (!writer.headSent) {
      if (this.#first === undefined) {
        this.#first = chunk;
        this.#read();
        return;
      }
      this.#begin();
    }
    if (chunk.length === 0 || writer.write(chunk)) this.#read();
    else this.#isWaiting = true;
  }

  #begin(): void {
    const { writer } = this.#owner;
    writer.writeHead(this.#status, this.#reason, this.#fields);
    if (this.#first !== undefined && this.#first.length > 0) writer.write(this.#first);
    this.#first = undefined;
  }

  #end(): void {
    this.#isOver = true;
    const { writer } = this.#owner;
    if (writer.bytesMissing > 0) {
      this.#owner.fail(new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { missing: writer.bytesMissing }));
      return;
    }
    const discard = this.#owner.discardsRest();
    if (writer.headSent) writer.end(discard);
    else writer.send(this.#status, this.#reason, this.#fields, this.#first ?? '', discard);
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#reader.cancel(error).catch(ignore);
    this.#owner.fail(error);
  }
}

const { sendWaiting } = ResponseStream;

function toChunk(value: unknown): BodyChunk {
  if (value instanceof Uint8Array || typeof value === 'string') return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError('the body of the response has a chunk that is neither bytes nor text');
}

async function* readWhole(response: ResponseLike): AsyncGenerator<Uint8Array> {
  const buffer = await response.arrayBuffer?.();
  if (buffer !== undefined) yield new Uint8Array(buffer);
}

function isStream(value: unknown): value is ReadableStream<unknown> {
  return typeof value === 'object' && value !== null && 'getReader' in value && typeof value.getReader === 'function';
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function ignore(): void {}
