import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import integration from './integration/vitest.config.js';

/** Here something has a second to happen: these tests do not share the machine with all others. */
const calm = ['nginx', 'apache', 'lighttpd', 'server'].map((folder) => `${folder}/**/*.test.ts`);
/** These import @hono/node-server, which replaces the global Request and Response. */
const changingGlobals = ['compatibility/compatibility.test.ts', 'gateway/frameworks.test.ts'];

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      {
        root: './integration',
        test: { ...integration.test, exclude: [...configDefaults.exclude, ...calm, ...changingGlobals] },
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
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 1 },
        },
      },
    ],
    // Half of the time a test waits for other programs.
    maxWorkers: 2 * availableParallelism(),
  },
});
