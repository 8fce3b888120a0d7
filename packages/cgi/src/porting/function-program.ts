// What a function that stands in for a CGI program is told: options, and the variables of one request.

import { dirname, resolve } from 'node:path';
import { checkSwitch, checkText } from '../option-checks.js';
import { toOctets } from '../octets.js';
import type { VariableOptions } from '../options.js';
import { documentRootOf, resolveVariables } from '../options.js';
import type { EnvironmentProgram } from '../runner/environment.js';
import type { VariableSettings } from '../runner/order-run.js';
import { partsOf, variablesFor } from '../runner/order-run.js';
import { isPlainPath } from '../runner/path-policy.js';
import type { RunRequest } from '../runner/runner.js';

/** What the function is told beside the request. */
export interface FunctionProgramOptions<Incoming> extends VariableOptions<Incoming> {
  /** SCRIPT_FILENAME: `import.meta.filename`, for a program that asks where it lies. Default: none. */
  readonly scriptFilename?: string | undefined;
  /** DOCUMENT_ROOT, from which PATH_TRANSLATED is made. Default: the folder of `scriptFilename`; without that, neither is there. */
  readonly documentRoot?: string | undefined;
}

export class FunctionProgram<Incoming> {
  readonly #settings: VariableSettings<Incoming>;
  readonly #file: string | undefined;
  readonly #documentRoot: string | undefined;
  readonly #allowsEncodedSlashes: boolean;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION */
  constructor(options: FunctionProgramOptions<Incoming>) {
    const { scriptFilename } = options;
    this.#settings = resolveVariables(options);
    this.#file =
      scriptFilename === undefined ? undefined : toOctets(resolve(checkText('scriptFilename', scriptFilename)));
    this.#documentRoot = documentRootOf(options) ?? (this.#file && dirname(this.#file));
    this.#allowsEncodedSlashes = checkSwitch('encodedSlashes', options.encodedSlashes);
  }

  /**
   * Names and values in turn, octets; undefined for a path that no CGI program is asked for, as by `cgiProgram`.
   * @throws {ScgiError} for what the client sent, ERR_SCGI_OPTION for an `env` function that fails
   */
  variablesOf(request: RunRequest<Incoming>): string[] | undefined {
    const { mountPoint, path, encodedPath } = partsOf(request.mounted);
    // PATH_TRANSLATED is made of it, and programs open files by it.
    if (!isPlainPath(path, encodedPath, this.#allowsEncodedSlashes)) return undefined;
    const program: EnvironmentProgram = {
      file: this.#file,
      scriptName: mountPoint,
      pathInfo: path,
      documentRoot: this.#documentRoot,
      interpreter: undefined,
    };
    return variablesFor(this.#settings, request, program);
  }
}
