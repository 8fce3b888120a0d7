// What a test sets up, applications behind a real Apache, and takes down again when it is over, whatever happened.

import { test as base, type TestAPI } from 'vitest';
import { Stage } from '../../nginx/support/stage.js';
import { startApache, type Apache, type ApacheOptions } from '../../support/apache.js';

export { transports, type StagedApp, type StageOptions, type Transport } from '../../nginx/support/stage.js';

export class ApacheStage extends Stage {
  /** Start the applications first: what Apache finds of Unix sockets is opened to its workers. */
  async apache(options: ApacheOptions): Promise<Apache> {
    const apache = await startApache(options);
    this.add(apache.stop);
    return apache;
  }
}

/** vitest's `test` with a stage of its own for each test. */
export const test: TestAPI<{ stage: ApacheStage }> = base.extend<{ stage: ApacheStage }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures this one needs
  stage: async ({}, use) => {
    const stage = new ApacheStage();
    try {
      await use(stage);
    } finally {
      await stage.clear();
    }
  },
});
