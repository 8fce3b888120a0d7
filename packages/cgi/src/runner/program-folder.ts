// A folder of programs, as `ScriptAlias /cgi-bin/ /folder/` of Apache: the path leads through folders to a file, and what
// follows is PATH_INFO. Owns the policy on links and names. Reads the file system at each request, since files come and go,
// and synchronously: to hand a look-up to another thread costs many times what the look-up costs. Where a file system may
// hang, so may the start of a program from it.

import type { Stats } from 'node:fs';
import { realpathSync, statSync } from 'node:fs';
import { extname, sep } from 'node:path';
import { BackendError } from '@scgi/core/protocol';
import { toFilePath } from '../octets.js';
import { isPlainPath, mergeSlashes } from './path-policy.js';
import type { Program, ProgramFinder } from './program.js';
import { bareFolder } from './program.js';

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

  find(scriptName: string, path: string, encodedPath: string): Program | typeof bareFolder | undefined {
    if (!isPlainPath(path, encodedPath, this.#settings.allowsEncodedSlashes)) return undefined;
    const merged = mergeSlashes(path);
    // One segment after the other: the first that is a file is the program.
    for (let end = merged.indexOf('/', 1); ; end = merged.indexOf('/', end + 1)) {
      const place = end === -1 ? merged : merged.slice(0, end);
      if (isHidden(place)) return undefined;
      const stats = statOf(this.#root + place);
      if (stats === undefined) return undefined;
      if (stats.isFile()) return this.#program(scriptName + place, this.#root + place, merged.slice(place.length));
      if (!stats.isDirectory()) return undefined;
      if (end === -1 || end === merged.length - 1) return this.#index(scriptName, merged);
    }
  }

  /** A folder is asked for: its index, if it has one. */
  #index(scriptName: string, path: string): Program | typeof bareFolder | undefined {
    const { indexes, root } = this.#settings;
    const folder = path.endsWith('/') ? path : `${path}/`;
    for (const name of indexes) {
      const file = this.#root + folder + name;
      if (!statOf(file)?.isFile()) continue;
      return folder === path ? this.#program(scriptName + folder + name, file, '') : bareFolder;
    }
    throw new BackendError('ERR_SCGI_PROGRAM_FORBIDDEN', {
      folder: `${root}${folder}`.slice(-200),
      problem: 'a folder',
    });
  }

  #program(scriptName: string, file: string, pathInfo: string): Program | undefined {
    const { extensions, interpreters, documentRoot } = this.#settings;
    const extension = extname(file).toLowerCase();
    if (extensions !== undefined && !extensions.has(extension)) return undefined;
    this.#checkLinks(file);
    return { file, scriptName, pathInfo, documentRoot, interpreter: interpreters.get(extension) };
  }

  #checkLinks(file: string): void {
    const { links } = this.#settings;
    if (links === 'anywhere') return;
    const root = realOf(this.#root);
    const real = realOf(file);
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

function statOf(path: string): Stats | undefined {
  try {
    return statSync(toFilePath(path));
  } catch (cause) {
    throwUnlessAbsent(path, cause);
    return undefined;
  }
}

function realOf(path: string): string {
  try {
    return realpathSync.native(toFilePath(path), 'buffer').toString('latin1');
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
