// The open connections of one server, and the one timer that applies their deadlines. A timer per connection and
// phase would cost more than decoding the request; a sweep once in a while costs nothing on the request's path.

import type { ScgiConnection } from './connection.js';
import type { ConnectionSettings } from './handler.js';

/** Upper bound of the time between two sweeps, and so of how late a deadline can be. */
const MAX_PERIOD_MS = 1000;
const MIN_PERIOD_MS = 20;

export class ConnectionSweep {
  readonly #settings: ConnectionSettings;
  /** The list runs through the connections themselves: a Set would hash every one of them. */
  #newest: ScgiConnection | null;
  #size: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#newest = null;
    this.#size = 0;
    this.#timer = undefined;
  }

  get size(): number {
    return this.#size;
  }

  /** From the newest to the oldest; connections may end meanwhile. */
  *[Symbol.iterator](): Generator<ScgiConnection> {
    for (let connection = this.#newest; connection !== null;) {
      const { older } = connection;
      yield connection;
      connection = older;
    }
  }

  add(connection: ScgiConnection): void {
    connection.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = connection;
    this.#newest = connection;
    this.#size += 1;
    if (this.#timer === undefined) this.#schedule();
  }

  /** Called once for every connection that was added. */
  delete(connection: ScgiConnection): void {
    const { older, newer } = connection;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (older !== null) older.newer = newer;
    // Whoever keeps an old request must not keep every connection that came after it.
    connection.older = null;
    connection.newer = null;
    this.#size -= 1;
  }

  #schedule(): void {
    // The open sockets keep the process alive, not their deadlines.
    this.#timer = setTimeout(() => this.#sweep(), periodFor(this.#settings)).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const connection of this) connection.checkDeadlines(now);
    if (this.#size > 0) this.#schedule();
  }
}

/** A quarter of the shortest deadline, so that none is late by more than that. */
function periodFor(settings: ConnectionSettings): number {
  let shortest = MAX_PERIOD_MS * 4;
  for (const timeoutMs of [
    settings.headersTimeout,
    settings.requestTimeout,
    settings.idleTimeout,
    settings.lingerTimeout,
  ]) {
    if (timeoutMs > 0 && timeoutMs < shortest) shortest = timeoutMs;
  }
  return Math.max(MIN_PERIOD_MS, shortest / 4);
}
