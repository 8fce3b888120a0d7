// Removes the declarations of a built package that no entry of its leads to: nobody can import them, and they are a tenth of
// what `npm install` fetches. Runs in the folder of the package, behind the compiler.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const waiting = Object.values(exports).flatMap((entry) => (entry.types === undefined ? [] : [resolve(entry.types)]));
const reached = new Set();

for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  if (reached.has(file)) continue;
  reached.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, target] of text.matchAll(/(?:\bfrom |\bimport |\bimport\()['"](\.[^'"]+)\.js['"]/g)) {
    waiting.push(resolve(dirname(file), `${target}.d.ts`));
  }
}

for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  const file = resolve(join('dist', name));
  if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
}
