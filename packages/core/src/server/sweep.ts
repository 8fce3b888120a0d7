// The open connections of one server, and the one timer that applies their deadlines. A timer per connection and
// phase would cost more than decoding the request; a sweep once in a while costs nothing on the request's path.

import type { ScgiConnection } from './connection.js';
import type { ConnectionSettings } from './handler.js';

/** Upper bound of the time between two sweeps, and so of how late a deadline can be. */
const MAX_PERIOD_MS = 1000;
const MIN_PERIOD_MS = 20;

export class ConnectionSweep {
  readonly #settings: ConnectionSettings;
  readonly #connections: Set<ScgiConnection>;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#connections = new Set();
    this.#timer = undefined;
  }

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): IterableIterator<ScgiConnection> {
    return this.#connections[Symbol.iterator]();
  }

  add(connection: ScgiConnection): void {
    this.#connections.add(connection);
    if (this.#timer === undefined) this.#schedule();
  }

  delete(connection: ScgiConnection): void {
    this.#connections.delete(connection);
  }

  #schedule(): void {
    // The open sockets keep the process alive, not their deadlines.
    this.#timer = setTimeout(() => this.#sweep(), periodFor(this.#settings)).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const connection of this.#connections) connection.checkDeadlines(now);
    if (this.#connections.size > 0) this.#schedule();
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
