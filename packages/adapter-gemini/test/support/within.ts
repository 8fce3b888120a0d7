// What tests wait for.

import { until } from '../../../client/test/support/within.js';

export { until, within } from '../../../client/test/support/within.js';

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Resolves when a number that has risen has not changed for a quarter of a second: buffers are full. */
export async function standstill(read: () => number, quietMs = 250): Promise<void> {
  let last = 0;
  let since = performance.now();
  await until('it stands still', () => {
    if (read() !== last) {
      last = read();
      since = performance.now();
    }
    return last > 0 && performance.now() - since > quietMs;
  });
}
