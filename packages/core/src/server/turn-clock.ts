// Counts event-loop turns, for the half-open rule: "did EOF arrive together with the last request byte?".
// libuv reports the bytes and the EOF behind them in two reads, one turn apart, so wall-clock time cannot tell
// a half-close from a client that leaves while the handler blocks the loop. Runs only while somebody asks.

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

/** True when an EOF seen now was already on its way in the given turn. */
export function isSameArrival(completedInTurn: number): boolean {
  return turn - completedInTurn < TURNS_OF_INTEREST;
}

function advance(): void {
  turn += 1;
  turnsLeft -= 1;
  if (turnsLeft > 0) setImmediate(advance);
}
