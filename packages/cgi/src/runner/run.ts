// One run of a program: a place among those that may run, the process, its three streams, its deadlines and its end.
// Knows CGI's output, and neither requests nor responses: who wants the answer is a handler.

import type { SlotUser } from '@scgi/client/exchange';
import type { ResponseHead } from '@scgi/core/protocol';
import { AbortError, BackendError, ScgiError } from '@scgi/core/protocol';
import type { Command, LaunchHandler, RunningProgram } from '../launcher/launcher.js';
import { ErrorOutput } from './error-output.js';
import { GroupEnd } from './group-end.js';
import { HeldOutput } from './held-output.js';
import { NphOutput } from './nph-output.js';
import type { OutputSink, ProgramOutput } from './output.js';
import { CgiOutput } from './output.js';
import { startError } from './program-error.js';
import { RunClock } from './run-clock.js';
import type { RunSettings } from './run-settings.js';
import type { Run, RunHandler } from './runner.js';

/** What to run, and how to read what it prints. */
export interface RunOrder {
  readonly command: Command;
  /** The program's, also where the command is an interpreter's. */
  readonly file: string;
  /** REQUEST_METHOD: the answer to HEAD has no body. */
  readonly method: string;
  /** It speaks HTTP itself. */
  readonly isNph: boolean;
  /** Nobody is to see anything of the answer before the program has its input. */
  readonly holdsAnswer: boolean;
  /** What the log calls it. */
  readonly name: string;
}

/** A program that closes its output and lives on keeps nobody waiting for longer than this to see how it ends. */
const EXIT_GRACE_MS = 100;
/** How long to wait for the rest of the standard error once the program has ended: what it has forked may hold it open. */
const ERROR_GRACE_MS = 1000;

