import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import integration from './integration/vitest.config.js';

const cores = availableParallelism();

/** These import @hono/node-server, which replaces the global Request and Response. */
const changingGlobals = ['compatibility/compatibility.test.ts', 'gateway/frameworks.test.ts'];
/** Web servers restart here within some seconds: the machine is for one of these files at a time. */
const alone = ['*/endings.test.ts'];
/** Here something has a second to happen: the machine is not to be busy. */
const calm = ['nginx', 'apache', 'lighttpd', 'server'].map((folder) => `${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      {
        root: './integration',
        test: { ...integration.test, exclude: [...configDefaults.exclude, ...calm, ...alone, ...changingGlobals] },
      },
      {
        root: './integration',
        // Its name decides when it runs: before `integration`, since one of these files takes longer than any other.
        test: { ...integration.test, name: 'global-classes', include: changingGlobals, isolate: true },
      },
      {
        root: './integration',
        test: {
          ...integration.test,
          name: 'integration-calm',
          include: calm,
          exclude: [...configDefaults.exclude, ...alone],
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
        },
      },
      {
        root: './integration',
        test: {
          ...integration.test,
          name: 'integration-alone',
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    // A test waits for other programs now and then; with more at a time all take longer, and the sum is the same.
    maxWorkers: cores + 1,
  },
});
