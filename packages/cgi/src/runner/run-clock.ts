// The deadlines of one run, with one timer: nothing is set or cleared when bytes move, only noted.

/** Milliseconds; 0 for none. */
export interface RunDeadlines {
  readonly timeout: number;
  readonly runTimeout: number;
  readonly lingerTimeout: number;
}

export class RunClock {
  readonly #deadlines: RunDeadlines;
  readonly #onOver: (option: keyof RunDeadlines) => void;
  #timer: NodeJS.Timeout | undefined;
  #startedAt: number;
  #movedAt: number;
  /** It is the client that is waited for. */
  #paused: boolean;

  /** @param onOver called once at most, with the deadline that has passed */
  constructor(deadlines: RunDeadlines, onOver: (option: keyof RunDeadlines) => void) {
    this.#deadlines = deadlines;
    this.#onOver = onOver;
    this.#timer = undefined;
    this.#startedAt = 0;
    this.#movedAt = 0;
    this.#paused = false;
  }

  start(): void {
    this.#startedAt = this.#movedAt = performance.now();
    this.#schedule();
  }

  /** A byte has moved. */
  restart(): void {
    this.#movedAt = performance.now();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#movedAt = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** From here on only `lingerTimeout` counts. */
  linger(): void {
    this.stop();
    const { lingerTimeout } = this.#deadlines;
    if (lingerTimeout > 0) this.#timer = setTimeout(() => this.#onOver('lingerTimeout'), lingerTimeout);
  }

  #schedule(): void {
    const left = Math.min(this.#leftOfTimeout(), this.#leftOfRun());
    if (left !== Infinity) this.#timer = setTimeout(() => this.#check(), Math.max(1, Math.ceil(left)));
  }

  #check(): void {
    if (this.#leftOfRun() <= 0) this.#onOver('runTimeout');
    else if (this.#leftOfTimeout() <= 0 && !this.#paused) this.#onOver('timeout');
    else this.#schedule();
  }

  #leftOfTimeout(): number {
    const { timeout } = this.#deadlines;
    if (timeout === 0) return Infinity;
    return this.#paused ? timeout : this.#movedAt + timeout - performance.now();
  }

  #leftOfRun(): number {
    const { runTimeout } = this.#deadlines;
    return runTimeout === 0 ? Infinity : this.#startedAt + runTimeout - performance.now();
  }
}
