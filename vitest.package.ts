// How the tests of every package run; its own `vitest.config.ts` names the package.

import { defineConfig, type ViteUserConfig } from 'vitest/config';

export function packageTests(name: string): ViteUserConfig {
  return defineConfig({
    test: {
      name,
      include: ['test/**/*.test.ts'],
      isolate: false,
      // No verdict on how fast the machine is: what a test waits for has a deadline of its own.
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  });
}
