// One call of a function that stands in for a CGI program: its two streams, its deadlines and its end. Owns when an answer
// is over. Knows neither requests nor responses, as a run of a real program.

import type { Readable, Writable } from 'node:stream';
import type { ResponseHead } from '@scgi/core/protocol';
import { AbortError, BackendError, LocalProtocolError, ScgiError } from '@scgi/core/protocol';
import type { OutputSettings, OutputSink } from '../runner/output.js';
import { CgiOutput } from '../runner/output.js';
import { RunClock, type RunDeadlines } from '../runner/run-clock.js';
import type { Run, RunHandler } from '../runner/runner.js';
import type { Environ } from './environ.js';
import { ProgramStdin } from './program-stdin.js';
import { ProgramStdout, type StdoutHandler } from './program-stdout.js';

/** What a CGI program in JavaScript becomes: a function of what it took from `process`. */
export type CgiFunction = (environ: Environ, stdin: Readable, stdout: Writable, call: CgiCall) => unknown;

/** What a program did not have. */
export interface CgiCall {
  /** Aborts when nobody wants the answer any more: the client has left, or a deadline has passed. */
  readonly signal: AbortSignal;
  /** The request: Node's own, or a Fetch one. */
  readonly request: unknown;
}

/** What is the same for every call. Times are milliseconds, 0 for none. */
export interface FunctionSettings extends RunDeadlines, OutputSettings {
  readonly program: CgiFunction;
  /** Hears of what goes wrong when the answer is whole already. */
  readonly onError: (error: ScgiError, request: unknown) => void;
}

/** What one call is about. */
export interface FunctionOrder {
  readonly environ: Environ;
  /** REQUEST_METHOD: the answer to HEAD has no body. */
  readonly method: string;
  readonly hasInput: boolean;
  readonly request: unknown;
}

const remedy = 'return a promise, or call stdout.end()';

export class FunctionRun implements Run, OutputSink, StdoutHandler {
  readonly #settings: FunctionSettings;
  readonly #order: FunctionOrder;
  readonly #handler: RunHandler;
  readonly #clock: RunClock;
  readonly #leaving: AbortController;
  readonly #stdin: ProgramStdin;
  readonly #stdout: ProgramStdout;
  /** The handler has heard the last word, or wants to hear none. */
  #settled: boolean;
  /** The function does nothing more that anybody waits for. */
  #over: boolean;
  /** It has returned without a promise; the end of the answer is up to its callbacks. */
  #endsByItself: boolean;

  constructor(settings: FunctionSettings, order: FunctionOrder, handler: RunHandler) {
    this.#settings = settings;
    this.#order = order;
    this.#handler = handler;
    this.#clock = new RunClock(settings, (option) => this.#runOut(option));
    this.#leaving = new AbortController();
    this.#stdin = new ProgramStdin();
    this.#stdout = new ProgramStdout(new CgiOutput(settings, order.method, this), this);
    this.#settled = false;
    this.#over = false;
    this.#endsByItself = false;
  }

  start(): void {
    const { environ, hasInput, request } = this.#order;
    const stdin = this.#stdin;
    this.#clock.start();
    if (!hasInput) stdin.source.end();
    this.#handler.onInput(hasInput ? stdin.source : undefined);
    let result: unknown;
    try {
      result = this.#settings.program(environ, stdin, this.#stdout, { signal: this.#leaving.signal, request });
    } catch (error) {
      this.#onThrown(error);
      return;
    }
    if (!isThenable(result)) this.#onReturned();
    else {
      Promise.resolve(result).then(
        () => this.#onDone(),
        (error) => this.#onThrown(error),
      );
    }
  }

  resume(): void {
    this.#clock.resume();
    this.#stdout.resume();
  }

  noteInput(): void {
    this.#clock.restart();
  }

  destroy(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#abandon(new AbortError('ERR_SCGI_CLIENT_GONE'));
  }

  /**
   * A process that has returned from its last line ends, unless something is still to come. Of that this shows here: who
   * reads the input, who writes piece by piece, and who has written nothing yet, since an answer has a head.
   */
  #onReturned(): void {
    const stdout = this.#stdout;
    const waitsForDrain = stdout.listenerCount('drain') > 0;
    this.#endsByItself = this.#stdin.hasReader || stdout.isPiped || waitsForDrain || !stdout.hasBegun;
    if (stdout.writableEnded || !this.#endsByItself) this.#onDone();
  }

  #onDone(): void {
    this.#over = true;
    const stdout = this.#stdout;
    // A pipe ends it.
    if (!stdout.writableEnded && !stdout.isPiped) stdout.end();
    if (this.#settled) this.#letGo();
  }

  #onThrown(cause: unknown): void {
    this.#over = true;
    const error = failure({}, cause);
    // A program that fails when all is printed has answered.
    if (this.#stdout.writableEnded) this.#report(error);
    else this.#fail(error);
    if (this.#settled) this.#letGo();
  }

  onWrite(): void {
    this.#clock.restart();
  }

  onBroken(cause: Error): void {
    this.#over = true;
    this.#fail(cause instanceof LocalProtocolError ? cause : failure({}, cause));
  }

  onLateWrite(): void {
    const error = failure({ fault: 'it wrote after the end of its answer', remedy });
    // Where the end has not gone out yet, what would look whole is not.
    if (this.#settled) this.#report(error);
    else this.#fail(error);
  }

  onHead(head: ResponseHead): void {
    if (!this.#settled) this.#handler.onHead(head);
  }

  onBody(data: Uint8Array): boolean {
    if (this.#settled || this.#handler.onBody(data)) return true;
    this.#clock.pause();
    return false;
  }

  onWhole(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#clock.stop();
    this.#handler.onEnd();
    // Without a promise, to end the output is all that shows an end.
    if (this.#over || this.#endsByItself) this.#letGo();
    else this.#clock.linger();
  }

  onFault(error: unknown): void {
    this.#fail(error);
  }

  #runOut(option: keyof RunDeadlines): void {
    const details = { [option]: this.#settings[option], ...(this.#endsByItself ? { remedy } : {}) };
    const error = new BackendError('ERR_SCGI_PROGRAM_TIMEOUT', details);
    if (this.#settled) this.#abandon(error);
    else this.#fail(error);
  }

  #fail(error: unknown): void {
    if (!(error instanceof ScgiError)) throw error;
    if (this.#settled) return;
    this.#settled = true;
    this.#handler.onError(error);
    this.#abandon(error);
  }

  /** The answer is somebody's already, or nobody's. */
  #report(error: ScgiError): void {
    if (!this.#leaving.signal.aborted) this.#settings.onError(error, this.#order.request);
  }

  /** Tells the function, in every way it may listen to. */
  #abandon(reason: ScgiError): void {
    this.#clock.stop();
    this.#leaving.abort(reason);
    this.#stdin.destroy(reason);
    this.#stdout.destroy(reason);
  }

  /** All is well. What nobody has read of the input goes by. */
  #letGo(): void {
    this.#clock.stop();
    this.#stdin.destroy();
  }
}

function failure(details: Readonly<Record<string, string>>, cause?: unknown): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_PROGRAM_FAILED', details, cause === undefined ? {} : { cause });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
