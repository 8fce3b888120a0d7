// The three programs of the name cgi2scgi, which one table of tests holds to the same behaviour. The one in C is compiled
// once for all files.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe } from 'vitest';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';

/** One of the programs. */
export interface Variant {
  readonly name: 'Node.js' | 'C' | 'Perl';
  /** What to run: a program and its first arguments. From within a test only. */
  readonly command: () => readonly [file: string, ...args: string[]];
  /** Whether it learns that the web server has closed its standard output before it writes there. */
  readonly watchesOutput: boolean;
}

const packageFolder = fileURLToPath(new URL('../../../packages/cgi/', import.meta.url));

/** What the package ships. */
export const sources = {
  bin: join(packageFolder, 'bin/cgi2scgi.js'),
  perl: join(packageFolder, 'native/cgi2scgi.pl'),
  c: join(packageFolder, 'native/cgi2scgi.c'),
} as const;

const every: readonly Variant['name'][] = ['Node.js', 'C', 'Perl'];

/** Runs the tests once for each program, or each of these. */
export function describeVariants(
  title: string,
  tests: (variant: Variant) => void,
  names: readonly Variant['name'][] = every,
): void {
  describe(title, () => {
    if (names.includes('Node.js')) {
      describe('Node.js', () =>
        tests({ name: 'Node.js', command: () => [process.execPath, sources.bin], watchesOutput: false }));
    }
    if (names.includes('C')) {
      describeWith('cc', 'C', () => {
        const compiled = compileBeforeTests();
        tests({ name: 'C', command: () => [compiled()], watchesOutput: true });
      });
    }
    if (names.includes('Perl')) {
      describeWith('perl', 'Perl', () =>
        tests({ name: 'Perl', command: () => [requireFrontEnd('perl'), sources.perl], watchesOutput: false }),
      );
    }
  });
}

/** The path of the compiled program, once the tests of this `describe` run. */
function compileBeforeTests(): () => string {
  const digest = createHash('sha256').update(readFileSync(sources.c)).digest('hex').slice(0, 16);
  const folder = fileURLToPath(new URL('../../../node_modules/.cache/scgi-tests/', import.meta.url));
  const path = join(folder, `cgi2scgi-${digest}`);
  beforeAll(() => {
    if (existsSync(path)) return;
    mkdirSync(folder, { recursive: true });
    // Another process may be about to do the same.
    const own = `${path}.${process.pid}`;
    compile(own);
    renameSync(own, path);
  });
  return () => path;
}

/** @param flags beside those of the documentation */
export function compile(output: string, flags: readonly string[] = [], source: string = sources.c): void {
  execFileSync(requireFrontEnd('cc'), ['-O2', ...flags, '-o', output, source], { encoding: 'utf8' });
}
