// A vitest reporter that prints nothing and writes down what the closing summary needs: counts, and every skip with
// its reason. The file's name comes from the environment variable TALLY_FILE.

import { writeFileSync } from 'node:fs';

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed  failed tests, files that could not be collected, errors outside of any test
 * @property {number} skipped
 * @property {{ test: string, reason: string }[]} skips
 */

export default class TallyReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    /** @type {Tally} */
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0, skips: [] };
    for (const testModule of testModules) {
      // An error outside of the tests: a syntax error, a failed hook. It would not show in the tests' own counts.
      tally.failed += testModule.errors().length;
      for (const suite of testModule.children.allSuites()) tally.failed += suite.errors().length;
      for (const test of testModule.children.allTests()) count(tally, test);
    }
    writeFileSync(process.env['TALLY_FILE'], JSON.stringify(tally));
  }
}

function count(tally, test) {
  const { state, note } = test.result();
  if (state === 'passed') tally.passed += 1;
  else if (state === 'failed') tally.failed += 1;
  else {
    tally.skipped += 1;
    tally.skips.push({ test: test.fullName, reason: note ?? '' });
  }
}
