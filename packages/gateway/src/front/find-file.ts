// What a client may see of a folder: what lies below it, but for names that begin with a dot.

import { sep } from 'node:path';
import { entryBelow, type FolderEntry } from '@scgi/core/files';

/** Longer ones no file system has; each part of a path costs a look-up. */
const MAX_PATH_LENGTH = 4096;

/**
 * The file or folder at a path; undefined if there is none, or none for clients.
 * @param folder its absolute path
 * @param path decoded, with `/` between its parts, whether or not it begins with one
 * @throws what the file system says against a path that may well exist, as EACCES
 */
export async function findForClient(folder: string, path: string): Promise<FolderEntry | undefined> {
  return isPlain(path) ? entryBelow(folder, `./${path}`) : undefined;
}

/** Each part is a name that does not begin with a dot, or empty. */
function isPlain(path: string): boolean {
  if (path.length > MAX_PATH_LENGTH) return false;
  // On Windows these divide paths and name drives and streams.
  if (sep === '\\' && /[\\:]/.test(path)) return false;
  return !path.startsWith('.') && !path.includes('/.');
}
