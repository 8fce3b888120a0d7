// `npm run bench`: runs the rows that are asked for, prints their tables, writes their figures.
// What is measured, how, and what the figures are worth: README.md beside this folder.

import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuGoals } from './goals.js';
import { readOptions, usage } from './options.js';
import { formatGoals, formatRow, writeResults } from './report.js';
import { measureCgi } from './rows/cgi.js';
import { measureCgi2Scgi } from './rows/cgi2scgi.js';
import { measureClient } from './rows/client.js';
import { measureDecode } from './rows/decode.js';
import { measureFronts } from './rows/fronts.js';
import { measureIdle } from './rows/idle.js';
import { measureMemory } from './rows/memory.js';
import { measureRequests } from './rows/requests.js';
import { measureServeCgi } from './rows/serve-cgi.js';
import { measureUploads } from './rows/uploads.js';
import { startLoad } from './support/load.js';

/** Whatever goes wrong, it is over then. */
const LIMIT_MINUTES = 30;

const apps = [...Object.keys(cpuGoals), 'ssgi'];
const options = readOptions(process.argv.slice(2), [
  ...apps,
  'fronts',
  'client',
  'cgi',
  'cgi2scgi',
  'serve-cgi',
  'uploads',
  'memory',
  'idle',
  'decode',
]);
if (options.help) {
  console.log(usage);
} else if (process.platform !== 'linux') {
  console.error('The benchmark reads CPU time and memory from /proc: it runs on Linux only.');
  process.exitCode = 1;
} else {
  await main();
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  setTimeout(() => {
    console.error(`not done after ${LIMIT_MINUTES} minutes`);
    process.exit(1);
  }, LIMIT_MINUTES * 60_000).unref();

  const results = [];
  for (const [name, measure] of rows()) {
    const rowFolder = join(folder, name);
    mkdirSync(rowFolder);
    const result = await measure({ folder: rowFolder, log: (text) => console.error(`${name}: ${text}`) });
    console.log(formatRow(result));
    results.push(result);
  }
  console.log(formatGoals(results));
  console.log(`Figures: ${writeResults(options, results)}`);
}

/** The rows that are wanted, in order: a name and what measures it. */
function rows() {
  const wantedApps = apps.filter((app) => options.only.has(app));
  return [
    ['decode', options.only.has('decode'), () => measureDecode()],
    [
      'requests',
      wantedApps.length > 0,
      (place) => withLoad((load) => measureRequests(wantedApps, options, { ...place, load })),
    ],
    ['fronts', options.only.has('fronts'), (place) => withLoad((load) => measureFronts(options, { ...place, load }))],
    ['client', options.only.has('client'), (place) => measureClient(options, place)],
    ['cgi', options.only.has('cgi'), (place) => withLoad((load) => measureCgi(options, { ...place, load }))],
    ['cgi2scgi', options.only.has('cgi2scgi'), (place) => measureCgi2Scgi(options, place)],
    ['serve-cgi', options.only.has('serve-cgi'), (place) => measureServeCgi(options, place)],
    ['uploads', options.only.has('uploads'), (place) => measureUploads(options, place)],
    ['idle', options.only.has('idle'), (place) => measureIdle(options, place)],
    ['memory', options.only.has('memory'), (place) => measureMemory(options, place)],
  ]
    .filter(([, wanted]) => wanted)
    .map(([name, , measure]) => [name, measure]);
}

async function withLoad(measure) {
  const load = startLoad();
  try {
    return await measure(load);
  } finally {
    await load.stop();
  }
}
