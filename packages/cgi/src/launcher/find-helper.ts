// Finds what the helpers are written in, where it can be trusted: in the places where systems put it, and in nobody's
// hands but root's or ours. PATH is not asked, since anybody may have had a hand in it.

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolder } from '../package-folder.js';

export type HelperLanguage = 'python' | 'perl';

/** A command line. */
export interface HelperCommand {
  readonly file: string;
  readonly args: readonly string[];
}

const scripts = new URL('launcher/', packageFolder);
const places: Readonly<Record<HelperLanguage, readonly string[]>> = {
  python: ['/usr/bin/python3', '/usr/local/bin/python3'],
  perl: ['/usr/bin/perl', '/usr/local/bin/perl'],
};
/** Python looks for modules in nobody's folders, and loads no more than it needs. */
const flags: Readonly<Record<HelperLanguage, readonly string[]>> = { python: ['-I', '-S'], perl: [] };
const endings: Readonly<Record<HelperLanguage, string>> = { python: 'py', perl: 'pl' };

const WRITABLE_BY_OTHERS = 0o022;

/** Undefined where the language is not installed, and on other systems than Linux, where helpers cannot run. */
export function findHelper(
  language: HelperLanguage,
  candidates: readonly string[] = places[language],
): HelperCommand | undefined {
  const file =
    process.platform === 'linux' ? candidates.map(trustedProgram).find((path) => path !== undefined) : undefined;
  if (file === undefined) return undefined;
  return { file, args: [...flags[language], fileURLToPath(new URL(`launcher.${endings[language]}`, scripts))] };
}

/** Its path without links. */
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
