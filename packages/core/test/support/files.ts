// Folders with files that live as long as one test, and who has them open.

import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder, its path without links, with these files in it. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'scgi-files-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Where the system shows the descriptors of a process. */
export const showsDescriptors = process.platform === 'linux';

/** How often this process has a file open. */
export function openCount(path: string): number {
  const open = readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).replace(/ \(deleted\)$/, '') === path;
    } catch {
      return false; // Closed since: the one of this very listing is.
    }
  });
  return open.length;
}
