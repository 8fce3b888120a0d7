// Finds a Perl that can be trusted: in the places where systems put it, and in nobody's hands but root's or ours. PATH is
// not asked, since anybody may have had a hand in it.

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const places: readonly string[] = ['/usr/bin/perl', '/usr/local/bin/perl'];
const WRITABLE_BY_OTHERS = 0o022;

/** Its absolute path, free of links; undefined without one, and on other systems than Linux, where the helper cannot run. */
export function findPerl(candidates: readonly string[] = places): string | undefined {
  return process.platform === 'linux' ? candidates.map(trustedProgram).find((path) => path !== undefined) : undefined;
}

function trustedProgram(path: string): string | undefined {
  try {
    const file = realpathSync(path);
    accessSync(file, constants.X_OK);
    return isTrusted(file) ? file : undefined;
  } catch {
    return undefined; // Not there, or not for us.
  }
}

/** Neither it nor a folder above it can be replaced by others. */
function isTrusted(path: string): boolean {
  const { uid, mode } = statSync(path);
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & WRITABLE_BY_OTHERS) !== 0) return false;
  return path === '/' || isTrusted(dirname(path));
}
