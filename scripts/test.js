// `npm test`: everything that must hold, from a fresh clone. Arguments after `--` go to vitest. With --every-combination
// first, as by `npm run test:all`, every pair is tested of lists that have many (integration/support/combinations.ts).
// The last line is always "N passed, N failed, N skipped"; the exit code is 0 only if nothing failed.

import './support/node-version.js';
import { join } from 'node:path';
import { isContinuousIntegration, programs } from './support/executables.js';
import { buildPackages, ensurePackages } from './support/packages.js';
import { formatSeconds, root, step } from './support/run.js';
import { ensurePrograms } from './support/system-packages.js';
import { runVitest } from './support/vitest.js';

const total = { passed: 0, failed: 0, skipped: 0 };
const skips = [];

const [first, ...others] = process.argv.slice(2);
if (first === '--every-combination') process.env.SCGI_TEST_COMBINATIONS = 'all';
await checkEverything(first === '--every-combination' ? others : process.argv.slice(2));
summarise();

async function checkEverything(vitestArgs) {
  if (!count(await ensurePackages())) return skip('everything else', 'the npm packages are not installed');
  await checkPrograms();
  if (!count(await buildPackages())) return skip('everything else', 'the build failed');
  await check('types', 'typescript/bin/tsc', ['-p', 'tsconfig.json']);
  await check('lint', 'oxlint/bin/oxlint', []);
  await check('format', 'oxfmt/bin/oxfmt', ['--check', '.']);
  await checkTests(vitestArgs);
}

/** Web servers, SCGI servers, a browser and more: tests skip what is missing, continuous integration must have it. */
async function checkPrograms() {
  const missing = await ensurePrograms(Object.keys(programs));
  for (const { name, reason } of missing) {
    if (isContinuousIntegration) console.log(`FAIL ${name}: ${reason}`);
    if (isContinuousIntegration) count(false);
    else skip(name, reason);
  }
}

async function check(name, script, args) {
  const { ok } = await step(name, process.execPath, [join(root, 'node_modules', script), ...args]);
  count(ok);
}

async function checkTests(args) {
  console.log('     tests …');
  const { ok, seconds, tally } = await runVitest(args);
  console.log(`${ok ? 'ok  ' : 'FAIL'} tests (${formatSeconds(seconds)})`);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  skips.push(...tally.skips.map(({ test, reason }) => ({ name: test, reason })));
}

function count(ok) {
  if (ok) total.passed += 1;
  else total.failed += 1;
  return ok;
}

function skip(name, reason) {
  total.skipped += 1;
  skips.push({ name, reason });
}

function summarise() {
  if (skips.length > 0) console.log('\nSkipped:');
  for (const reason of new Set(skips.map((skipped) => skipped.reason))) {
    const names = skips.filter((skipped) => skipped.reason === reason).map((skipped) => skipped.name);
    const shown = names.length > 3 ? [...names.slice(0, 3), `… and ${names.length - 3} more`] : names;
    console.log(`  ${reason || 'for the reason in the name'}`);
    for (const name of shown) console.log(`    ${name}`);
  }
  if (process.env.SCGI_TEST_COMBINATIONS !== 'all') {
    console.log('\nSome pairs, of programs and web servers, peers and ways to them, are left to `npm run test:all`.');
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}
