// The matrix: kinds down, ways across; in each field how many behaviours hold, and how many of them with a named
// difference.

import { behaviours } from '../behaviours/index.js';
import { differences } from '../differences.js';
import { kinds, type KindName } from '../kinds/index.js';
import { ways, type WayName } from '../ways/index.js';
import { appliesTo, type Cell } from './difference.js';
import { namesOf } from './names.js';

/** What has held so far. */
export class Tally {
  readonly #passed = new Map<string, number>();

  pass({ kind, way }: Cell): void {
    const key = `${kind} ${way}`;
    this.#passed.set(key, (this.#passed.get(key) ?? 0) + 1);
  }

  passed(kind: KindName, way: WayName): number {
    return this.#passed.get(`${kind} ${way}`) ?? 0;
  }
}

/** With how many behaviours something is named that differs. */
export function countDifferences(kind: KindName, way: WayName): number {
  return namesOf(behaviours).filter((behaviour) =>
    differences.some((difference) => appliesTo(difference, { kind, way, behaviour })),
  ).length;
}

export function formatMatrix(tally: Tally): string {
  const wayNames = namesOf(ways);
  const kindNames = namesOf(kinds).filter((kind) => wayNames.some((way) => tally.passed(kind, way) > 0));
  const rows = kindNames.map((kind) => [
    kind,
    ...wayNames.map((way) => {
      const passed = tally.passed(kind, way);
      return passed === 0 ? 'skipped' : `${passed} / ${countDifferences(kind, way)}`;
    }),
  ]);
  const table = [['', ...wayNames], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | '));
  const title = `${namesOf(behaviours).length} behaviours: held / of these with a named difference`;
  return [title, ...lines].join('\n');
}
