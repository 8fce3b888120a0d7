// The body of a request as a Fetch application takes it: whole, or as a ReadableStream that is pulled. Nothing is read
// ahead beyond the bound of core's RequestBody. Knows no Request.

import type { UnderlyingSource } from 'node:stream/web';
import type { RequestBody } from '@scgi/core/server';

const nothing = new Uint8Array(0);

/** One body, to be taken once: either through `stream` or by `readAll`. */
export class IncomingBody {
  readonly #body: RequestBody;
  #stream: ReadableStream<Uint8Array> | undefined;
  #isTaken: boolean;
  #isDropped: boolean;
  /** The stream was read, or cancelled. */
  #isDisturbed: boolean;

  constructor(body: RequestBody) {
    this.#body = body;
    this.#stream = undefined;
    this.#isTaken = false;
    this.#isDropped = false;
    this.#isDisturbed = false;
  }

  /** It was read, or begun to be: as `bodyUsed` has it. */
  get isUsed(): boolean {
    return this.#isTaken || this.#isDisturbed;
  }

  /** Somebody has it, or may have: it cannot be read behind the back of the stream. */
  get isTouched(): boolean {
    return this.#isTaken || this.#stream !== undefined;
  }

  /** It cannot be handed on to another Request. */
  get isUnusable(): boolean {
    return this.isUsed || this.#stream?.locked === true;
  }

  /** Reads are answered, so the body must go on coming after the response. */
  get isBeingRead(): boolean {
    return this.#body.isRead && !this.#isDropped;
  }

  /**
   * The body as a stream that asks the connection for bytes only when it is read. The memory of its chunks is the
   * reader's, to be given away to a worker or a byte stream.
   */
  get stream(): ReadableStream<Uint8Array> {
    return (this.#stream ??= this.#isTaken ? usedStream() : this.#createStream());
  }

  /** All bytes, without a stream. @throws what the connection failed with */
  readAll(): Promise<Uint8Array> {
    this.#isTaken = true;
    const body = this.#body;
    if (this.#isDropped) return Promise.reject(droppedError());
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      body.onReadable = () => {
        try {
          let chunk = body.read();
          for (; chunk; chunk = body.read()) chunks.push(chunk);
          if (chunk === null) resolve(chunks.length === 1 ? (chunks[0] ?? nothing) : Buffer.concat(chunks));
        } catch (error) {
          reject(error);
        }
      };
      body.onReadable();
    });
  }

  /** Nobody will read it any more: the response is out. Returns false, and does nothing, if somebody reads it. */
  drop(): boolean {
    if (this.#isDropped) return true;
    if (this.#body.isRead) return false;
    this.#isDropped = true;
    this.#body.discard();
    return true;
  }

  #createStream(): ReadableStream<Uint8Array> {
    const body = this.#body;
    const disturb = (): boolean => (this.#isDisturbed = true);
    const isDropped = (): boolean => this.#isDropped;
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const deliver = (): void => {
      if (controller === undefined) return;
      const taker = controller;
      try {
        const chunk = body.read();
        if (chunk === undefined) return;
        controller = undefined;
        if (chunk === null) taker.close();
        else taker.enqueue(chunk);
      } catch (error) {
        controller = undefined;
        taker.error(error);
      }
    };
    const source: UnderlyingSource<Uint8Array> = {
      pull(asking) {
        disturb();
        if (isDropped()) throw droppedError();
        // Without a type a stream has this kind of controller.
        if (!(asking instanceof ReadableStreamDefaultController)) return;
        controller = asking;
        body.onReadable = deliver;
        deliver();
      },
      cancel() {
        disturb();
        controller = undefined;
        body.discard();
      },
    };
    return new ReadableStream(source, { highWaterMark: 0 });
  }
}

function usedStream(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>();
  void stream.cancel();
  return stream;
}

function droppedError(): TypeError {
  return new TypeError('the request body was not read before the response ended, and is gone');
}
