export type { RunningServer } from '@scgi/core';
export type { FetchHandler } from './bridge.js';
export type { FetchContext, FetchErrorHook } from './context.js';
export { serveScgi } from './serve.js';
export type { FetchApp, ServeOptions } from './serve.js';
