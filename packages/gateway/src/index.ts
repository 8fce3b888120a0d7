export { createHttpFront } from './http-front.js';
export type { HttpFrontOptions } from './http-front.js';
export type { BackendTarget } from './exchange/target.js';
