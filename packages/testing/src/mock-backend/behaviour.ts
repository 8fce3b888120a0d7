// What a mock backend is told to do as a whole: a script for every connection, one for each, or not to be there.

import type { Script } from './steps.js';

/** Of every connection, of each by its number, or of an address where nobody answers. Made by the functions below. */
export type MockBehaviour =
  | Script
  | { readonly be: 'perConnection'; readonly scripts: readonly Script[] }
  | { readonly be: 'refusing' | 'missing'; readonly later: Script }
  | { readonly be: 'full' };

/** The first connection follows the first script, and so on; the last script is for all that come later. */
export function perConnection(...scripts: readonly Script[]): MockBehaviour {
  return { be: 'perConnection', scripts };
}

/** Nobody listens, and connecting is refused, until the test calls `listen()`; after that `later` applies. */
export function refuse(later: Script = []): MockBehaviour {
  return { be: 'refusing', later };
}

/** There is no socket file, until the test calls `listen()`; on TCP as `refuse`. */
export function missing(later: Script = []): MockBehaviour {
  return { be: 'missing', later };
}

/**
 * Listens and never accepts, with a full queue: connecting over TCP waits for ever, and over a Unix socket fails with EAGAIN.
 */
export function neverAccept(): MockBehaviour {
  return { be: 'full' };
}

/** The script for connection `number`, from 0. */
export function scriptOf(behaviour: MockBehaviour, number: number): Script {
  if (!('be' in behaviour)) return behaviour;
  switch (behaviour.be) {
    case 'perConnection':
      return behaviour.scripts[number] ?? behaviour.scripts.at(-1) ?? [];
    case 'refusing':
    case 'missing':
      return behaviour.later;
    case 'full':
      return [];
  }
}
