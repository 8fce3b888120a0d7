// Builds the package in whose folder it runs: `src` to `dist`. Every entry of package.json becomes one module, what several
// of them use a module between them, and so Node.js reads a handful of files at start where there are a hundred sources.
// Arguments are further entries, as `src/bin.ts`. Types are checked, and declared for what an entry leads to.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(manifest.exports).filter((entry) => entry.types !== undefined);

rmSync('dist', { recursive: true, force: true });
declareTypes();
await bundle([...entries.map((entry) => sourceOf(entry.default)), ...process.argv.slice(2)]);

function declareTypes() {
  const compiler = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc');
  const args = [compiler, '-p', 'tsconfig.json', '--emitDeclarationOnly'];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const reached = reachable(entries.map((entry) => resolve(entry.types)));
  // Nobody can import the others, and they are a tenth of what `npm install` fetches.
  for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
    const file = resolve('dist', name);
    if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

/** @param {string[]} waiting  declarations, which this list loses */
function reachable(waiting) {
  const reached = new Set();
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, target] of text.matchAll(/(?:\bfrom |\bimport |\bimport\()['"](\.[^'"]+)\.js['"]/g)) {
      waiting.push(resolve(dirname(file), `${target}.d.ts`));
    }
  }
  return reached;
}

/** @param {string[]} sources */
async function bundle(sources) {
  const input = Object.fromEntries(sources.map((file) => [file.replace(/^src\/|\.ts$/g, ''), file]));
  const transform = { target: 'node20.19' };
  const build = await rolldown({ input, transform, platform: 'node', external: /^[^./]/, tsconfig: false });
  // What is shared lies directly in `dist`, as deep as `src/*.ts`: so the package's folder is one up from there.
  await build.write({ dir: 'dist', chunkFileNames: '[name].js', comments: false });
}

/** @param {string} built */
function sourceOf(built) {
  return built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
}
