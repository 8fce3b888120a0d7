// Whether a peer still moves, measured by the sweep and not per byte. Times are monotonic milliseconds.

/** Remembers when a counter last changed, to the precision of the calls. */
export class Progress {
  #mark: number;
  #changedAt: number;

  constructor(now: number) {
    this.#mark = 0;
    this.#changedAt = now;
  }

  /** When `mark` last differed from the call before. */
  since(mark: number, now: number): number {
    if (mark !== this.#mark) {
      this.#mark = mark;
      this.#changedAt = now;
    }
    return this.#changedAt;
  }

  /** Counts from `now`. */
  restart(now: number): void {
    this.#changedAt = now;
  }
}

/** True once `timeoutMs` have passed since `sinceMs`; never for a time-out of 0. */
export function isDue(timeoutMs: number, sinceMs: number, nowMs: number): boolean {
  return timeoutMs > 0 && nowMs - sinceMs >= timeoutMs;
}