export class ProgramRun implements Run, SlotUser, LaunchHandler, OutputSink {
  readonly #settings: RunSettings;
  readonly #order: RunOrder;
  readonly #handler: RunHandler;
  readonly #clock: RunClock;
  #program: RunningProgram | undefined;
  #end: GroupEnd | undefined;
  #output: ProgramOutput | undefined;
  #held: HeldOutput | undefined;
  /** When bytes have last gone to the program's input. */
  #inputAt: number;
  /** The handler has heard the last word, or wants to hear none. */
  #settled: boolean;
  #hasSlot: boolean;
  #outputEnded: boolean;
  #finished: boolean;
  #exited: boolean;
  #signal: string | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(settings: RunSettings, order: RunOrder, handler: RunHandler) {
    this.#settings = settings;
    this.#order = order;
    this.#handler = handler;
    this.#clock = new RunClock(settings, (option) => this.#runOut(option));
    this.#program = undefined;
    this.#end = undefined;
    this.#output = undefined;
    this.#held = undefined;
    this.#inputAt = 0;
    this.#settled = false;
    this.#hasSlot = false;
    this.#outputEnded = false;
    this.#finished = false;
    this.#exited = false;
    this.#signal = undefined;
    this.#grace = undefined;
  }

  start(): void {
    try {
      this.#settings.slots.take(this);
    } catch (error) {
      this.#fail(inOurWords(error));
    }
  }

  resume(): void {
    this.#resumeOutput();
    if (this.#output instanceof NphOutput) this.#output.resume();
  }

  #resumeOutput(): void {
    this.#clock.resume();
    this.#program?.output.resume();
  }

  noteInput(): void {
    this.#inputAt = performance.now();
    this.#clock.restart();
  }

  destroy(): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#hasSlot) this.#endProgram();
    else this.#settings.slots.leave(this);
  }

  onSlot(): void {
    this.#hasSlot = true;
    this.#settings.launcher.launch(this.#order.command, this);
  }

  onNoSlot(error: BackendError | AbortError): void {
    this.#fail(inOurWords(error));
  }

  onStartFailed(error: NodeJS.ErrnoException): void {
    this.#exited = true;
    this.#outputEnded = true;
    try {
      this.#fail(startError(this.#order.command, this.#order.file, error));
    } finally {
      this.#release();
    }
  }

  onStart(program: RunningProgram): void {
    this.#program = program;
    this.#end = new GroupEnd(program);
    this.#watch(program);
    if (this.#settled) {
      this.#endProgram();
      return;
    }
    this.#inputAt = performance.now();
    this.#clock.start();
    this.#handler.onInput(program.input);
  }

  #watch(program: RunningProgram): void {
    const { input, output, errors } = program;
    const { method, isNph, holdsAnswer, name } = this.#order;
    if (holdsAnswer && input !== undefined) {
      const idleTime = (): number => (input.writableLength > 0 ? 0 : performance.now() - this.#inputAt);
      this.#held = new HeldOutput(this, idleTime, () => this.#releaseAnswer());
    }
    const sink = this.#held ?? this;
    this.#output = isNph
      ? new NphOutput(this.#settings, method, sink, () => this.#resumeOutput())
      : new CgiOutput(this.#settings, method, sink);
    // All of it is written, or the program takes no more.
    input?.once('finish', () => this.#releaseAnswer()).once('close', () => this.#releaseAnswer());
    output.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    output.on('end', () => this.#onOutputEnd());
    output.on('error', () => this.#onOutputEnd());
    output.on('close', () => this.#onOutputEnd());
    const log = new ErrorOutput(this.#settings.maxErrorBytes, (line) => this.#settings.onErrorOutput(line, name));
    errors.on('data', (chunk: Uint8Array) => log.receive(chunk));
    errors.on('error', ignore);
    errors.on('close', () => log.end());
    // EPIPE: a program need not read its input.
    input?.on('error', ignore);
  }

  #receive(chunk: Uint8Array): void {
    this.#clock.restart();
    if (this.#output?.receive(chunk) === false && !this.#settled) this.#pauseOutput();
  }

  #releaseAnswer(): void {
    if (this.#held?.release() === false && !this.#settled) this.#pauseOutput();
  }

  #pauseOutput(): void {
    this.#program?.output.pause();
    this.#clock.pause();
  }

  #onOutputEnd(): void {
    if (this.#outputEnded) return;
    this.#outputEnded = true;
    this.#clock.stop();
    if (this.#exited || this.#settled) this.#finish();
    // The end of the output and the news of the exit come by different ways.
    else this.#grace = setTimeout(() => this.#finish(), EXIT_GRACE_MS);
  }

  onExit(_code: number | undefined, signal: string | undefined): void {
    this.#exited = true;
    this.#signal = signal;
    this.#end?.onLeaderExit();
    if (this.#outputEnded) this.#finish();
    // What it has forked may go on with the answer. Without anybody who wants it, nobody waits for its end.
    else if (this.#settled) this.#program?.output.destroy();
    this.#release();
  }

  /** All is known that will be: what was printed last, and mostly how the program ended. */
  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#grace);
    try {
      if (!this.#settled && this.#signal !== undefined) {
        // Whatever it has printed, it was not done.
        this.#fail(new BackendError('ERR_SCGI_PROGRAM_DIED', { signal: this.#signal }));
      }
      this.#output?.end();
    } finally {
      this.#release();
    }
  }

  onHead(head: ResponseHead): void {
    if (!this.#settled) this.#handler.onHead(head);
  }

  onBody(data: Uint8Array): boolean {
    return this.#settled || this.#handler.onBody(data);
  }

  onWhole(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#handler.onEnd();
    this.#clock.stop();
    if (!this.#exited) this.#clock.linger();
    else if (!this.#outputEnded) this.#program?.output.destroy();
  }

  onFault(error: unknown): void {
    this.#fail(error);
  }

  #runOut(option: 'timeout' | 'runTimeout' | 'lingerTimeout'): void {
    if (this.#settled) this.#endProgram();
    else this.#fail(new BackendError('ERR_SCGI_PROGRAM_TIMEOUT', { [option]: this.#settings[option] }));
  }

  #fail(error: unknown): void {
    const isFirst = !this.#settled;
    this.#settled = true;
    // Before anybody hears of it: who does may throw.
    if (isFirst) this.#endProgram();
    if (!(error instanceof ScgiError)) throw error;
    if (isFirst) this.#handler.onError(error);
  }

  #endProgram(): void {
    this.#held?.drop();
    this.#clock.stop();
    const program = this.#program;
    if (program === undefined) return;
    program.input?.destroy();
    program.output.destroy();
    this.#end?.begin(this.#settings.killTimeout);
  }

  /** The place is free when the program has ended and nobody waits for what its children print. */
  #release(): void {
    if (!this.#hasSlot || !this.#exited || !(this.#outputEnded || this.#settled)) return;
    this.#hasSlot = false;
    this.#clock.stop();
    const program = this.#program;
    program?.input?.destroy();
    if (program !== undefined && !program.errors.readableEnded && !program.errors.closed) {
      setTimeout(() => program.errors.destroy(), ERROR_GRACE_MS).unref();
    }
    this.#settings.slots.release();
  }
}

/** Places are the client's: there it is a client that is closed. */
function inOurWords(error: unknown): unknown {
  return error instanceof AbortError ? new AbortError('ERR_SCGI_SERVER_CLOSING') : error;
}

function ignore(): void {}
