// `npm run test:matrix`: the unit tests of core, client, gateway and cgi, the oracle suite and the server tests on every supported Node.js.
// The bridge rests on private parts of Node's http classes, the client on how its sockets read, so every major version has to be seen to work.
// Arguments after `--` go to vitest; the last line is always "N passed, N failed, N skipped".

import './support/node-version.js';
import { fetchNode } from './support/node-binaries.js';
import { buildPackages, ensurePackages } from './support/packages.js';
import { formatSeconds } from './support/run.js';
import { runVitest } from './support/vitest.js';

const majors = [20, 22, 24, 26];
const projects = ['--project=core', '--project=client', '--project=gateway', '--project=cgi', '--project=integration*'];
const folders = [
  'packages/core/test/',
  'packages/client/test/',
  'packages/gateway/test/',
  'packages/cgi/test/',
  'integration/oracle/',
  'integration/server/',
];

if (!(await ensurePackages()) || !(await buildPackages())) process.exit(1);

const rows = [];
for (const major of majors) rows.push(await testOn(major, process.argv.slice(2)));
summarise();

async function testOn(major, args) {
  let node;
  try {
    node = await fetchNode(major);
  } catch (error) {
    console.log(`FAIL Node.js ${major}: ${error.message}`);
    return { version: `v${major}`, passed: 0, failed: 1, skipped: 0, seconds: 0 };
  }
  const result = await runVitest([...projects, ...folders, ...args], {
    node: node.path,
    live: false,
  });
  const { passed, failed, skipped } = result.tally;
  console.log(`${result.ok ? 'ok  ' : 'FAIL'} Node.js ${node.version} (${formatSeconds(result.seconds)})`);
  if (!result.ok) console.log(result.output);
  return { version: node.version, passed, failed, skipped, seconds: result.seconds };
}

function summarise() {
  const line = (version, passed, failed, skipped, time) =>
    `${version.padEnd(12)}${passed.padStart(8)}${failed.padStart(8)}${skipped.padStart(9)}${time.padStart(14)}`;
  console.log(`\n${line('Node.js', 'passed', 'failed', 'skipped', 'time')}`);
  for (const { version, passed, failed, skipped, seconds } of rows) {
    console.log(line(version, String(passed), String(failed), String(skipped), formatSeconds(seconds)));
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = sum('failed') === 0 ? 0 : 1;
}
