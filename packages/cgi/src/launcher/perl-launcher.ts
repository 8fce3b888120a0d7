// Starts programs through a small process that forks fast. Owns which one is in use, and what happens when it dies:
// another takes its place; where they die one after the other, another launcher does the work for a while.

import type { Command, Launcher, LaunchHandler } from './launcher.js';
import { NodeLauncher } from './node-launcher.js';
import type { Launch } from './perl-helper.js';
import { PerlHelper } from './perl-helper.js';
import { closedError, refusalOf } from './system-error.js';

/** So many may die within this time; then there is none until the first of these deaths is so long ago. */
const MAX_DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;

/** See `Launcher`. */
export class PerlLauncher implements Launcher {
  readonly #perl: string;
  readonly #fallback: Launcher;
  #helper: PerlHelper | undefined;
  #deaths: number[];
  #closed: boolean;

  /**
   * @param perl absolute path
   * @param fallback for when no helper can be had
   */
  constructor(perl: string, fallback: Launcher = new NodeLauncher()) {
    this.#perl = perl;
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

  #createHelper(): PerlHelper | undefined {
    const now = performance.now();
    this.#deaths = this.#deaths.filter((at) => now - at < DEATHS_WITHIN_MS);
    if (this.#deaths.length >= MAX_DEATHS) return undefined;
    try {
      return new PerlHelper(this.#perl, (unsent) => this.#onHelperEnd(unsent));
    } catch {
      // No memory, no descriptor: as if it had died at once.
      this.#deaths.push(now);
      return undefined;
    }
  }

  #onHelperEnd(unsent: readonly Launch[]): void {
    this.#helper = undefined;
    this.#deaths.push(performance.now());
    for (const launch of unsent) this.#launch(launch);
  }
}
