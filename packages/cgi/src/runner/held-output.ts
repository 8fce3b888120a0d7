// Holds an answer back until its program has the input. nginx sends no more of a request once it has the head of the
// response, so that a program that answers and reads on, as `git http-backend` does, would wait for input that never
// comes; under Apache's mod_cgid nobody reads the answer any earlier either.

import type { ResponseHead } from '@scgi/core/protocol';
import type { OutputSink } from './output.js';

/** What is held at most, in bytes; then it goes out, come what may. Precedent: `maxBufferedBody` of the server. */
const MAX_HELD_BYTES = 1024 * 1024;

/** Stands before a sink. */
export class HeldOutput implements OutputSink {
  readonly #sink: OutputSink;
  #isHeld: boolean;
  #head: ResponseHead | undefined;
  #body: Uint8Array[];
  #bytes: number;

  constructor(sink: OutputSink) {
    this.#sink = sink;
    this.#isHeld = true;
    this.#head = undefined;
    this.#body = [];
    this.#bytes = 0;
  }

  onHead(head: ResponseHead): void {
    if (this.#isHeld) this.#head = head;
    else this.#sink.onHead(head);
  }

  onBody(data: Uint8Array): boolean {
    if (!this.#isHeld) return this.#sink.onBody(data);
    this.#body.push(data);
    this.#bytes += data.length;
    return this.#bytes < MAX_HELD_BYTES || this.release();
  }

  onWhole(): void {
    this.release();
    this.#sink.onWhole();
  }

  /** Nothing of the answer has gone out, so that the client gets a status. */
  onFault(error: unknown): void {
    this.#isHeld = false;
    this.#body = [];
    this.#sink.onFault(error);
  }

  /** From here on nothing is held. Returns false if the sink asks for a pause. */
  release(): boolean {
    if (!this.#isHeld) return true;
    this.#isHeld = false;
    if (this.#head !== undefined) this.#sink.onHead(this.#head);
    let more = true;
    for (const data of this.#body) more = this.#sink.onBody(data);
    this.#body = [];
    return more;
  }
}
