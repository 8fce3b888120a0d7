import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'cgi', include: ['test/**/*.test.ts'], isolate: false } });
