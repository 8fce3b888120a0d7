export { getScgiEnv, type RunningServer, type ScgiInfo, type ScgiServerOptions, type ServeOptions } from '@scgi/core';
export { type AnsweredReply, localRedirect, sendfile } from './answers.js';
export { type FastifyApp, serveCgi, serveScgi } from './serve.js';
export { scgiServerFactory, type ScgiServerFactory } from './server-factory.js';
