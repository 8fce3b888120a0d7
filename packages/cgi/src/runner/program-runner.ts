// Runs programs in processes of their own.

import type { OrderSettings } from './order-run.js';
import { orderRun } from './order-run.js';
import { bareFolder } from './program.js';
import { ProgramRun } from './run.js';
import type { RunSettings } from './run-settings.js';
import { SlashRedirect } from './slash-redirect.js';
import type { Run, RunHandler, Runner, RunRequest } from './runner.js';

/** See `Runner`. */
export class ProgramRunner<Incoming> implements Runner<Incoming> {
  readonly #order: OrderSettings<Incoming>;
  readonly #settings: RunSettings;

  constructor(order: OrderSettings<Incoming>, settings: RunSettings) {
    this.#order = order;
    this.#settings = settings;
  }

  async prepare(request: RunRequest<Incoming>, handler: RunHandler): Promise<Run | undefined> {
    const order = orderRun(this.#order, request);
    if (order === bareFolder) return new SlashRedirect(request.mounted.target, handler);
    return order && new ProgramRun(this.#settings, order, handler);
  }

  close(): void {
    this.#settings.slots.close();
    this.#settings.launcher.close();
  }
}
