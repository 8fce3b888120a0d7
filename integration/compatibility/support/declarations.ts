// What is declared, as data for docs/compatibility.md: behaviours, kinds, ways and differences, and how many of these
// each field of the matrix has. Says nothing that a run could change: the suite fails where it is not so.

import { behaviours, subjects } from '../behaviours/index.js';
import { differences } from '../differences.js';
import { kinds } from '../kinds/index.js';
import { frontEnds, ways } from '../ways/index.js';
import { countDifferences } from './matrix.js';
import { namesOf } from './names.js';

/** The data of the page, as JSON. */
export function formatDeclarations(): string {
  const kindNames = namesOf(kinds);
  const wayNames = namesOf(ways);
  const declarations = {
    behaviours: namesOf(behaviours).length,
    subjects: namesOf(subjects).map((title) => ({ title, behaviours: namesOf(subjects[title] ?? {}) })),
    ways: wayNames,
    frontEnds,
    kinds: kindNames.map((name) => ({
      name,
      servedBy: kinds[name].servedBy,
      comparedWith: kinds[name].comparedWith,
      differences: wayNames.map((way) => countDifferences(name, way)),
    })),
    differences: differences.map(({ name, why, witness, remedy, where }) => ({ name, why, witness, remedy, where })),
  };
  return `${JSON.stringify(declarations, undefined, 2)}\n`;
}
