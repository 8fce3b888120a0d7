// The three programs of the name cgi2scgi, which one table of tests holds to the same behaviour. The one in C is compiled
// into a temporary folder.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe } from 'vitest';
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

/** Runs the tests once for each program. */
export function describeVariants(title: string, tests: (variant: Variant) => void): void {
  describe(title, () => {
    describe('Node.js', () =>
      tests({ name: 'Node.js', command: () => [process.execPath, sources.bin], watchesOutput: false }));
    describeWith('cc', 'C', () => {
      const compiled = compileBeforeTests();
      tests({ name: 'C', command: () => [compiled()], watchesOutput: true });
    });
    describeWith('perl', 'Perl', () =>
      tests({ name: 'Perl', command: () => [requireFrontEnd('perl'), sources.perl], watchesOutput: false }),
    );
  });
}

/** The path of the compiled program, there while the tests of this `describe` run. */
function compileBeforeTests(): () => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'scgi-cgi2scgi-'));
    compile(join(folder, 'cgi2scgi'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => join(folder, 'cgi2scgi');
}

/** @param flags beside those of the documentation */
export function compile(output: string, flags: readonly string[] = [], source: string = sources.c): void {
  execFileSync(requireFrontEnd('cc'), ['-O2', ...flags, '-o', output, source], { encoding: 'utf8' });
}
