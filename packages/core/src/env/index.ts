// The public face of the mapping between meta-variables and HTTP: re-exports only.

export { bodyFields, messageAnswered, validatorFields } from './answered-request.js';
export type { AnsweredMessage, AnsweredRequest, AnswerHead } from './answered-request.js';
export { readAuthority, readScheme } from './authority.js';
export { decodeBasePath, decodePath, matchPath, splitBasePath } from './base-path.js';
export { resolveBodyLength } from './body-length.js';
export { type HttpRequestFacts, variablesFromHttp } from './from-http.js';
export {
  accelRedirectField,
  type FrontEnd,
  type FrontEndOptions,
  isApache,
  isLighttpd,
  isNginx,
  plainFrontEnd,
  resolveFrontEnd,
} from './front-end-options.js';
export { type LocalRedirectOptions, planLocalRedirect } from './local-redirect.js';
export { plainAddress } from './peer.js';
export { ProcessVariables } from './process-variables.js';
export { readRequest, type ScgiRequest } from './request.js';
export { splitAbsoluteForm } from './request-target.js';
export type { HttpHeaders } from './http-fields.js';
export { leastHeadLimit, longHeadAdvice } from './response-limits.js';
export { type CgiEnv, createEnv } from './variables.js';
export { findWrapped } from './wrapped-request.js';
