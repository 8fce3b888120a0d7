// Runs every behaviour behind Node's own HTTP server and behind ours: what was observed must be the same.
// The behaviours are in behaviours/, what may differ is in allowed-differences.ts.
import { afterAll, describe, expect, it } from 'vitest';
import { allowedDifferences, type AllowedDifferenceName } from './allowed-differences.js';
import { subjects } from './behaviours/index.js';
import type { Behaviour } from './support/behaviour.js';
import { compare, type Comparison } from './support/compare.js';
import { observe } from './support/observe.js';
import { httpWorld, scgiWorld } from './support/worlds.js';

const compared = new Set<string>();
const needed = new Set<AllowedDifferenceName>();

describe.each(Object.entries(subjects))('%s', (_subject, table) => {
  for (const [name, behaviour] of Object.entries(table)) {
    const register = behaviour.exclusive === true ? it : it.concurrent;
    register(name, async ({ expect: check, skip }) => {
      if (behaviour.needs !== undefined) skip(!behaviour.needs.present(), `this Node has no ${behaviour.needs.what}`);
      const { expected, actual, used } = await runInBothWorlds(behaviour);
      compared.add(name);
      for (const difference of used) needed.add(difference);
      check(actual).toBe(expected);
      // One that is named and not needed would hide the next deviation.
      check(used).toEqual(check.arrayContaining([...(behaviour.allowed ?? [])]));
    });
  }
});

describe('the oracle suite', () => {
  it('compares at least 100 behaviours, each under its own name', () => {
    const names = Object.values(subjects).flatMap((table) => Object.keys(table));
    expect(new Set(names).size).toBe(names.length);
    expect(compared.size).toBeGreaterThanOrEqual(100);
  });

  it('needs every allowed difference', () => {
    expect([...needed].toSorted()).toEqual(allowedDifferences.map(({ name }) => name).toSorted());
  });
});

afterAll(() => {
  console.log(`oracle: ${compared.size} behaviours compared, ${needed.size} allowed differences needed`);
});

async function runInBothWorlds(behaviour: Behaviour): Promise<Comparison> {
  if (behaviour.exclusive === true) {
    const http = await observe(httpWorld, behaviour);
    return compare(http, await observe(scgiWorld, behaviour), behaviour.allowed);
  }
  const [http, scgi] = await Promise.all([observe(httpWorld, behaviour), observe(scgiWorld, behaviour)]);
  return compare(http, scgi, behaviour.allowed);
}
