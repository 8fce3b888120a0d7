export type { RunningServer } from '@scgi/core';
export { serveScgi } from './serve.js';
export type * from './types.js';
