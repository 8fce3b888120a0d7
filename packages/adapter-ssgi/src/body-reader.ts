// The request body for getData() and getChunk(): what was asked for and has not come waits here.

import { LocalProtocolError } from '@scgi/core';
import { RequestBody } from '@scgi/core/server';
import type { ScgiConnection } from '@scgi/core/server';

/** Somebody who waits for bytes. */
interface Taker {
  resolve(chunk: Buffer | null): void;
  reject(error: unknown): void;
}

export class BodyReader {
  readonly #body: RequestBody;
  readonly #takers: Taker[] = [];
  #declined: boolean = false;

  constructor(connection: ScgiConnection) {
    this.#body = new RequestBody(connection);
    this.#body.onReadable = () => this.#serve();
  }

  get bufferedBytes(): number {
    return this.#body.bufferedBytes;
  }

  /** The next bytes, null at the end. @throws what `fail` was given; ERR_SCGI_STATE for a body that was declined */
  async take(): Promise<Buffer | null> {
    if (this.#declined) throw declined();
    const chunk = this.#takers.length === 0 ? this.#body.read() : undefined;
    if (chunk !== undefined) return toBuffer(chunk);
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  /** All that is still to be taken. */
  async takeAll(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (let chunk = await this.take(); chunk !== null; chunk = await this.take()) chunks.push(chunk);
    const [only] = chunks;
    return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
  }

  push(chunk: Uint8Array): boolean {
    return this.#body.push(chunk);
  }

  end(): void {
    this.#body.end();
  }

  fail(error: Error): void {
    this.#body.fail(error);
  }

  /** Drops the body, unless somebody reads it. Returns whether it is dropped. */
  decline(): boolean {
    if (this.#declined) return true;
    if (this.#body.isRead) return false;
    this.#declined = true;
    this.#body.discard();
    return true;
  }

  #serve(): void {
    for (let taker = this.#takers[0]; taker !== undefined; taker = this.#takers[0]) {
      try {
        const chunk = this.#body.read();
        if (chunk === undefined) return;
        taker.resolve(toBuffer(chunk));
      } catch (error) {
        taker.reject(error);
      }
      this.#takers.shift();
    }
  }
}

function declined(): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the response ended before the body was asked for' });
}

function toBuffer(chunk: Uint8Array | null): Buffer | null {
  if (chunk === null || chunk instanceof Buffer) return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
