// How many connections may be open at once, and who waits for one: a bounded queue, first come first served.

import { AbortError, BackendError } from '@scgi/core/protocol';

/** Bounds of the queue. `Infinity` for none; times in milliseconds, 0 for none. */
export interface SlotSettings {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly queueTimeout: number;
}

/** Somebody who wants a connection. */
export interface SlotUser {
  /** The slot is yours until you call `release`. */
  onSlot(): void;
  /** There is none, and you no longer wait. */
  onNoSlot(error: BackendError | AbortError): void;
}

/** The slots of one backend. */
export class Slots {
  readonly #settings: SlotSettings;
  /** Who waits, in the order of arrival, which is the order of a Map; and the timer that ends the waiting. */
  readonly #waiting: Map<SlotUser, NodeJS.Timeout | undefined>;
  #taken: number;
  #serving: boolean;
  #closed: boolean;

  constructor(settings: SlotSettings) {
    this.#settings = settings;
    this.#waiting = new Map();
    this.#taken = 0;
    this.#serving = false;
    this.#closed = false;
  }

  get taken(): number {
    return this.#taken;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `onSlot` at once if a slot is free; else the user waits.
   * @throws {BackendError} ERR_SCGI_BACKEND_BUSY if the queue is full
   * @throws {AbortError} ERR_SCGI_CLIENT_CLOSED after `close`
   */
  take(user: SlotUser): void {
    if (this.#closed) throw new AbortError('ERR_SCGI_CLIENT_CLOSED');
    const { maxConcurrent, maxQueued, queueTimeout } = this.#settings;
    if (this.#taken < maxConcurrent && this.#waiting.size === 0) {
      this.#taken += 1;
      user.onSlot();
      return;
    }
    if (this.#waiting.size >= maxQueued) throw new BackendError('ERR_SCGI_BACKEND_BUSY', { maxConcurrent, maxQueued });
    const timer = queueTimeout === 0 ? undefined : setTimeout(() => this.#giveUp(user), queueTimeout);
    this.#waiting.set(user, timer);
  }

  /** Waits no longer. */
  leave(user: SlotUser): void {
    clearTimeout(this.#waiting.get(user));
    this.#waiting.delete(user);
  }

  /** Gives a slot back, or on to who waits longest. */
  release(): void {
    this.#taken -= 1;
    // One that gives its slot back at once is served by the loop that is running, however many do so.
    if (this.#serving) return;
    this.#serving = true;
    try {
      this.#serve();
    } finally {
      // Else one user that throws would leave all others waiting.
      this.#serving = false;
    }
  }

  #serve(): void {
    for (const user of this.#waiting.keys()) {
      if (this.#taken >= this.#settings.maxConcurrent) return;
      this.leave(user);
      this.#taken += 1;
      user.onSlot();
    }
  }

  /** Nobody waits any longer, and nobody gets a slot any more. */
  close(): void {
    this.#closed = true;
    for (const user of this.#waiting.keys()) {
      this.leave(user);
      user.onNoSlot(new AbortError('ERR_SCGI_CLIENT_CLOSED'));
    }
  }

  #giveUp(user: SlotUser): void {
    this.leave(user);
    const { maxConcurrent, queueTimeout } = this.#settings;
    user.onNoSlot(new BackendError('ERR_SCGI_BACKEND_BUSY', { maxConcurrent, queueTimeout }));
  }
}
