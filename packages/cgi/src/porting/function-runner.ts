// Calls a function of this process for requests, in the place of a program.

import { AbortError } from '@scgi/core/protocol';
import type { Run, RunHandler, Runner, RunRequest } from '../runner/runner.js';
import { environOf } from './environ.js';
import type { FunctionProgram } from './function-program.js';
import { FunctionRun, type FunctionSettings } from './function-run.js';

/** See `Runner`. */
export class FunctionRunner implements Runner<unknown> {
  readonly #program: FunctionProgram<unknown>;
  readonly #settings: FunctionSettings;
  #closed: boolean;

  constructor(program: FunctionProgram<unknown>, settings: FunctionSettings) {
    this.#program = program;
    this.#settings = settings;
    this.#closed = false;
  }

  async prepare(request: RunRequest<unknown>, handler: RunHandler): Promise<Run | undefined> {
    if (this.#closed) throw new AbortError('ERR_SCGI_SERVER_CLOSING');
    const variables = this.#program.variablesOf(request);
    if (variables === undefined) return undefined;
    const { facts, contentLength, incoming } = request;
    const order = {
      environ: environOf(variables),
      method: facts.method,
      hasInput: contentLength !== undefined && contentLength > 0,
      request: incoming,
    };
    return new FunctionRun(this.#settings, order, handler);
  }

  close(): void {
    this.#closed = true;
  }
}
