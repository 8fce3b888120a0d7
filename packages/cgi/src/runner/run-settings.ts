// What applies to every run of a program: deadlines, limits, places. Owns defaults and checks; times are milliseconds,
// 0 for none.

import { resolveBound, resolveNumber, resolveTime, Slots } from '@scgi/client/exchange';
import type { Launcher } from '../launcher/launcher.js';
import { createLauncher } from '../launcher/create-launcher.js';
import type { LauncherName } from '../launcher/create-launcher.js';

/** How long and how many programs may run. Times in milliseconds, 0 for none; limits null for none. */
export interface RunOptions {
  /** Without a byte from the program, or a byte to it, while its answer is awaited: 504, or the answer breaks off. Default 60,000, as Apache. */
  readonly timeout?: number | undefined;
  /** The same for the whole run, whatever moves. Default 0: none. */
  readonly runTimeout?: number | undefined;
  /** How long a program may live on once its answer is whole. Default 30,000. */
  readonly lingerTimeout?: number | undefined;
  /** Between SIGTERM and SIGKILL, to the program's whole process group. Default 3,000, as Apache. */
  readonly killTimeout?: number | undefined;
  /** Programs that run at once. Default 32. */
  readonly maxConcurrent?: number | null | undefined;
  /** Requests that wait for one of these places; 503 beyond. Default 1,000. */
  readonly maxQueued?: number | null | undefined;
  /** How long they wait: 503 then. Default 10,000. */
  readonly queueTimeout?: number | undefined;
  /** Largest head of an answer in bytes. Default 65,536. */
  readonly maxHeadBytes?: number | null | undefined;
  /** Longest line of that head in bytes. Default 8,192, about as Apache. */
  readonly maxLineBytes?: number | null | undefined;
  /** What is logged of one program's standard error, in bytes; the rest is read and dropped. Default 65,536. */
  readonly maxErrorBytes?: number | null | undefined;
  /** What starts programs: 'node' is Node.js itself, 'python' and 'perl' a small process beside it that does so faster; 'auto' takes the first of them that is installed, in the order python, perl, node. Default 'auto'. */
  readonly launcher?: LauncherName | undefined;
}

/** `RunOptions`, checked and complete. `Infinity`, or the largest integer, for no limit. */
export interface RunSettings {
  readonly timeout: number;
  readonly runTimeout: number;
  readonly lingerTimeout: number;
  readonly killTimeout: number;
  readonly maxHeadBytes: number;
  readonly maxLineBytes: number;
  readonly maxErrorBytes: number;
  readonly slots: Slots;
  readonly launcher: Launcher;
  /** Hears of every line that a program writes to its standard error. */
  readonly onErrorOutput: (line: string, program: string) => void;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveRunSettings(
  options: RunOptions,
  onErrorOutput: (line: string, program: string) => void,
): RunSettings {
  return {
    timeout: resolveTime('timeout', options.timeout, 60_000),
    runTimeout: resolveTime('runTimeout', options.runTimeout, 0),
    lingerTimeout: resolveTime('lingerTimeout', options.lingerTimeout, 30_000),
    killTimeout: resolveTime('killTimeout', options.killTimeout, 3000),
    maxHeadBytes: resolveBound('maxHeadBytes', options.maxHeadBytes, 65_536, Number.MAX_SAFE_INTEGER),
    maxLineBytes: resolveBound('maxLineBytes', options.maxLineBytes, 8192, Number.MAX_SAFE_INTEGER),
    maxErrorBytes: resolveBound('maxErrorBytes', options.maxErrorBytes, 65_536),
    slots: new Slots({
      // Not zero: nothing would ever run.
      maxConcurrent: resolveConcurrency(options.maxConcurrent),
      maxQueued: resolveBound('maxQueued', options.maxQueued, 1000),
      queueTimeout: resolveTime('queueTimeout', options.queueTimeout, 10_000),
    }),
    launcher: createLauncher(options.launcher ?? 'auto'),
    onErrorOutput,
  };
}

function resolveConcurrency(option: number | null | undefined): number {
  return option === null ? Infinity : resolveNumber('maxConcurrent', option, 32, 1, Number.MAX_SAFE_INTEGER);
}
