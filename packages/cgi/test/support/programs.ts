// CGI programs for a test: written into a folder of its own, which goes away with it.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Writes programs, by name, and returns their folder. A source without a `#!` line is one for the POSIX shell. */
export function writePrograms(sources: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-cgi-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, source] of Object.entries(sources)) {
    const file = join(folder, name);
    writeFileSync(file, source.startsWith('#!') ? source : `#!/bin/sh\n${source}`);
    chmodSync(file, 0o755);
  }
  return folder;
}
