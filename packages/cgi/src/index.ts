export { cgiDirectory, cgiProgram } from './cgi-program.js';
export type { CgiPrograms } from './cgi-program.js';
export type { CgiFetchHandler } from './fetch.js';
export type { LauncherName } from './launcher/create-launcher.js';
export type { CgiListener } from './node/middleware.js';
export type { CgiDirectoryOptions, CgiOptions, CgiProgramOptions, Interpreter } from './options.js';
export type { LinkPolicy } from './runner/program-folder.js';
export type { RunOptions } from './runner/run-settings.js';
