// An SCGI server of somebody else's as a child process in a folder of its own: starts it, waits until it listens, ends it.
// What it is called and how it says that it is ready is its harness's business.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until, within } from './deadline.js';

const startDeadlineMs = 15_000;
const stopDeadlineMs = 5_000;

/** What a harness knows of its program. */
export interface PeerProgram {
  /** As in messages, and for the folder's name. */
  readonly name: string;
  readonly executable: string;
  /** The command line; the folder is there already, and empty. */
  args(folder: string): readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Asked every 10 ms, with all that the program has printed. */
  isReady(output: string, folder: string): boolean | Promise<boolean>;
}

/** What every harness gives out. */
export interface PeerProcess {
  readonly folder: string;
  readonly pid: number;
  /** All that it has printed, to both streams. */
  output(): string;
  /** Ends it with SIGTERM, or SIGKILL after 5 s, and removes its folder. Resolves with the exit code. May be called again. */
  stop(): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

const running = new Set<ChildProcess>();
// A test run that ends early must not leave servers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/** Starts a program and waits until it is ready. Rejects with what it has printed if it ends before that. */
export async function startPeerProcess(program: PeerProgram): Promise<PeerProcess> {
  const { name, executable } = program;
  const folder = mkdtempSync(join(tmpdir(), `scgi-${name.toLowerCase()}-`));
  let output = '';
  const child = spawn(executable, program.args(folder), {
    cwd: folder,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', (error) => (output += error.message));
  running.add(child);
  const closed = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const stop = async (): Promise<number | null> => {
    if (running.has(child)) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    const code = await within(closed, 2 * stopDeadlineMs, `the end of ${name}`);
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  const dispose = async (): Promise<void> => void (await stop());
  const peer: PeerProcess = {
    folder,
    pid: child.pid ?? 0,
    output: () => output,
    stop,
    [Symbol.asyncDispose]: dispose,
  };
  try {
    await until(
      async () => !running.has(child) || (await program.isReady(output, folder)),
      startDeadlineMs,
      () => `${name} listening; it says\n${output}`,
    );
    if (!running.has(child)) throw new Error(`${name} did not start:\n${output}`);
    return peer;
  } catch (error) {
    await stop();
    throw error;
  }
}
