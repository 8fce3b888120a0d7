// The sources of this package as JavaScript, for tests that start processes: Node 20 cannot run TypeScript, and the built
// package may be older than the sources.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

/** Compiles before all tests of the file that calls it. Returns the path of index.js, which is there by then. */
export function compileSources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-compiled-'));
  beforeAll(async () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const project = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
    const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const options = ['--noCheck', '--declaration', 'false', '--isolatedDeclarations', 'false', '--outDir', folder];
    await promisify(execFile)(process.execPath, [compiler, '-p', project, ...options]);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'index.js');
}
