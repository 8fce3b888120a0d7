// Ends a program and all that it has forked: politely, then not.

import type { RunningProgram } from '../launcher/launcher.js';

/** The end of one process group. */
export class GroupEnd {
  readonly #program: RunningProgram;
  #timer: NodeJS.Timeout | undefined;
  #begun: boolean;
  #gone: boolean;

  constructor(program: RunningProgram) {
    this.#program = program;
    this.#timer = undefined;
    this.#begun = false;
    this.#gone = false;
  }

  /** @param killTimeout milliseconds until SIGKILL; 0: at once */
  begin(killTimeout: number): void {
    if (this.#begun || this.#gone) return;
    this.#begun = true;
    this.#program.kill(killTimeout === 0 ? 'SIGKILL' : 'SIGTERM');
    // Not unref'ed: who ends a process that has ended its response must not leave programs behind.
    if (killTimeout > 0) this.#timer = setTimeout(() => this.#program.kill('SIGKILL'), killTimeout);
  }

  /**
   * The leader has ended. While others of its group live, nobody else can get its number; when none does, there is
   * nothing left to end, now or later, and a signal might reach a stranger.
   */
  onLeaderExit(): void {
    if (this.#program.hasGroup()) return;
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
