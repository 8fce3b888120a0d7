// Many programs: at once, and one after the other.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testsEveryCombination } from '../../../../scripts/support/combinations.js';
import type { Launcher } from '../../src/launcher/launcher.js';
import { commandOf, failureOf, launch, run } from '../support/launches.js';
import { childrenOf, countDescriptors, helpersOf } from '../support/processes.js';
import { until, within } from '../support/within.js';
import { kinds } from './launchers.js';

const total = testsEveryCombination ? 2000 : 600;

describe.each(kinds)('$name', { timeout: 120_000 }, ({ create }) => {
  let launcher: Launcher;
  beforeEach(() => {
    launcher = create();
  });
  afterEach(() => launcher.close());

  test('500 programs are there at the same time, each with its own streams', async () => {
    const launches = Array.from({ length: 500 }, () => launch(launcher, commandOf('/bin/cat', [], { hasInput: true })));
    const launched = await Promise.all(launches);
    expect(new Set(launched.map(({ program }) => program.pid)).size).toBe(500);
    launched.forEach(({ program }, index) => program.input?.end(`${index}`));
    const ends = Promise.all(launched.map(({ output, ending }) => Promise.all([output, ending])));
    expect(await within('their ends', ends, 60_000)).toEqual(
      Array.from({ length: 500 }, (_, index) => [`${index}`, { code: 0, signal: undefined }]),
    );
  });

  test.skipIf(process.platform !== 'linux')(`${total} programs leave no descriptor and no zombie`, async () => {
    await launchMany(launcher, 100);
    const helpers = helpersOf('self');
    const count = (): number[] => ['self' as const, ...helpers].map(countDescriptors);
    await until('all is closed', () => childrenOf('self').length === helpers.length);
    // A program that is waited for may still have its streams open.
    const before = await settled(count);
    await launchMany(launcher, total - 100);
    expect(helpersOf('self')).toEqual(helpers);
    await until('all is closed and waited for', () => {
      const left = [childrenOf('self'), ...helpers.map(childrenOf)].map(({ length }) => length);
      return `${[...left, ...count()]}` === `${[helpers.length, ...helpers.map(() => 0), ...before]}`;
    });
  });
});

/** What `read` gives when it has been the same for twenty looks. */
async function settled(read: () => number[]): Promise<number[]> {
  let latest = read();
  let times = 0;
  await until('it rests', () => {
    const now = read();
    times = `${now}` === `${latest}` ? times + 1 : 0;
    latest = now;
    return times === 20;
  });
  return latest;
}

/** Eight at a time; with input and without, and some that cannot be started. */
async function launchMany(launcher: Launcher, total: number): Promise<void> {
  let started = 0;
  const launchOneByOne = async (): Promise<void> => {
    while (started++ < total) {
      if (started % 10 === 0) expect(await failureOf(launcher, commandOf('/missing'))).toBe('ENOENT');
      else if (started % 2 === 0) expect((await run(launcher, commandOf('/bin/cat'), 'x')).output).toBe('x');
      else expect((await run(launcher, commandOf('/bin/true'))).code).toBe(0);
    }
  };
  await Promise.all(Array.from({ length: 8 }, launchOneByOne));
}
