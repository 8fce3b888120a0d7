export type { RunningServer } from '@scgi/core';
export { serveCgi, serveScgi } from './serve.js';
export type * from './types.js';
