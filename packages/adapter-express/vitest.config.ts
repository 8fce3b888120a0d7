import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'adapter-express', include: ['test/**/*.test.ts'], isolate: false } });
