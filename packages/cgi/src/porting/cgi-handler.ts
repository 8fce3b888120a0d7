// cgiHandler(): a CGI program written in JavaScript as a handler that stays.

import { resolveBound, resolveTime } from '@scgi/client/exchange';
import type { CgiPrograms } from '../faces.js';
import { createFaces } from '../faces.js';
import { checkFunction, refuse } from '../option-checks.js';
import type { PassageOptions } from '../options.js';
import { logError, resolvePassage } from '../options.js';
import type { RunOptions } from '../runner/run-settings.js';
import { FunctionProgram, type FunctionProgramOptions } from './function-program.js';
import type { CgiFunction } from './function-run.js';
import { FunctionRunner } from './function-runner.js';

/** Options of `cgiHandler`. Those that it shares with `cgiProgram` mean the same; its functions get the request of each face. */
export interface CgiHandlerOptions
  extends
    FunctionProgramOptions<unknown>,
    PassageOptions<unknown>,
    Pick<RunOptions, 'timeout' | 'runTimeout' | 'lingerTimeout' | 'maxHeadBytes' | 'maxLineBytes'> {}

/**
 * Makes a listener of a function that does what a CGI program does: reads `environ` and `stdin`, and writes to `stdout`. So
 * the last line of such a program, `main(process.env, process.stdin, process.stdout)`, becomes
 * `serveScgi(cgiHandler(main))`. The answer is over
 * - when `stdout` is ended, by `stdout.end()` or by what is piped into it;
 * - else when the promise that the function has returned resolves, unless something is piped into `stdout` then;
 * - else when the function has returned without a promise, if it has written something by then, and neither listens to
 *   `stdin`, nor waits for `stdout` to drain, nor has piped anything into it. A function that does is to call `stdout.end()`.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an option that is impossible
 */
export function cgiHandler(program: CgiFunction, options: CgiHandlerOptions = {}): CgiPrograms {
  if (typeof program !== 'function') throw refuse('program', program, 'write a function');
  const timeout = resolveTime('timeout', options.timeout, 60_000);
  const settings = {
    program,
    timeout,
    runTimeout: resolveTime('runTimeout', options.runTimeout, 0),
    lingerTimeout: resolveTime('lingerTimeout', options.lingerTimeout, 30_000),
    maxHeadBytes: resolveBound('maxHeadBytes', options.maxHeadBytes, 65_536, Number.MAX_SAFE_INTEGER),
    maxLineBytes: resolveBound('maxLineBytes', options.maxLineBytes, 8192, Number.MAX_SAFE_INTEGER),
    onError: checkFunction('onError', options.onError, logError),
  };
  const runner = new FunctionRunner(new FunctionProgram(options), settings);
  return createFaces(resolvePassage(options, runner, timeout));
}
