export { createHttpFront } from './http-front.js';
export type { HttpFrontOptions } from './http-front.js';
export type { BackendOptions, BackendTarget } from '@scgi/client/exchange';
