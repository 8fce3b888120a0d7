// A folder of programs, as `ScriptAlias /cgi-bin/ /folder/` of Apache: the path leads through folders to a file, and what
// follows is PATH_INFO. Owns the policy on links and names; reads the file system at each request, since files come and go.

import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, sep } from 'node:path';
import { BackendError } from '@scgi/core/protocol';
import { toFilePath } from '../octets.js';
import { isPlainPath, mergeSlashes } from './path-policy.js';
import type { Program, ProgramFinder } from './program.js';

/** Where links may lead: 'below' the folder, 'anywhere', or 'nowhere', which refuses them. */
export type LinkPolicy = 'below' | 'anywhere' | 'nowhere';

/** What a folder offers. Texts are octets. */
export interface FolderSettings {
  /** Absolute. */
  readonly root: string;
  readonly documentRoot: string;
  readonly links: LinkPolicy;
  readonly allowsEncodedSlashes: boolean;
  /** By extension, with its dot, in lower case. */
  readonly interpreters: ReadonlyMap<string, readonly string[]>;
  /** The extensions of programs; undefined: every file is one. */
  readonly extensions: ReadonlySet<string> | undefined;
  /** Names of the program of a folder, in order of preference. */
  readonly indexes: readonly string[];
}

/** What such a path cannot be, so that there is nothing: the file system's own words. */
const absences: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

export class ProgramFolder implements ProgramFinder {
  readonly #settings: FolderSettings;
  readonly #root: string;

  constructor(settings: FolderSettings) {
    this.#settings = settings;
    this.#root = settings.root.endsWith('/') ? settings.root.slice(0, -1) : settings.root;
  }

  async find(scriptName: string, path: string, encodedPath: string): Promise<Program | undefined> {
    if (!isPlainPath(path, encodedPath, this.#settings.allowsEncodedSlashes)) return undefined;
    const merged = mergeSlashes(path);
    // One segment after the other: the first that is a file is the program.
    for (let end = merged.indexOf('/', 1); ; end = merged.indexOf('/', end + 1)) {
      const place = end === -1 ? merged : merged.slice(0, end);
      if (isHidden(place)) return undefined;
      const stats = await statOf(this.#root + place);
      if (stats === undefined) return undefined;
      if (stats.isFile()) return this.#program(scriptName + place, this.#root + place, merged.slice(place.length));
      if (!stats.isDirectory()) return undefined;
      if (end === -1 || end === merged.length - 1) return this.#index(scriptName, merged);
    }
  }

  /** A folder is asked for: its index, if it has one. */
  async #index(scriptName: string, path: string): Promise<Program | undefined> {
    const { indexes, root } = this.#settings;
    // Without the slash, the links of the page would lead astray; whoever answers 404 may redirect.
    if (!path.endsWith('/') && path !== '') return undefined;
    const folder = path === '' ? '/' : path;
    for (const name of indexes) {
      const file = this.#root + folder + name;
      if ((await statOf(file))?.isFile()) return this.#program(scriptName + folder + name, file, '');
    }
    throw new BackendError('ERR_SCGI_PROGRAM_FORBIDDEN', {
      folder: `${root}${folder}`.slice(-200),
      problem: 'a folder',
    });
  }

  async #program(scriptName: string, file: string, pathInfo: string): Promise<Program | undefined> {
    const { extensions, interpreters, documentRoot } = this.#settings;
    const extension = extname(file).toLowerCase();
    if (extensions !== undefined && !extensions.has(extension)) return undefined;
    await this.#checkLinks(file);
    return { file, scriptName, pathInfo, documentRoot, interpreter: interpreters.get(extension) };
  }

  async #checkLinks(file: string): Promise<void> {
    const { links } = this.#settings;
    if (links === 'anywhere') return;
    const [root, real] = await Promise.all([realOf(this.#root), realOf(file)]);
    const below = file.slice(this.#root.length);
    // The folder itself may lie behind a link: it was named by who runs this.
    if (links === 'nowhere' ? real === root + below : real.startsWith(root + sep)) return;
    throw new BackendError('ERR_SCGI_PROGRAM_FORBIDDEN', { file: file.slice(-200), problem: 'a link', links });
  }
}

/** Names with a dot before them are nobody's programs: `.git`, `.htaccess`, what editors leave behind. */
function isHidden(path: string): boolean {
  return path.includes('/.');
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(toFilePath(path));
  } catch (cause) {
    throwUnlessAbsent(path, cause);
    return undefined;
  }
}

async function realOf(path: string): Promise<string> {
  try {
    return (await realpath(toFilePath(path), { encoding: 'buffer' })).toString('latin1');
  } catch (cause) {
    // Gone since it was looked at.
    throw new BackendError('ERR_SCGI_PROGRAM_NOT_FOUND', { file: path.slice(-200) }, { cause });
  }
}

/** We may not look: somebody has a reason for that. */
function throwUnlessAbsent(path: string, cause: unknown): void {
  if (cause instanceof Error && 'code' in cause && absences.has(cause.code)) return;
  throw new BackendError('ERR_SCGI_PROGRAM_FORBIDDEN', { file: path.slice(-200) }, { cause });
}
