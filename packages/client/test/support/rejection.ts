// What a promise is rejected with.

import { within } from './within.js';

/** Fails for a promise that is resolved. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return within(
    'the rejection',
    promise.then(
      (value) => {
        throw new Error(`resolved with ${String(value)}`);
      },
      (reason: unknown) => reason,
    ),
  );
}
