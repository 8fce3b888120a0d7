// What lies below a folder, for clients and backends, who must not get out of it: neither by `..` nor by a link.
// Reads the file system; knows no requests and no answers.

import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/** What a path below a folder is. */
export interface FolderEntry {
  readonly kind: 'file' | 'directory';
  /** Absolute, and free of links. */
  readonly path: string;
}

/** What such a path cannot be, so that there is nothing: the file system's own words. */
const absences: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/**
 * What lies at a path, both it and the folder as they are now: folders may be replaced while we run. Undefined where
 * nothing is, outside of the folder, and for what is neither a file nor a folder.
 * @param path absolute, or from the folder on
 * @throws what the file system says against a path that may well exist, as EACCES
 */
export async function entryBelow(folder: string, path: string): Promise<FolderEntry | undefined> {
  const wanted = resolve(folder, path);
  if (path.includes('\0') || !isBelow(folder, wanted)) return undefined;
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(wanted)]);
    if (!isBelow(root, real)) return undefined;
    const stats = await stat(real);
    if (stats.isFile()) return { kind: 'file', path: real };
    return stats.isDirectory() ? { kind: 'directory', path: real } : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && absences.has(String(error.code))) return undefined;
    throw error;
  }
}

/** Strings only: both absolute and normal. */
export function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
