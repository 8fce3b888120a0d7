import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'adapter-ssgi', include: ['test/**/*.test.ts'], isolate: false } });
