export { createFront } from './front.js';
export type { Front, FrontOptions } from './front.js';
export { rawRequest } from './raw-client.js';
export type { RawBytes, RawRequestOptions, RawRequestParts } from './raw-client.js';
export type { RawResponse } from './raw-response.js';
