// Deadlines: no test waits for ever.

import { setTimeout as delay } from 'node:timers/promises';
import { within as withinMs } from '../../../client/test/support/within.js';

/** Starting a process takes a while: twice as long as where all is in one. */
export function within<T>(what: string, promise: Promise<T>, deadlineMs = 10_000): Promise<T> {
  return withinMs(what, promise, deadlineMs);
}

/** Resolves when the condition holds, looking again every 5 ms: for facts about processes, which have no event. */
export async function until(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms until ${what}`);
    await delay(5);
  }
}
