// toEnviron(): the environment that a CGI program would have been given for a request.

import { getScgiEnv } from '@scgi/core';
import type { HttpRequestFacts } from '@scgi/core/env';
import { LocalProtocolError, parseContentLength, RemoteProtocolError } from '@scgi/core/protocol';
import type { FetchGatewayContext, MountedTarget } from '@scgi/core/relay';
import { fetchFacts, Mount, requestFacts } from '@scgi/core/relay';
import { routedRequest } from '../node/middleware.js';
import type { PassageOptions } from '../options.js';
import { resolveMount, resolveServerName } from '../options.js';
import { type Environ, environOf } from './environ.js';
import { findRequest, type FoundRequest } from './find-request.js';
import { FunctionProgram, type FunctionProgramOptions } from './function-program.js';

/** Options of `toEnviron`. */
export interface ToEnvironOptions
  extends FunctionProgramOptions<unknown>, Pick<PassageOptions<unknown>, 'mount' | 'serverName'> {
  /**
   * For a Request of the Fetch standard: what the front end vouches for, as the second argument of a handler behind
   * `@scgi/adapter-fetch`, or `c.env` of Hono there. Default none: then nobody knows the client's address.
   */
  readonly context?: FetchGatewayContext | undefined;
}

interface Located {
  readonly mounted: MountedTarget;
  readonly facts: HttpRequestFacts;
  readonly scgiEnv: Readonly<Record<string, string | undefined>> | undefined;
  readonly contentLength: number | undefined;
}

/**
 * The environment that a CGI program would have been given for this request, by the rules of `cgiProgram`: what the front
 * end vouches for and what the client sent are apart, nothing of this process is in it unless asked for, and HTTP_PROXY
 * never is. Texts are UTF-8, as in `process.env`; the octets are in `req.scgi.env`.
 * @param request Node's, or what Express, Koa or Fastify have made of it, or a Request of the Fetch standard
 * @throws {RemoteProtocolError} ERR_SCGI_REQUEST_TARGET for a path that no CGI program is asked for, and what else the
 * client has sent wrong; {LocalProtocolError} ERR_SCGI_OPTION for an impossible option, or a request not below `mount`
 */
export function toEnviron(request: object, options: ToEnvironOptions = {}): Environ {
  const program = new FunctionProgram(options);
  const found = findRequest(request);
  if (found === undefined) throw refuse('request', 'neither one of Node.js nor one of the Fetch standard');
  const located = found.kind === 'node' ? locateMessage(found, options) : locateRequest(found.request, options);
  const variables = program.variablesOf({ ...located, redirectedFrom: undefined, incoming: request });
  if (variables === undefined) {
    const value = located.mounted.target.slice(0, 80);
    throw new RemoteProtocolError('ERR_SCGI_REQUEST_TARGET', { value, fault: 'dots, NUL or %2F in the path' });
  }
  return environOf(variables);
}

function locateMessage(found: FoundRequest & { readonly kind: 'node' }, options: ToEnvironOptions): Located {
  const { message, contextUrl } = found;
  const mounted = new Mount(resolveMount(options.mount)).locate(routedRequest(message, contextUrl));
  if (mounted === undefined) throw refuse('mount', 'the request is not below it');
  const settings = { serverName: resolveServerName(options.serverName), underscoreFields: false };
  return {
    mounted,
    facts: requestFacts(message, mounted, settings, false),
    scgiEnv: getScgiEnv(message),
    contentLength: parseContentLength(message.headers['content-length'] ?? ''),
  };
}

function locateRequest(request: Request, { mount, serverName, context = {} }: ToEnvironOptions): Located {
  const url = new URL(request.url);
  const length = new Mount(resolveMount(mount)).locate({ url: url.pathname })?.scriptNameLength;
  if (length === undefined) throw refuse('mount', 'the request is not below it');
  const facts = { ...fetchFacts(request, url, length, context), serverName: resolveServerName(serverName) };
  const { basePath = '', env } = context;
  return {
    mounted: { target: facts.target, scriptNameLength: basePath.length + length },
    facts,
    // `c.env` of Hono may be anything at all.
    scgiEnv: typeof env === 'object' && env !== null ? env : undefined,
    contentLength: parseContentLength(request.headers.get('content-length') ?? ''),
  };
}

function refuse(option: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, problem });
}
