// What a test sets up, applications behind a real nginx, and takes down again when it is over, whatever happened.

import { serveScgi, type RunningServer, type ScgiListener, type ServeOptions } from '@scgi/core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, type TestAPI } from 'vitest';
import { startNginx, type Nginx, type NginxOptions } from '../../support/nginx.js';
import { startAppProcess, type AppProcess } from './app-process.js';

/** How nginx reaches the application. */
export type Transport = 'tcp' | 'unix';
export const transports: readonly Transport[] = ['tcp', 'unix'];

export interface StageOptions extends Omit<ServeOptions, 'bind'> {
  /** Default `unix`. */
  readonly over?: Transport;
  /** Instead of `over`: an address in full. */
  readonly bind?: string;
}

/** A running application and where nginx finds it. */
export interface StagedApp extends RunningServer {
  /** As `scgi_pass` wants it. */
  readonly address: string;
  /** What handlers threw or rejected with. */
  readonly errors: readonly unknown[];
}

/** Everything started here ends with `clear`, the latest first. */
export class Stage {
  readonly #cleanups: (() => unknown)[] = [];

  /** Serves a listener from this process. */
  async serve(listener: ScgiListener, options: StageOptions = {}): Promise<StagedApp> {
    const { over = 'unix', bind = this.freeAddress(over), ...rest } = options;
    const errors: unknown[] = [];
    const running = await serveScgi(listener, { onError: (error) => void errors.push(error), ...rest, bind });
    return this.adopt(running, errors);
  }

  /** Takes over a server that somebody else has started. */
  adopt(running: RunningServer, errors: readonly unknown[] = []): StagedApp {
    this.add(() => running.close({ timeout: 0 }));
    return { ...running, address: running.endpoints[0]?.address ?? '', errors };
  }

  /** Runs a file of apps/ as a process of its own. */
  async fork(file: string, options: { readonly over?: Transport; readonly bind?: string } = {}): Promise<AppProcess> {
    const { over = 'unix', bind = this.freeAddress(over) } = options;
    const app = await startAppProcess(file, bind);
    this.add(() => app.kill());
    return app;
  }

  async nginx(options: NginxOptions): Promise<Nginx> {
    const nginx = await startNginx(options);
    this.add(nginx.stop);
    return nginx;
  }

  /** An address nobody listens on. */
  freeAddress(over: Transport): string {
    return over === 'tcp' ? '127.0.0.1:0' : `unix:${join(this.folder(), 'app.sock')}`;
  }

  /** A new empty folder. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-stage-'));
    this.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  add(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async clear(): Promise<void> {
    const failures: unknown[] = [];
    for (const cleanup of this.#cleanups.splice(0).toReversed()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error); // The others must be stopped all the same.
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'what the test had started would not stop');
  }
}

/** vitest's `test` with a stage of its own for each test. */
export const test: TestAPI<{ stage: Stage }> = base.extend<{ stage: Stage }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures this one needs
  stage: async ({}, use) => {
    const stage = new Stage();
    try {
      await use(stage);
    } finally {
      await stage.clear();
    }
  },
});
