// Programs, launched and followed to their end.

import type { Readable } from 'node:stream';
import type { Command, Launcher, RunningProgram } from '../../src/launcher/launcher.js';
import { within } from './within.js';

/** A program that runs. What it prints is octets, one a character. */
export interface Launched {
  readonly program: RunningProgram;
  readonly output: Promise<string>;
  readonly errors: Promise<string>;
  /** What `onExit` was told. */
  readonly ending: Promise<Ending>;
}

export interface Ending {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** A program that has ended. */
export interface Outcome extends Ending {
  readonly output: string;
  readonly errors: string;
}

/** A command with the least that a program needs. */
export function commandOf(file: string, args: readonly string[] = [], more: Partial<Command> = {}): Command {
  return { file, args, env: ['PATH', '/usr/bin:/bin'], folder: '/', hasInput: false, ...more };
}

/** A command for the shell. */
export function shell(script: string, more: Partial<Command> = {}): Command {
  return commandOf('/bin/sh', ['-c', script], more);
}

/** Rejects with what `onStartFailed` was told. */
export function launch(launcher: Launcher, command: Command): Promise<Launched> {
  const started = new Promise<Launched>((resolve, reject) => {
    let onExit: (ending: Ending) => void = () => {};
    const ending = new Promise<Ending>((resolveEnding) => (onExit = resolveEnding));
    launcher.launch(command, {
      onStart: (program) =>
        resolve({ program, output: textOf(program.output), errors: textOf(program.errors), ending }),
      onStartFailed: reject,
      onExit: (code, signal) => onExit({ code, signal }),
    });
  });
  return within(`the start of ${command.file}`, started, 30_000);
}

/** The code of the error with which a start fails. */
export async function failureOf(launcher: Launcher, command: Command): Promise<unknown> {
  const error = await launch(launcher, command).then(
    () => 'it was started',
    (reason: unknown) => reason,
  );
  return error instanceof Error && 'code' in error ? error.code : error;
}

/** Runs a program to its end, and until nobody holds its streams any more. */
export async function run(launcher: Launcher, command: Command, input?: string | Buffer): Promise<Outcome> {
  const { program, ...rest } = await launch(launcher, { ...command, hasInput: input !== undefined });
  // EPIPE: a program need not read.
  program.input?.on('error', () => {});
  program.input?.end(input);
  const end = Promise.all([rest.output, rest.errors, rest.ending]);
  const [output, errors, ending] = await within(`the end of ${command.file}`, end, 30_000);
  return { output, errors, ...ending };
}

/** Resolves when the stream is closed. */
function textOf(stream: Readable): Promise<string> {
  let text = '';
  stream.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  return new Promise((resolve, reject) => {
    stream.once('close', () => resolve(text)).once('error', reject);
  });
}
