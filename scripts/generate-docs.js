// `npm run docs`: writes the pages of docs/ that say in words what the code says in tables.
// `node scripts/generate-docs.js --check` writes nothing and fails if a page is out of step with the code.
// Reads packages/core/dist, so the packages must be built: `npm run build`. docs/compatibility.md is made from
// integration/compatibility/fixtures/declarations.json.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatCompatibilityPage } from './docs/compatibility-page.js';
import { formatErrorsPage } from './docs/errors-page.js';
import { formatStateMachinesPage } from './docs/state-machines-page.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const pages = [
  { file: 'docs/compatibility.md', text: formatCompatibilityPage() },
  { file: 'docs/errors.md', text: formatErrorsPage() },
  { file: 'docs/state-machines.md', text: formatStateMachinesPage() },
];

const stale = pages.filter(({ file, text }) => read(join(root, file)) !== text);

if (process.argv.includes('--check')) {
  for (const { file } of stale) console.error(`${file} is out of step with the code: run "npm run docs"`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const { file, text } of stale) {
    writeFileSync(join(root, file), text);
    console.log(`wrote ${file}`);
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined; // Not generated yet.
    throw error;
  }
}
