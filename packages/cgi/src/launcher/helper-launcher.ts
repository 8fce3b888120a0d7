// Starts programs through a small process that does so faster than Node.js. Owns which one is in use, and what happens when
// it dies: another takes its place; where they die one after the other, another launcher does the work for a while.

import type { HelperCommand } from './find-helper.js';
import type { Launch } from './helper-process.js';
import { HelperProcess } from './helper-process.js';
import type { Command, Launcher, LaunchHandler } from './launcher.js';
import { closedError, refusalOf } from './system-error.js';

/** So many may die within this time; then there is none until the first of these deaths is so long ago. */
const MAX_DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;

/** See `Launcher`. */
export class HelperLauncher implements Launcher {
  readonly #command: HelperCommand;
  readonly #fallback: Launcher;
  #helper: HelperProcess | undefined;
  #deaths: number[];
  #closed: boolean;

  /** @param fallback for when no helper can be had */
  constructor(command: HelperCommand, fallback: Launcher) {
    this.#command = command;
    this.#fallback = fallback;
    this.#helper = undefined;
    this.#deaths = [];
    this.#closed = false;
  }

  launch(command: Command, handler: LaunchHandler): void {
    const refusal = this.#closed ? closedError() : refusalOf(command);
    if (refusal === undefined) this.#launch({ command, handler });
    else handler.onStartFailed(refusal);
  }

  close(): void {
    this.#closed = true;
    this.#helper?.close();
  }

  #launch(launch: Launch): void {
    this.#helper ??= this.#createHelper();
    if (this.#helper === undefined) this.#fallback.launch(launch.command, launch.handler);
    else this.#helper.launch(launch);
    // What was accepted before `close`, but comes here after it: its helper died.
    if (this.#closed) this.#helper?.close();
  }

  #createHelper(): HelperProcess | undefined {
    const now = performance.now();
    this.#deaths = this.#deaths.filter((at) => now - at < DEATHS_WITHIN_MS);
    if (this.#deaths.length >= MAX_DEATHS) return undefined;
    try {
      return new HelperProcess(this.#command, (unsent, wasReady) => this.#onHelperEnd(unsent, wasReady));
    } catch {
      this.#noteDeath(false); // No memory, no descriptor.
      return undefined;
    }
  }

  #onHelperEnd(unsent: readonly Launch[], wasReady: boolean): void {
    this.#helper = undefined;
    this.#noteDeath(wasReady);
    for (const launch of unsent) this.#launch(launch);
  }

  /** One that has never been ready is none: too old a language, no right to fork. The next one would be no better. */
  #noteDeath(wasReady: boolean): void {
    for (let count = wasReady ? 1 : MAX_DEATHS; count > 0; count--) this.#deaths.push(performance.now());
  }
}
