// Compares two answers, with the allowed differences carried over into what Apache has shown.

import { type AllowedDifference, type AllowedDifferenceName, allowedDifferences } from '../allowed-differences.js';
import { type Answer, render } from './answer.js';
import type { Case, FrontEnd } from './case.js';

export interface Comparison {
  /** What Apache has shown, rewritten by the differences. */
  readonly expected: string;
  /** What we have shown, untouched. */
  readonly actual: string;
  /** The differences that rewrote something. */
  readonly used: readonly AllowedDifferenceName[];
}

/** @param extra differences of this case, besides those that are everywhere */
export function compare(
  cgid: Answer,
  ours: Answer,
  request: Case,
  frontEnd: FrontEnd,
  extra: readonly AllowedDifferenceName[],
): Comparison {
  const applied = allowedDifferences.filter(
    ({ name, everywhere, behind }) =>
      (everywhere === true || extra.includes(name)) && (behind === undefined || behind === frontEnd),
  );
  const rewrite = (list: readonly AllowedDifference[]): string =>
    render(list.reduce((answer, difference) => difference.apply(answer, ours, request), cgid));
  const expected = rewrite(applied);
  const used = applied.filter((one) => rewrite(applied.filter((other) => other !== one)) !== expected);
  return { expected, actual: render(ours), used: used.map(({ name }) => name) };
}
