// Where the applications and the scenarios meet, since both run in this process: an application notes what it saw, and
// waits at a gate until the scenario opens it. Every request that needs this carries an id of its own in its query.

import { within } from '../../support/deadline.js';

export class Stage {
  /** For files of the applications; removed when all is over. */
  readonly folder: string;
  readonly #events = new Map<string, PromiseWithResolvers<void>>();
  #lastId = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** An id that no other request has. */
  nextId(): string {
    this.#lastId += 1;
    return `${this.#lastId}`;
  }

  /** Something happened to the request: `arrived`, `left`; or the scenario opens a gate: `open`. */
  note(id: string, event: string): void {
    this.#event(id, event).resolve();
  }

  /** Settles when it has happened, if ever. */
  after(id: string, event: string): Promise<void> {
    return this.#event(id, event).promise;
  }

  /** Whether it happens within `ms` milliseconds from now, or has already. */
  happens(id: string, event: string, ms: number): Promise<boolean> {
    return within(this.after(id, event), ms, event).then(
      () => true,
      () => false,
    );
  }

  #event(id: string, event: string): PromiseWithResolvers<void> {
    const key = `${id} ${event}`;
    const known = this.#events.get(key) ?? withResolvers();
    this.#events.set(key, known);
    return known;
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

// Promise.withResolvers came with Node.js 22.
export function withResolvers(): PromiseWithResolvers<void> {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
