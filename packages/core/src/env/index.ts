export { readAuthority, readScheme } from './authority.js';
export { splitBasePath } from './base-path.js';
export { resolveBodyLength } from './body-length.js';
export { readRequest, type ScgiRequest } from './request.js';
export { type CgiEnv, createEnv } from './variables.js';
