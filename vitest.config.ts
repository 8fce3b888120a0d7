import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import integration from './integration/vitest.config.js';

/** Here something has a second to happen: these tests do not share the machine with others. */
const alone = ['nginx', 'apache', 'lighttpd', 'server'].map((folder) => `${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      {
        root: './integration',
        test: { ...integration.test, exclude: [...configDefaults.exclude, ...alone] },
      },
      {
        root: './integration',
        test: {
          ...integration.test,
          name: 'integration-alone',
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    // Half of the time a test waits for other programs, so that even two cores have time for two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
