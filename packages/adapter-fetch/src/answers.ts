// localRedirect and sendfile as Responses: a handler returns them, and whatever wraps it may add fields. They say in fields
// what the front end is to do, so a copy of them is as good.

import {
  type AnsweredRequest,
  type AnswerHead,
  findWrapped,
  type LocalRedirectOptions,
  plainFrontEnd,
  planLocalRedirect,
} from '@scgi/core/env';
import { bodyOf, type FileAnswer, planFile, type SendfileOptions } from '@scgi/core/files';
import { findSource } from './scgi-env.js';

/**
 * A redirect to another path of this site: followed by the front end where the option `frontEnd` says that it does, else by
 * the client (302, or 303 after another method than GET and HEAD).
 * @param request the request that is answered, or what wraps it: Hono's `c`, h3's `event`
 * @param path absolute, as a client would ask for it; what has to be encoded is encoded
 * @throws {LocalProtocolError} ERR_SCGI_REDIRECT_PATH for one that could lead elsewhere; ERR_SCGI_LOCAL_REDIRECT_LOOP where the
 *   front end has followed five for this request
 */
export function localRedirect(request: object, path: string, options?: LocalRedirectOptions): Response {
  return responseOf(planLocalRedirect(answered(request), path, options));
}

/**
 * A file: sent by the front end where the option `frontEnd` says that it can, else from here, with conditional requests and a
 * range; 404 if there is none. It is opened when the body is read, so a Response that is not used holds nothing.
 * @param request as for `localRedirect`
 * @param path absolute, or from `root` on
 * @throws {LocalProtocolError} by rejection: ERR_SCGI_SENDFILE when the file cannot be read; ERR_SCGI_OPTION for a path from
 *   nowhere on. A body whose file changes while it is sent fails with ERR_SCGI_SENDFILE, and is broken off.
 */
export async function sendfile(request: object, path: string, options?: SendfileOptions): Promise<Response> {
  const answer = await planFile(answered(request), path, options);
  if (answer !== undefined) return responseOf(answer);
  return new Response('Not Found\n', { status: 404, headers: { 'Content-Type': 'text/plain' } });
}

function responseOf(answer: AnswerHead & Partial<FileAnswer>): Response {
  const body = bodyOf(answer);
  const { status, fields: headers } = answer;
  if (body === null || Buffer.isBuffer(body)) return new Response(body, { status, headers });
  return new Response(ReadableStream.from(body), { status, headers });
}

function answered(holder: object): AnsweredRequest {
  const source = findSource(holder);
  const { method, headers } = requestIn(holder);
  return {
    method,
    get env() {
      return source?.env;
    },
    frontEnd: source?.frontEnd ?? plainFrontEnd,
    requestField: (name) => headers.get(name) ?? undefined,
    responseField: () => undefined,
  };
}

/** @throws {TypeError} for what is no request and wraps none */
function requestIn(holder: object): Pick<Request, 'method' | 'headers'> {
  const request = findWrapped(holder, (wrapper) => (isRequest(wrapper) ? wrapper : undefined));
  if (request === undefined) throw new TypeError('this is no Request, and wraps none');
  return request;
}

function isRequest(value: object): value is Pick<Request, 'method' | 'headers'> {
  if (!('method' in value) || !('headers' in value)) return false;
  const { headers } = value;
  return typeof headers === 'object' && headers !== null && 'get' in headers && typeof headers.get === 'function';
}
