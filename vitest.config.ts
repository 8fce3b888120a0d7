import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['packages/*', 'integration'],
    // Half of the time a test waits for other programs, so that even two cores have time for two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
