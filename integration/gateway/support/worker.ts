// A process of apps/worker.js, to be stopped, killed and started again at the same address.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Stage } from '../../nginx/support/stage.js';
import { within } from '../../support/deadline.js';

const file = fileURLToPath(new URL('../apps/worker.js', import.meta.url));
const deadlineMs = 10_000;

export class Worker {
  readonly address: string;
  readonly #wait: number;
  #child: ChildProcess | undefined;

  /**
   * It ends with the stage.
   * @param wait milliseconds before each of its answers
   */
  constructor(stage: Stage, wait = 0) {
    this.#wait = wait;
    this.address = stage.freeAddress('unix');
    stage.add(() => this.end('SIGKILL'));
  }

  /** As it answers. */
  get pid(): string {
    return `${this.#child?.pid}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<this> {
    const child = fork(file, { env: { ...process.env, SCGI_BIND: this.address, WAIT: `${this.#wait}` }, execArgv: [] });
    this.#child = child;
    await within(once(child, 'message'), deadlineMs, 'a worker that listens');
    return this;
  }

  /** Resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await within(exited, deadlineMs, 'the end of a worker');
  }
}
