// The end of a connection whose response is sent while its request is still coming: how long, and how much, is read on.

import type { ConnectionSettings } from './handler.js';
import { isDue } from './progress.js';

/** A linger ends after this many periods of `lingerTimeout`, however busy the peer. */
const PERIODS = 4;

export class Linger {
  /** Nobody takes the rest of the request: it is read to be forgotten. */
  readonly discards: boolean;
  readonly #settings: ConnectionSettings;
  readonly #since: number;
  #bytesLeft: number;

  constructor(settings: ConnectionSettings, discards: boolean, now: number) {
    this.discards = discards;
    this.#settings = settings;
    this.#since = now;
    this.#bytesLeft = settings.lingerBytes;
  }

  /** Counts bytes of the rest. False: that was more than anybody wants to throw away. */
  takes(length: number): boolean {
    if (this.discards) this.#bytesLeft -= length;
    return this.#bytesLeft >= 0;
  }

  /** Whether to wait no longer. All times are monotonic milliseconds. */
  isOver(acceptedAt: number, progressSince: number, now: number): boolean {
    const { lingerTimeout, requestTimeout } = this.#settings;
    if (isDue(lingerTimeout, progressSince, now)) return true;
    if (this.discards) return isDue(lingerTimeout * PERIODS, this.#since, now);
    return isDue(requestTimeout, acceptedAt, now);
  }
}
