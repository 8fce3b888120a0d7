export { getScgiEnv, localRedirect, sendfile } from '@scgi/core';
export type { RunningServer, ServeOptions } from '@scgi/core';
export { serveCgi, serveScgi } from './serve.js';
export type { ExpressApp } from './serve.js';
