// Programs as files: where they are looked for, and whether a file is one.

import { accessSync, constants, statSync } from 'node:fs';

/** PATH, where nobody says another. */
export const defaultSearchPath = '/usr/local/bin:/usr/bin:/bin';

/** Whether there is a file here that this process may run. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
