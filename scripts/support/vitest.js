// Runs vitest with a given Node.js and returns its counts beside its exit code.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './run.js';

/**
 * @param {readonly string[]} args  for `vitest run`
 * @param {{ node?: string, live?: boolean, onWait?: (seconds: number) => void }} [options]
 *   `node`: the Node.js to run it with, default the current one; `live`: show the output instead of returning it
 */
export async function runVitest(args, { node = process.execPath, live = true, onWait } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-tally-'));
  const file = join(folder, 'tally.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/support/tally-reporter.js')}`];
    const result = await run(node, [vitest, 'run', ...reporters, ...args], {
      live,
      ...(onWait && { onWait }),
      // Node.js 20 reads the certificates it names at every start, which is twice as long as the rest of a start takes.
      // Tests start hundreds, and none goes out.
      env: { TALLY_FILE: file, NODE_EXTRA_CA_CERTS: undefined },
    });
    return { ...result, tally: readTally(file, result.ok) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whatever vitest says with its exit code must show in the counts too. */
function readTally(file, ok) {
  /** @type {import('./tally-reporter.js').Tally} */
  let tally = { passed: 0, failed: 0, skipped: 0, skips: [] };
  try {
    tally = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // No file: vitest ended before its first test. Its own message is on the screen, the exit code counts below.
  }
  return !ok && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}
