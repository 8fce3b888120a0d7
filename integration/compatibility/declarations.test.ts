// The declarations are sound, and what docs/compatibility.md is made of is in step with them.

import { describe, expect, test } from 'vitest';
import { behaviours, subjects } from './behaviours/index.js';
import { differences } from './differences.js';
import { kinds } from './kinds/index.js';
import { formatDeclarations } from './support/declarations.js';
import { appliesTo } from './support/difference.js';
import { namesOf } from './support/names.js';
import { ways } from './ways/index.js';

describe('the suite', () => {
  test('has at least 60 behaviours, each under a name of its own', () => {
    const names = namesOf(subjects).flatMap((subject) => namesOf(subjects[subject] ?? {}));
    expect(names.length).toBeGreaterThanOrEqual(60);
    expect(new Set(names).size).toBe(names.length);
    expect(names.toSorted()).toEqual(namesOf(behaviours).toSorted());
  });

  test('names each difference once, and only where it can occur', () => {
    const names = differences.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const idle = differences.filter(
      (difference) =>
        !namesOf(kinds).some((kind) =>
          namesOf(ways).some((way) =>
            difference.where.behaviours.every((behaviour) => appliesTo(difference, { kind, way, behaviour })),
          ),
        ),
    );
    expect(idle.map(({ name }) => name)).toEqual([]);
  });

  test('is what docs/compatibility.md tells: `npx vitest run --root integration compatibility/declarations -u`, `npm run docs`', async () => {
    await expect(formatDeclarations()).toMatchFileSnapshot('./fixtures/declarations.json');
  });
});
