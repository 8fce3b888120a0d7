// The public face of the mapping between meta-variables and HTTP: re-exports only.

export { readAuthority, readScheme } from './authority.js';
export { decodeBasePath, decodePath, matchPath, splitBasePath } from './base-path.js';
export { resolveBodyLength } from './body-length.js';
export { type HttpRequestFacts, variablesFromHttp } from './from-http.js';
export { plainAddress } from './peer.js';
export { readRequest, type ScgiRequest } from './request.js';
export { splitAbsoluteForm } from './request-target.js';
export type { HttpHeaders } from './http-fields.js';
export { leastHeadLimit, longHeadAdvice } from './response-limits.js';
export { type CgiEnv, createEnv } from './variables.js';
