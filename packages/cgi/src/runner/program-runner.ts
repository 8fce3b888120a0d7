// Runs programs in processes of their own.

import { AbortError } from '@scgi/core/protocol';
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
  #closed: boolean;

  constructor(order: OrderSettings<Incoming>, settings: RunSettings) {
    this.#order = order;
    this.#settings = settings;
    this.#closed = false;
  }

  async prepare(request: RunRequest<Incoming>, handler: RunHandler): Promise<Run | undefined> {
    if (this.#closed) throw new AbortError('ERR_SCGI_SERVER_CLOSING');
    const order = orderRun(this.#order, request);
    if (order === bareFolder) return new SlashRedirect(request.mounted.target, handler);
    return order && new ProgramRun(this.#settings, order, handler);
  }

  close(): void {
    this.#closed = true;
    this.#settings.slots.close();
    this.#settings.launcher.close();
  }
}
