// A slow peer: says how long to wait so that bytes pass at a given rate, in steps that are worth a timer.

import { setTimeout as delay } from 'node:timers/promises';

export class Pace {
  #bytesPerSecond;
  #startedAt;
  #bytes;

  /** @param {number} bytesPerSecond Infinity for no pace */
  constructor(bytesPerSecond) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#startedAt = performance.now();
    this.#bytes = 0;
  }

  /** Counts bytes; a promise if it is too early for more, else undefined. */
  passed(bytes) {
    this.#bytes += bytes;
    const due = this.#startedAt + (this.#bytes * 1000) / this.#bytesPerSecond;
    const early = due - performance.now();
    // Timers have milliseconds: shorter waits would overshoot.
    return early >= 5 ? delay(early) : undefined;
  }
}
