import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'adapter-gemini', include: ['test/**/*.test.ts'], isolate: false } });
