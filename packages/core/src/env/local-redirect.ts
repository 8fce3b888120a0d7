// Local redirects (RFC 3875 §6.2.2): to the front end where it follows them, else to the client, who comes to the same
// page by one more round trip. Pure: says what the response is to be.

import { LocalProtocolError } from '../protocol/errors.js';
import { type AnsweredRequest, type AnswerHead, bodyFields, validatorFields } from './answered-request.js';
import { decodePath } from './base-path.js';
import { isAccelRedirect, localRedirectField } from './front-end-options.js';
import { checkLocalPath } from './local-path.js';
import type { CgiEnv } from './variables.js';

/** For one redirect. */
export interface LocalRedirectOptions {
  /** False: to the client, whatever the front end can do. Default: as the option `frontEnd` of the server says. */
  readonly frontEnd?: false | undefined;
}

/** Half of what Apache and nginx follow before they answer 500 (LimitInternalRecursion, NGX_HTTP_MAX_URI_CHANGES), so that the log says why. */
const MAX_FOLLOWED = 5;

const noBody = { 'Content-Length': '0' };
const dropped = [...bodyFields, ...validatorFields];

/**
 * The response, without a body, that leads to `path`.
 * @param path absolute, as a client would ask for it: with the prefix of `basePath`
 * @throws {LocalProtocolError} ERR_SCGI_REDIRECT_PATH; ERR_SCGI_LOCAL_REDIRECT_LOOP where the front end has followed five for this request
 */
export function planLocalRedirect(
  request: AnsweredRequest,
  path: string,
  options: LocalRedirectOptions = {},
): AnswerHead {
  const target = checkLocalPath(path);
  const { env } = request;
  const field = env === undefined || options.frontEnd === false ? undefined : localRedirectField(request.frontEnd, env);
  if (env === undefined || field === undefined) return toClient(request, target);
  if (isAccelRedirect(field)) {
    // nginx takes nothing but this field, and anybody else has a redirect as good as any.
    return wouldReturn(request, env, target) ? toClient(request, target) : toClient(request, target, field);
  }
  if (followedSoFar(env) >= MAX_FOLLOWED) {
    throw new LocalProtocolError('ERR_SCGI_LOCAL_REDIRECT_LOOP', {
      target: target.slice(0, 80),
      followed: MAX_FOLLOWED,
    });
  }
  // mod_proxy_scgi follows a 200 only.
  return { status: 200, fields: { [field]: target, ...noBody }, dropped: [...dropped, 'location'] };
}

function toClient(request: AnsweredRequest, target: string, field?: string): AnswerHead {
  // RFC 9110 §15.4.4: the next request is a GET, which a 302 does not say of a PUT.
  const status = isSafe(request) ? 302 : 303;
  const order = field === undefined ? {} : { [field]: target };
  return { status, fields: { Location: target, ...order, ...noBody }, dropped };
}

function isSafe({ method }: AnsweredRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Whether nginx, having followed the redirect, would ask with a request like this one, or has done so already. Its stock
 * parameters keep the client's REQUEST_URI when it goes to another location; only DOCUMENT_URI and QUERY_STRING change.
 */
function wouldReturn(request: AnsweredRequest, env: CgiEnv, target: string): boolean {
  const uri = env['REQUEST_URI'];
  // Configured away for locations that redirects lead to: then the target is what is asked for.
  if (uri === undefined || uri === '') return false;
  if (uri === target && isSafe(request)) return true;
  const query = uri.indexOf('?');
  const path = query === -1 ? uri : uri.slice(0, query);
  if (env['QUERY_STRING'] !== undefined && env['QUERY_STRING'] !== (query === -1 ? '' : uri.slice(query + 1)))
    return true;
  return env['DOCUMENT_URI'] !== undefined && env['DOCUMENT_URI'] !== decodePath(path);
}

/** Apache puts REDIRECT_ before all that the redirected request had, each time. */
function followedSoFar(env: CgiEnv): number {
  let name = 'REDIRECT_URL';
  let count = 0;
  while (env[name] !== undefined) {
    count += 1;
    name = `REDIRECT_${name}`;
  }
  return count;
}
