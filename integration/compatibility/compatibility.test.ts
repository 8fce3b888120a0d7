// One suite for all: every behaviour, with every kind of application, over every way in, compared with the same
// application over HTTP. What may differ is in differences.ts, and must.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { within } from '../support/deadline.js';
import { requireFrontEnd } from '../support/front-ends.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Behaviour } from './behaviours/behaviour.js';
import { behaviours, type BehaviourName } from './behaviours/index.js';
import { differences } from './differences.js';
import { kinds, type KindName } from './kinds/index.js';
import { failure } from './kinds/content.js';
import { appliesTo, describeDeviations, expectationAt } from './support/difference.js';
import { formatMatrix, Tally } from './support/matrix.js';
import { startRun, type Run } from './support/suite.js';
import { namesOf } from './support/names.js';

const tally = new Tally();

// Without one its columns are not run: locally that is a skip that can be seen, in continuous integration a failure.
test.for(['nginx', 'apache', 'lighttpd'] as const)('finds %s on this machine', (program, context) => {
  expect(requireFrontEnd(program, context)).toMatch(/^\//);
});

describe.each(namesOf(kinds))('%s', (kind: KindName) => {
  let before: string[] = [];
  let run: Run | undefined;
  let errors: unknown[][] = [];

  beforeAll(async () => {
    errors = vi.spyOn(console, 'error').mockImplementation(() => {}).mock.calls;
    before = openDescriptors();
    run = await startRun(kinds[kind]);
  });

  test.concurrent.for(namesOf(behaviours))('%s', async (name: BehaviourName, { expect: check }) => {
    if (run === undefined) throw new Error('not started');
    const behaviour: Behaviour = behaviours[name];
    const oracle = await run.observeOracle(behaviour);
    check(oracle, 'over HTTP').toMatchObject(behaviour.exceptions?.[kind] ?? behaviour.expected);
    const seen = await run.observeWays(behaviour, (way) =>
      differences.some((difference) => appliesTo(difference, { kind, way, behaviour: name })),
    );
    const comparisons = namesOf(seen).map((way) => {
      const expectation = expectationAt(differences, { kind, way, behaviour: name }, oracle);
      return { way, seen: seen[way], ...expectation };
    });
    check(describeDeviations(comparisons)).toEqual([]);
    const idle = comparisons.flatMap(({ way, idle: names }) => names.map((difference) => `${way}: ${difference}`));
    check(idle, 'named differences that make none').toEqual([]);
    for (const way of namesOf(seen)) tally.pass({ kind, way, behaviour: name });
  });

  test('leaves nothing open', async () => {
    await within(run?.close() ?? Promise.resolve(), 10_000, 'the end of all servers');
    run = undefined;
    await expectNoLeaks(before);
    const unexpected = errors.filter((words) => !words.some((word) => `${word}`.includes(failure)));
    expect(unexpected).toEqual([]);
  });

  afterAll(async () => {
    await run?.close();
    vi.restoreAllMocks();
  });
});

afterAll(() => {
  console.log(formatMatrix(tally));
});
