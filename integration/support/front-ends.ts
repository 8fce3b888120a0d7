// Which of the programs that the tests drive this machine has, and what a test does without one:
// it is skipped where a person can see it, and in continuous integration it fails.

import { describe } from 'vitest';
import { findProgram, isContinuousIntegration, programs } from '../../scripts/support/executables.js';

export type ProgramName = keyof typeof programs;

/** The part of vitest's test context that is needed to skip a running test. */
interface Skippable {
  skip(note: string): never;
}

/**
 * The path of a program. Without it the test is skipped, if its context is given and this is not continuous
 * integration; else this throws.
 */
export function requireFrontEnd(name: ProgramName, context?: Skippable): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  if (context === undefined || isContinuousIntegration) throw new Error(missing(name));
  return context.skip(missing(name));
}

/**
 * `describe` for tests that cannot do without some programs. Where one is missing they are listed as skipped with the
 * reason in the title; in continuous integration they run, and fail when they call `requireFrontEnd`.
 */
export function describeWith(names: ProgramName | readonly ProgramName[], title: string, tests: () => void): void {
  const lacking = [names].flat().filter((name) => findProgram(name) === undefined);
  if (lacking.length === 0 || isContinuousIntegration) describe(title, tests);
  else describe.skip(`${title} (${lacking.map(missing).join('; ')})`, tests);
}

function missing(name: ProgramName): string {
  return `${name} is not installed; install the package "${programs[name].debianPackage}"`;
}
