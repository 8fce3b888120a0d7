// Counts event-loop turns, for the half-open rule: "did EOF arrive together with the last request byte?".
// libuv reports the bytes and the EOF behind them in two reads, one turn apart, so wall-clock time cannot tell
// a half-close from a client that leaves while the handler blocks the loop. Runs only while somebody asks.

import type { HalfOpenRule } from './handler.js';

/** Turns that must be seen to pass after the latest `now()` before the clock may sleep. */
const TURNS_OF_INTEREST = 2;

let turn = 0;
let turnsLeft = 0;

/** The number of the current turn; keeps the clock running for the next turns, however many ask. */
export function currentTurn(): number {
  if (turnsLeft === 0) setImmediate(advance);
  turnsLeft = TURNS_OF_INTEREST;
  return turn;
}

/**
 * Whether an EOF seen now means that the client left, the request having become complete in the given turn; -1 if nobody
 * noted it.
 */
export function eofIsAbort(rule: HalfOpenRule, completedInTurn: number): boolean {
  if (rule !== 'auto') return rule === 'abort';
  return completedInTurn < 0 || turn - completedInTurn >= TURNS_OF_INTEREST;
}

function advance(): void {
  turn += 1;
  turnsLeft -= 1;
  if (turnsLeft > 0) setImmediate(advance);
}
