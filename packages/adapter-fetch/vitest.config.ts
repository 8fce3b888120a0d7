import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'adapter-fetch', include: ['test/**/*.test.ts'], isolate: false } });
