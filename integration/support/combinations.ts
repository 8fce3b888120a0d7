// Which combinations of two lists are tested: every one by `npm run test:all`; by `npm test`, which is to take minutes, each
// member of both lists in some combination.

import { testsEveryCombination } from '../../scripts/support/combinations.js';

export { testsEveryCombination };

/** What the member number `index` of one list is combined with of another. */
export function combinedWith<Other>(index: number, others: readonly Other[]): readonly Other[] {
  return testsEveryCombination ? others : others.slice(index % others.length).slice(0, 1);
}
