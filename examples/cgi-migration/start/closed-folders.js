// Apache does not run programs as root: what root starts as www-data has to reach the program and the entries.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** @throws {Error} that names the folder which others than its owner may not enter */
export function refuseClosedFolders(...files) {
  if (process.getuid?.() !== 0) return;
  const closed = files.flatMap(foldersAbove).find((folder) => (statSync(folder).mode & 0o001) === 0);
  if (closed === undefined) return;
  throw new Error(`Apache, started by root, runs programs as another user, who may not enter ${closed}:
run this as yourself, or put the example elsewhere and name a folder for the entries with GUESTBOOK_DATA`);
}

function foldersAbove(file) {
  const folder = dirname(file);
  return folder === file ? [] : [...foldersAbove(folder), folder];
}
