// From figures to text and to a file. Measures nothing.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/**
 * @typedef {object} RowResult what every row hands over
 * @property {string} title with the units
 * @property {string[]} head
 * @property {string[][]} rows
 * @property {{ what: string, value: string, goal: string, reached: boolean }[]} goals
 * @property {unknown} data the figures for the file
 */

/** @param {RowResult} result */
export function formatRow({ title, head, rows }) {
  return `\n${title}\n\n${formatTable([head, ...rows])}`;
}

/** @param {RowResult[]} results */
export function formatGoals(results) {
  const goals = results.flatMap((result) => result.goals);
  if (goals.length === 0) return '';
  const rows = goals.map(({ what, value, goal, reached }) => [what, value, goal, reached ? 'reached' : 'MISSED']);
  return `\nGoals\n\n${formatTable([['', 'value', 'goal', ''], ...rows])}`;
}

/** Writes all figures to a file named after the time, and returns its path. */
export function writeResults(options, results) {
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = new URL(`${at.replaceAll(':', '-')}.json`, folder);
  const content = {
    at,
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    options: { ...options, only: [...options.only] },
    rows: results.map(({ title, goals, data }) => ({ title, goals, data })),
  };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  return file.pathname;
}

/** Figures to the right, words to the left. */
function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isFigure = widths.map((_, column) => rows.slice(1).every((row) => /^[\d.,–]+( MiB)?$/.test(row[column])));
  const line = (row) =>
    row
      .map((text, column) => (isFigure[column] ? text.padStart(widths[column]) : text.padEnd(widths[column])))
      .join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join('');
}
