export { createHttpFront } from './front/create-http-front.js';
export type { FrontBackend, HttpFrontOptions } from './front/create-http-front.js';
export type { GatewayTarget } from './arguments.js';
export type { VariableRecord } from './extra-variables.js';
export { MountableBackend, scgi, ScgiApp, ScgiHandler } from './handler.js';
export type { ScgiMiddleware } from './node/middleware.js';
export type { FileLookup, GatewayOptions, RedirectLookup, UserFunction } from './options.js';
export type { BackendOptions, BackendTarget } from '@scgi/client/exchange';
