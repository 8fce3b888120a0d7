// Holds an answer back until its program has the input. nginx sends no more of a request once it has the head of the
// response, so that a program that answers and reads on, as `git http-backend` does, would wait for input that never
// comes; under Apache's mod_cgid nobody reads the answer any earlier either.

import type { ResponseHead } from '@scgi/core/protocol';
import type { OutputSink } from './output.js';

/** What is held at most, in bytes; then it goes out, come what may. Precedent: `maxBufferedBody` of the server. */
const MAX_HELD_BYTES = 1024 * 1024;
/** Who sends nothing for so long may be waiting for the answer: a front end that has the body pauses for less. */
const IDLE_MS = 1000;

/** Stands before a sink. */
export class HeldOutput implements OutputSink {
  readonly #sink: OutputSink;
  readonly #idleTime: () => number;
  readonly #onIdle: () => void;
  #isHeld: boolean;
  #head: ResponseHead | undefined;
  #body: Uint8Array[];
  #bytes: number;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param idleTime for how long, in milliseconds, the program has had all input that there is; 0 while it has not
   * @param onIdle called when that is too long: time to release
   */
  constructor(sink: OutputSink, idleTime: () => number, onIdle: () => void) {
    this.#sink = sink;
    this.#idleTime = idleTime;
    this.#onIdle = onIdle;
    this.#isHeld = true;
    this.#head = undefined;
    this.#body = [];
    this.#bytes = 0;
    this.#timer = undefined;
  }

  onHead(head: ResponseHead): void {
    if (!this.#isHeld) {
      this.#sink.onHead(head);
      return;
    }
    this.#head = head;
    this.#watch();
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
    this.drop();
    this.#sink.onFault(error);
  }

  /** From here on nothing is held. Returns false if the sink asks for a pause. */
  release(): boolean {
    if (!this.#isHeld) return true;
    const body = this.#body;
    this.drop();
    if (this.#head !== undefined) this.#sink.onHead(this.#head);
    let more = true;
    for (const data of body) more = this.#sink.onBody(data);
    return more;
  }

  /** Nobody wants what is held. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#isHeld = false;
    this.#body = [];
  }

  #watch(): void {
    const left = IDLE_MS - this.#idleTime();
    if (left <= 0) this.#onIdle();
    else this.#timer = setTimeout(() => this.#watch(), left);
  }
}
