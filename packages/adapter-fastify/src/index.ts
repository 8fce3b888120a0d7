export { getScgiEnv } from '@scgi/core';
export type { RunningServer, ScgiInfo, ScgiServerOptions, ServeOptions } from '@scgi/core';
export { serveScgi } from './serve.js';
export type { FastifyApp } from './serve.js';
export { scgiServerFactory } from './server-factory.js';
export type { ScgiServerFactory } from './server-factory.js';
