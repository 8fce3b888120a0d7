export { getScgiEnv } from '@scgi/core';
export type { RunningServer, ScgiInfo, ServeOptions } from '@scgi/core';
export { type AnsweredContext, localRedirect, sendfile } from './answers.js';
export { serveCgi, serveScgi } from './serve.js';
export type { KoaApp, KoaContext } from './serve.js';
