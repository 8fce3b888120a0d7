export { getScgiEnv } from '@scgi/core';
export type { RunningServer, ScgiInfo, ScgiServerOptions, ServeOptions } from '@scgi/core';
export { type AnsweredReply, localRedirect, sendfile } from './answers.js';
export { type FastifyApp, serveScgi } from './serve.js';
export { scgiServerFactory, type ScgiServerFactory } from './server-factory.js';
