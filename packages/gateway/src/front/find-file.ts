// Finds what lies below a folder for a client, who must not get out of it: neither by `..` nor by a link.
// Reads the file system; knows no requests and no answers.

import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** What a path below a folder is. */
export interface FolderEntry {
  readonly kind: 'file' | 'directory';
  /** Absolute, and free of links. */
  readonly path: string;
}

/** Longer ones no file system has; each part of a path costs a look-up. */
const MAX_PATH_LENGTH = 4096;

/** What such a path cannot be, so that there is nothing: the file system's own words. */
const absences: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/**
 * What lies at a path below a folder, both of them as they are now: folders may be replaced while we run.
 * Undefined where nothing is, and for everything that is to look like nothing: paths that lead out of the folder, names
 * that begin with a dot, and what is neither a file nor a folder.
 * @param path decoded, with `/` between its parts, whether or not it begins with one
 * @throws what the file system says against a path that may well exist, as EACCES
 */
export async function findBelow(folder: string, path: string): Promise<FolderEntry | undefined> {
  if (!isPlain(path)) return undefined;
  try {
    const root = await realpath(folder);
    const real = await realpath(join(root, path));
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    const stats = await stat(real);
    if (stats.isFile()) return { kind: 'file', path: real };
    return stats.isDirectory() ? { kind: 'directory', path: real } : undefined;
  } catch (error) {
    if (absences.has(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Each part is a name that does not begin with a dot, or empty. */
function isPlain(path: string): boolean {
  if (path.length > MAX_PATH_LENGTH || path.includes('\0')) return false;
  // On Windows these divide paths and name drives and streams.
  if (sep === '\\' && /[\\:]/.test(path)) return false;
  return !path.startsWith('.') && !path.includes('/.');
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
