// The public face of `@scgi/client`: re-exports only.

export type { ScgiBody } from './body/body-init.js';
export { ScgiClient } from './client.js';
export type { BackendOptions, BackendTarget, SpoolOptions } from './exchange/index.js';
export { createScgiFetch, type ScgiFetchOptions } from './fetch.js';
export type {
  LocalRedirectOption,
  RawRequestOptions,
  ScgiCallOptions,
  ScgiClientOptions,
  ScgiHeaders,
  ScgiQuery,
  ScgiRequestOptions,
  ScgiSendOptions,
  ScgiTarget,
  ScgiVariableOptions,
} from './options.js';
export type { RawResponse, ScgiResponse } from './response.js';
export { scgi } from './scgi.js';
