// What a named difference is, and what a way must show where some apply. The list itself is in differences.ts.

import { isDeepStrictEqual } from 'node:util';
import type { BehaviourName } from '../behaviours/index.js';
import type { KindName } from '../kinds/index.js';
import type { WayName } from '../ways/index.js';
import type { Observation } from './client.js';

export interface Difference {
  /** A sentence about what a client or an application sees. */
  readonly name: string;
  readonly why: string;
  /** The front end with its version, or the rule, that makes it so. */
  readonly witness: string;
  /** What users can do about it, if anything. */
  readonly remedy?: string;
  readonly where: Where;
  /** What HTTP showed → what must be seen instead. Exactly that: a difference does not excuse its neighbours. */
  readonly becomes: (oracle: Observation) => Observation;
}

/** Every kind or way, unless some are named. */
export interface Where {
  readonly behaviours: readonly BehaviourName[];
  readonly kinds?: readonly KindName[];
  readonly ways?: readonly WayName[];
}

/** One run of one behaviour. */
export interface Cell {
  readonly kind: KindName;
  readonly way: WayName;
  readonly behaviour: BehaviourName;
}

export function appliesTo({ where }: Difference, { kind, way, behaviour }: Cell): boolean {
  return (
    where.behaviours.includes(behaviour) && (where.kinds?.includes(kind) ?? true) && (where.ways?.includes(way) ?? true)
  );
}

export interface Expectation {
  readonly expected: Observation;
  readonly applied: readonly string[];
  /** Those that changed nothing of what HTTP showed: they do not belong here. */
  readonly idle: readonly string[];
}

export function expectationAt(differences: readonly Difference[], cell: Cell, oracle: Observation): Expectation {
  const idle: string[] = [];
  const applying = differences.filter((difference) => appliesTo(difference, cell));
  let expected = oracle;
  for (const { name, becomes } of applying) {
    const next = becomes(expected);
    if (isDeepStrictEqual(next, expected)) idle.push(name);
    expected = next;
  }
  return { expected, applied: applying.map(({ name }) => name), idle };
}

interface Comparison {
  readonly way: WayName;
  readonly seen: Observation | undefined;
  readonly expected: Observation;
}

/** What was seen and should not have been, a line for all the ways that saw the same. */
export function describeDeviations(comparisons: readonly Comparison[]): string[] {
  const waysOf = new Map<string, WayName[]>();
  for (const { way, seen, expected } of comparisons) {
    if (isDeepStrictEqual(seen, expected)) continue;
    const line = `saw ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`;
    waysOf.set(line, [...(waysOf.get(line) ?? []), way]);
  }
  return [...waysOf].map(([line, names]) => `${names.join('; ')}: ${line}`);
}
