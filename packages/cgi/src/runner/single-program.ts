// One program that all requests are for, as `ScriptAlias /path /file` of Apache.

import { dirname } from 'node:path';
import type { Program, ProgramFinder } from './program.js';
import { isPlainPath } from './path-policy.js';

export class SingleProgram implements ProgramFinder {
  readonly #file: string;
  readonly #documentRoot: string;
  readonly #interpreter: readonly string[] | undefined;
  readonly #allowsEncodedSlashes: boolean;

  /** @param file absolute; octets, as the others */
  constructor(
    file: string,
    documentRoot: string | undefined,
    interpreter: readonly string[] | undefined,
    allowsEncodedSlashes: boolean,
  ) {
    this.#file = file;
    this.#documentRoot = documentRoot ?? dirname(file);
    this.#interpreter = interpreter;
    this.#allowsEncodedSlashes = allowsEncodedSlashes;
  }

  find(scriptName: string, path: string, encodedPath: string): Program | undefined {
    // PATH_TRANSLATED is made of it, and programs open files by it.
    if (!isPlainPath(path, encodedPath, this.#allowsEncodedSlashes)) return undefined;
    return {
      file: this.#file,
      scriptName,
      pathInfo: path,
      documentRoot: this.#documentRoot,
      interpreter: this.#interpreter,
    };
  }
}
