// The two ways to name programs: one of them, or a folder.

import type { CgiPrograms } from './faces.js';
import { createFaces } from './faces.js';
import type { CgiDirectoryOptions, CgiProgramOptions } from './options.js';
import { resolveDirectory, resolveProgram } from './options.js';

/**
 * Makes a listener that runs one CGI program for every request, as `ScriptAlias /mount /file` of Apache. Where it is
 * mounted is SCRIPT_NAME, what follows is PATH_INFO. The functions among the options get what each face has for a
 * request: Node's own, or a Fetch one.
 * @param file of the program; it need not be there yet
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an option that is impossible
 */
export function cgiProgram(file: string, options: CgiProgramOptions = {}): CgiPrograms {
  return createFaces(resolveProgram<unknown>(file, options));
}

/**
 * Makes a listener that runs the CGI programs of a folder, as `ScriptAlias /mount/ /folder/` of Apache.
 * @param root the folder
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for a root that is no folder, or an option that is impossible
 */
export function cgiDirectory(root: string, options: CgiDirectoryOptions = {}): CgiPrograms {
  return createFaces(resolveDirectory<unknown>(root, options));
}
