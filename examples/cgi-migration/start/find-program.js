// Where the system has a program: Debian keeps servers in /usr/sbin, which is not on everybody's PATH.
import { accessSync, constants } from 'node:fs';

/** The path of the first that is there, or undefined. */
export function findProgram(...names) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return names.flatMap((name) => folders.map((folder) => `${folder}/${name}`)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // The next folder may have it.
  }
}
