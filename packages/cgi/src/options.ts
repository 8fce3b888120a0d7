// The options of `cgiProgram` and `cgiDirectory`, their defaults and their check. Knows no request.

import type { IncomingMessage } from 'node:http';
import { statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { ScgiError } from '@scgi/core/protocol';
import { ExtraVariables, type VariableRecord } from '@scgi/core/relay';
import { defaultSearchPath, isExecutable } from './executable.js';
import { toOctets } from './octets.js';
import { checkFunction, checkRecord, checkSwitch, checkText, checkTexts, refuse } from './option-checks.js';
import { isOwnName } from './runner/environment.js';
import { escapeControls } from './runner/error-output.js';
import type { LinkPolicy } from './runner/program-folder.js';
import { ProgramFolder } from './runner/program-folder.js';
import type { ProgramFinder } from './runner/program.js';
import type { VariableSettings } from './runner/order-run.js';
import { ProgramRunner } from './runner/program-runner.js';
import type { RunOptions } from './runner/run-settings.js';
import { resolveRunSettings } from './runner/run-settings.js';
import type { Runner } from './runner/runner.js';
import { SingleProgram } from './runner/single-program.js';

/** How to call a program: an absolute path or a name to look for in `path`, perhaps with arguments. */
export type Interpreter = string | readonly string[];

/** A function of the user; one that takes a framework's own kind of request fits as well. */
type UserFunction<Arguments extends unknown[], Result> = { bivariant(...args: Arguments): Result }['bivariant'];

/** How requests come to a program and its answers back. */
export interface PassageOptions<Incoming> {
  /** The path below which requests are taken, besides where a router has mounted the listener: '/cgi-bin'. Default '/'. */
  readonly mount?: string | undefined;
  /** SERVER_NAME. Default: the front end's, else the host that the client asks for. */
  readonly serverName?: string | undefined;
  /** How many local redirects in a row to follow; 502 beyond. Default 10, as Apache. */
  readonly maxLocalRedirects?: number | undefined;
  /** Hears of every failed request; the client hears only the status. Default: console.error. */
  readonly onError?: UserFunction<[error: ScgiError, request: Incoming], void> | undefined;
}

/** What a program is told. */
export interface VariableOptions<Incoming> {
  /** Variables for the program that win over all others. Default none. */
  readonly env?: VariableRecord | UserFunction<[request: Incoming], VariableRecord> | undefined;
  /** Which variables of this process the program gets: none, or those of these names. Default none. */
  readonly inheritEnvironment?: readonly string[] | undefined;
  /** Which further variables of the front end the program gets, by name, or `GEO_*` for all that begin so. Default none. */
  readonly passVariables?: readonly string[] | undefined;
  /** The program's PATH. Default '/usr/local/bin:/usr/bin:/bin'. */
  readonly path?: string | undefined;
  /** DOCUMENT_ROOT, from which PATH_TRANSLATED is made. Default: the folder of the program, or of all programs. */
  readonly documentRoot?: string | undefined;
  /** Lets programs see HTTP_AUTHORIZATION. Default false, as in Apache. */
  readonly passAuthorization?: boolean | undefined;
  /** Lets `%2F` in a path pass for a slash; else such a path is a 404, as in Apache. Default false. */
  readonly encodedSlashes?: boolean | undefined;
}

/** How to run programs. `Incoming` is Node's request, or a Fetch one. */
export interface CgiOptions<Incoming = IncomingMessage>
  extends RunOptions, VariableOptions<Incoming>, PassageOptions<Incoming> {
  /** Hears of every line that a program writes to its standard error, without control characters. Default: console.error. */
  readonly onErrorOutput?: ((line: string, program: string) => void) | undefined;
}

/** The same for one program. */
export interface CgiProgramOptions<Incoming = IncomingMessage> extends CgiOptions<Incoming> {
  /** What to call the program with. Default: nothing, it is executable itself. */
  readonly interpreter?: Interpreter | undefined;
}

/** The same for a folder of programs. */
export interface CgiDirectoryOptions<Incoming = IncomingMessage> extends CgiOptions<Incoming> {
  /** What to call programs with, by their extension: `{ '.php': 'php-cgi' }`. Default: nothing, they are executable themselves. */
  readonly interpreters?: Readonly<Record<string, Interpreter>> | undefined;
  /** The extensions of programs: other files are not there. Default: every file is a program. */
  readonly extensions?: readonly string[] | undefined;
  /** The program of a folder: `['index.php']`. Default none: 403. */
  readonly index?: readonly string[] | undefined;
  /** Where symbolic links may lead: 'below' the folder, 'anywhere', or 'nowhere'. Default 'below'; 403 else. */
  readonly links?: LinkPolicy | undefined;
}

/** Options, checked and complete. */
export interface CgiSettings<Incoming = IncomingMessage> {
  /** Without a slash at its end: empty for everything. */
  readonly mount: string;
  readonly runner: Runner<Incoming>;
  /** How long a client may take nothing of an answer that is all written, milliseconds; 0 for no limit. */
  readonly timeout: number;
  readonly serverName: string | undefined;
  readonly maxLocalRedirects: number;
  readonly onError: (error: ScgiError, request: Incoming) => void;
}

const linkPolicies: readonly unknown[] = ['below', 'anywhere', 'nowhere'];

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveProgram<Incoming>(file: string, options: CgiProgramOptions<Incoming>): CgiSettings<Incoming> {
  const { interpreter } = options;
  const program = toOctets(resolve(checkText('file', file)));
  const command =
    interpreter === undefined ? undefined : resolveInterpreter('interpreter', interpreter, searchPathOf(options));
  const encodedSlashes = checkSwitch('encodedSlashes', options.encodedSlashes);
  return resolveSettings(new SingleProgram(program, documentRootOf(options), command, encodedSlashes), options);
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveDirectory<Incoming>(
  root: string,
  options: CgiDirectoryOptions<Incoming>,
): CgiSettings<Incoming> {
  const { interpreters = {}, extensions, index = [], links = 'below' } = options;
  const isFolder = statSync(checkText('root', root), { throwIfNoEntry: false })?.isDirectory();
  if (isFolder !== true) throw refuse('root', root, 'not a folder');
  if (!linkPolicies.includes(links)) throw refuse('links', links, "write 'below', 'anywhere' or 'nowhere'");
  const searchPath = searchPathOf(options);
  const known = Object.entries(checkRecord('interpreters', interpreters)).map(
    ([extension, interpreter]) =>
      [checkExtension('interpreters', extension), resolveInterpreter('interpreters', interpreter, searchPath)] as const,
  );
  const folder = toOctets(resolve(root));
  const finder = new ProgramFolder({
    root: folder,
    documentRoot: documentRootOf(options) ?? folder,
    links,
    allowsEncodedSlashes: checkSwitch('encodedSlashes', options.encodedSlashes),
    interpreters: new Map(known),
    extensions:
      extensions === undefined
        ? undefined
        : new Set(checkTexts('extensions', extensions).map((extension) => checkExtension('extensions', extension))),
    indexes: checkTexts('index', index).map(checkIndex),
  });
  return resolveSettings(finder, options);
}

function resolveSettings<Incoming>(finder: ProgramFinder, options: CgiOptions<Incoming>): CgiSettings<Incoming> {
  const run = resolveRunSettings(options, checkFunction('onErrorOutput', options.onErrorOutput, logErrorOutput));
  const runner = new ProgramRunner({ finder, ...resolveVariables(options) }, run);
  return resolvePassage(options, runner, run.timeout);
}

/** What programs are told. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveVariables<Incoming>(options: VariableOptions<Incoming>): VariableSettings<Incoming> {
  const { env } = options;
  if (env !== undefined && typeof env !== 'function') checkRecord('env', env);
  const inheritEnvironment = checkTexts('inheritEnvironment', options.inheritEnvironment ?? []);
  return {
    environment: {
      searchPath: toOctets(searchPathOf(options)),
      passAuthorization: checkSwitch('passAuthorization', options.passAuthorization),
      vouched: checkTexts('passVariables', options.passVariables ?? []).map(checkVouched),
    },
    extraVariables: new ExtraVariables({ env, inheritEnvironment }),
  };
}

/** How requests come to a runner and answers back. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolvePassage<Incoming>(
  options: PassageOptions<Incoming>,
  runner: Runner<Incoming>,
  timeout: number,
): CgiSettings<Incoming> {
  const { maxLocalRedirects = 10 } = options;
  if (!Number.isSafeInteger(maxLocalRedirects) || maxLocalRedirects < 0 || maxLocalRedirects > 1000) {
    throw refuse('maxLocalRedirects', maxLocalRedirects, 'an integer from 0 to 1000');
  }
  return {
    mount: resolveMount(options.mount),
    runner,
    timeout,
    serverName: resolveServerName(options.serverName),
    maxLocalRedirects,
    onError: checkFunction('onError', options.onError, logError),
  };
}

function searchPathOf({ path, inheritEnvironment }: Pick<CgiOptions, 'path' | 'inheritEnvironment'>): string {
  if (path !== undefined) return checkText('path', path);
  // Whoever lets programs have the PATH of this process means it in place of the default.
  const inherits = Array.isArray(inheritEnvironment) && inheritEnvironment.includes('PATH');
  return (inherits && process.env['PATH']) || defaultSearchPath;
}

/** An absolute path of octets. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function documentRootOf({ documentRoot }: { readonly documentRoot?: string | undefined }): string | undefined {
  return documentRoot === undefined ? undefined : toOctets(resolve(checkText('documentRoot', documentRoot)));
}

/** Now and not at the first request: a missing interpreter is a mistake of the configuration. */
function resolveInterpreter(option: string, interpreter: Interpreter, searchPath: string): readonly string[] {
  const [name = '', ...args] = checkTexts(option, [interpreter].flat());
  const candidates = isAbsolute(name) ? [name] : searchPath.split(':').map((folder) => join(folder, name));
  const file = name === '' || /[/\\]/.test(name) !== isAbsolute(name) ? undefined : candidates.find(isExecutable);
  if (file === undefined) throw refuse(option, name, `no such program in ${searchPath}`);
  return [file, ...args].map(toOctets);
}

/** Without a slash at its end. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveMount(mount: string = '/'): string {
  if (!/^\/[^?#\0]*$/.test(checkText('mount', mount))) throw refuse('mount', mount, 'write a path: /cgi-bin');
  return mount.replace(/\/+$/, '');
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveServerName(serverName: string | undefined): string | undefined {
  if (serverName !== undefined && !/^[\x21-\x7e]+$/.test(checkText('serverName', serverName))) {
    throw refuse('serverName', serverName, 'write the name of a host');
  }
  return serverName;
}

/** A name, or how names begin; of variables that are not ours to begin with. */
function checkVouched(pattern: string): string {
  if (!/^(?:[A-Z_][A-Z0-9_]*\*?|\*)$/i.test(pattern))
    throw refuse('passVariables', pattern, 'write NAME or BEGINNING_*');
  if (isOwnName(pattern)) throw refuse('passVariables', pattern, 'the variable belongs to the request');
  return pattern;
}

function checkExtension(option: string, extension: string): string {
  if (!/^\.[^./\\\0*?]+$/.test(extension)) throw refuse(option, extension, 'write it with its dot: .php');
  return toOctets(extension.toLowerCase());
}

function checkIndex(name: string): string {
  if (/^\.|[/\\]/.test(name)) throw refuse('index', name, 'write a file name, without a folder or a dot before it');
  return toOctets(name);
}

export function logError(error: ScgiError, request: unknown): void {
  // Nothing there is nothing to report: robots ask for it all day.
  if (error.code === 'ERR_SCGI_PROGRAM_NOT_FOUND') return;
  const { method = '', url = '' }: { method?: unknown; url?: unknown } = Object(request);
  console.error(`${String(method)} ${escapeControls(String(url))} failed:`, error);
}

function logErrorOutput(line: string, program: string): void {
  console.error(`${escapeControls(program)}: ${line}`);
}
