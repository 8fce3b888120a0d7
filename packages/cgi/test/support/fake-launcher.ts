// A launcher whose programs do nothing but what a test says, in exactly that order.

import { PassThrough, Writable } from 'node:stream';
import type { Command, Launcher, LaunchHandler, RunningProgram } from '../../src/launcher/launcher.js';

/** A program that does not exist. */
export class FakeProgram implements RunningProgram {
  readonly pid: number = 4_194_305;
  readonly input: FakeInput | undefined;
  readonly output: PassThrough = new PassThrough();
  readonly errors: PassThrough = new PassThrough();
  readonly signals: string[] = [];
  /** What `hasGroup` says. */
  groupLives: boolean = true;

  constructor(hasInput: boolean = false) {
    this.input = hasInput ? new FakeInput() : undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
  }

  hasGroup(): boolean {
    return this.groupLives;
  }
}

/** Keeps what it gets, and is full from the first byte on, until `drainAll`. */
export class FakeInput extends Writable {
  readonly chunks: Buffer[] = [];
  #taken: (() => void)[] = [];

  constructor() {
    super({ highWaterMark: 1 });
  }

  drainAll(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    this.#taken.push(done);
  }
}

export class FakeLauncher implements Launcher {
  readonly launched: { readonly command: Command; readonly handler: LaunchHandler }[] = [];
  closed: boolean = false;
  /** Whether programs start at once, as with Node's own launcher, or when the test calls `start`. */
  readonly #atOnce: boolean;

  constructor(atOnce: boolean = true) {
    this.#atOnce = atOnce;
  }

  launch(command: Command, handler: LaunchHandler): void {
    this.launched.push({ command, handler });
    if (this.#atOnce) this.start(this.launched.length - 1);
  }

  readonly programs: FakeProgram[] = [];

  /** Starts the program that was asked for as the nth. */
  start(index: number = this.launched.length - 1): FakeProgram {
    const asked = this.launched[index];
    if (asked === undefined) throw new Error(`program ${index} was not asked for`);
    const program = new FakeProgram(asked.command.hasInput);
    this.programs[index] = program;
    asked.handler.onStart(program);
    return program;
  }

  /** The nth that was started. */
  program(index: number = 0): FakeProgram {
    const program = this.programs[index];
    if (program === undefined) throw new Error(`program ${index} was not started`);
    return program;
  }

  /** The nth ends, and with it its streams, unless somebody else holds them. */
  exit(index: number = 0, code: number | undefined = 0, signal: string | undefined = undefined): void {
    this.launched[index]?.handler.onExit(signal === undefined ? code : undefined, signal);
  }

  close(): void {
    this.closed = true;
  }
}
