// A command in a terminal of its own, as a person runs it: it says something, hears Ctrl-C, and should leave nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import type { Stage } from '../../nginx/support/stage.js';
import { root } from '../../package-check/workspace.js';
import { until, within } from '../../support/deadline.js';

/** Several times npm at once, on a machine that may have other things to do. */
const deadlineMs = 60_000;

export interface TerminalCommand {
  /** TMPDIR of the command. */
  readonly temporary: string;
  /** All that it has said so far. */
  output(): string;
  /** Waits for it to say something of this kind; rejects if it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ctrl-C: a signal to all that runs in the foreground. */
  interrupt(): void;
  /** Its exit code, once it and all that it has started have ended. */
  ended(): Promise<number | null>;
}

/**
 * Runs a line of shell at the root of the repository.
 * @param variables for its environment, when it is known where temporary files go
 */
export function runInTerminal(
  stage: Stage,
  line: string,
  variables: (temporary: string) => Readonly<Record<string, string>>,
): TerminalCommand {
  const temporary = stage.folder();
  chmodSync(temporary, 0o755);
  const env = { ...process.env, ...variables(temporary), TMPDIR: temporary };
  // Detached: a group of its own, as the foreground of a terminal is.
  const child = spawn('sh', ['-c', line], { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const signal = (name: NodeJS.Signals): boolean => process.kill(-(child.pid ?? 0), name);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  let hasEnded = false;
  const closed = once(child, 'close').then(() => (hasEnded = true));
  stage.add(async () => {
    if (hasEnded) return;
    signal('SIGINT');
    await within(closed, 10_000, `the end of ${line}`).catch(() => signal('SIGKILL'));
  });
  return {
    temporary,
    output: () => output,
    async says(pattern) {
      await until(
        () => hasEnded || pattern.test(output),
        deadlineMs,
        () => `${pattern} in\n${output}`,
      );
      return pattern.exec(output) ?? Promise.reject(new Error(`${line} has ended:\n${output}`));
    },
    interrupt: () => void signal('SIGINT'),
    async ended() {
      await within(closed, deadlineMs, `the end of ${line}`);
      const left = (): string[] => processesWith(`TMPDIR=${temporary}`);
      await until(
        () => left().length === 0,
        5_000,
        () => `the end of what ${line} has started: ${left().join(', ')}`,
      );
      return child.exitCode;
    },
  };
}

/** Who has inherited a variable, by command line. Linux only; elsewhere none. */
function processesWith(variable: string): string[] {
  const pids = readFolder('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => readFile(`/proc/${pid}/environ`).split('\0').includes(variable))
    .map((pid) => readFile(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // Gone, or somebody else's.
  }
}
