// The two ways to name programs: one of them, or a folder.

import { Mount } from '@scgi/core/relay';
import type { CgiFetchHandler } from './fetch.js';
import { createFetchHandler } from './fetch.js';
import type { CgiListener } from './node/middleware.js';
import { createListener } from './node/middleware.js';
import type { CgiDirectoryOptions, CgiProgramOptions, CgiSettings } from './options.js';
import { resolveDirectory, resolveProgram } from './options.js';

/** CGI programs, for whatever asks for them: a listener, with the faces of other frameworks beside. */
export interface CgiPrograms extends CgiListener {
  /** A handler of the Fetch standard, for `@scgi/adapter-fetch`, Hono and their kin: needs no `this`. */
  readonly fetch: CgiFetchHandler;
  /** Starts no more programs: 503. Those that run go on. */
  readonly close: () => void;
}

/**
 * Makes a listener that runs one CGI program for every request, as `ScriptAlias /mount /file` of Apache. Where it is
 * mounted is SCRIPT_NAME, what follows is PATH_INFO. The functions among the options get what each face has for a
 * request: Node's own, or a Fetch one.
 * @param file of the program; it need not be there yet
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an option that is impossible
 */
export function cgiProgram(file: string, options: CgiProgramOptions = {}): CgiPrograms {
  return createPrograms(resolveProgram<unknown>(file, options));
}

/**
 * Makes a listener that runs the CGI programs of a folder, as `ScriptAlias /mount/ /folder/` of Apache.
 * @param root the folder
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for a root that is no folder, or an option that is impossible
 */
export function cgiDirectory(root: string, options: CgiDirectoryOptions = {}): CgiPrograms {
  return createPrograms(resolveDirectory<unknown>(root, options));
}

function createPrograms(settings: CgiSettings<unknown>): CgiPrograms {
  const mount = new Mount(settings.mount);
  const close = (): void => settings.runner.close();
  return Object.assign(createListener(settings, mount), { fetch: createFetchHandler(settings, mount), close });
}
