// What applications have begun and not finished: whoever stops the server waits for it. And the way of errors out of them.

import { RemoteProtocolError } from '@scgi/core';
import type { FailedRequest } from './types.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Counts what is under way. */
export class Work {
  #running: number = 0;
  #waiters: (() => void)[] = [];

  /** Counts `promise` until it is settled. `onSettled` is called behind `onRejected`. */
  follow(promise: PromiseLike<unknown>, onRejected: (error: unknown) => void, onSettled?: () => void): void {
    this.#running += 1;
    const settle = (): void => {
      this.#running -= 1;
      if (this.#running === 0) for (const resolve of this.#waiters.splice(0)) resolve();
      onSettled?.();
    };
    promise.then(settle, (error: unknown) => {
      try {
        onRejected(error);
      } finally {
        settle();
      }
    });
  }

  /** Calls `task`, and follows it if it returns a promise. Returns whether it did. */
  run(task: () => unknown, onFailed: (error: unknown) => void, onSettled?: () => void): boolean {
    let result: unknown;
    try {
      result = task();
    } catch (error) {
      onFailed(error);
      return false;
    }
    if (!isThenable(result)) return false;
    this.follow(result, onFailed, onSettled);
    return true;
  }

  /** Resolves when nothing is under way, or after `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#running === 0 || timeoutMs <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      if (timeoutMs <= LONGEST_TIMER_MS) timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The default of `onError`. */
export function logError(error: unknown, request: FailedRequest): void {
  // Whoever reads a body fails when the client leaves or sends too much; that is nothing to report.
  if (request.aborted || error instanceof RemoteProtocolError) return;
  console.error(`${request.method} ${request.url} failed:`, error);
}

/** The status that answers a handler's error: the client's fault where it is. */
export function statusOf(error: unknown): number {
  return error instanceof RemoteProtocolError ? error.statusHint : 500;
}
