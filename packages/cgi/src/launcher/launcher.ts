// What starts programs. There is more than one way, since a fork of Node.js itself is slow; what they have in common is
// here. Knows processes and their streams, nothing of CGI.

import type { Readable, Writable } from 'node:stream';

/**
 * What to run. All texts are octets, one a character (latin1): file names, arguments and variables need not be UTF-8.
 */
export interface Command {
  /** Absolute path of the program. Run as it is: no shell, no search. */
  readonly file: string;
  /** What follows `argv[0]`, which is `file`. */
  readonly args: readonly string[];
  /** The whole environment: names and values in turn. Nothing is inherited. */
  readonly env: readonly string[];
  /** Working directory, absolute. */
  readonly folder: string;
  /** Without input the program reads the end of its file at once. */
  readonly hasInput: boolean;
}

/** A program that runs, the leader of a process group of its own. */
export interface RunningProgram {
  readonly pid: number;
  /** Its standard input; undefined without one. */
  readonly input: Writable | undefined;
  /** Its standard output. Ends when nobody holds it open any more, which may be later than the program. */
  readonly output: Readable;
  /** Its standard error; as for the output. */
  readonly errors: Readable;
  /** Sends a signal to all that are left of its group. Does nothing where nobody is. */
  kill(signal: NodeJS.Signals): void;
  /** Whether anybody of its group lives, itself included. */
  hasGroup(): boolean;
}

/** Hears of one program. */
export interface LaunchHandler {
  onStart(program: RunningProgram): void;
  /**
   * It could not be started, and nothing else is called: `code` has the system's word (ENOENT, EACCES, ENOEXEC, EAGAIN …).
   * EINVAL: a text of the command has a NUL or is not latin1, or a variable no possible name. ECANCELED: after `close`.
   * EPIPE: what was to start it has died, so it may run all the same, though nobody reads or writes its streams.
   */
  onStartFailed(error: NodeJS.ErrnoException): void;
  /**
   * The program has ended, after `onStart`; what it has forked may live on, and its streams may have more to read.
   * @param code its exit status; undefined if a signal ended it, or nobody knows
   */
  onExit(code: number | undefined, signal: string | undefined): void;
}

/** Starts programs. */
export interface Launcher {
  /** Calls the handler, perhaps before this returns. */
  launch(command: Command, handler: LaunchHandler): void;
  /** Starts no more; those that run go on. */
  close(): void;
}
