// Backends in applications of the Fetch standard: Hono, h3, routers that look like Deno's, `@scgi/adapter-fetch`.
// Owns what becomes of a request and of failures; how requests and answers translate is in fetch-facts and fetch-response.

import type { BackendTarget } from '@scgi/client/exchange';
import { LocalProtocolError, ScgiError } from '@scgi/core/protocol';
import {
  bodyLengthOf,
  fetchFacts,
  type FetchGatewayContext,
  Mount,
  responseOf,
  statusResponse,
} from '@scgi/core/relay';
import { readArguments } from './arguments.js';
import { forward, refuseFiles } from './forward.js';
import type { GatewayOptions, GatewaySettings } from './options.js';
import { resolveGatewaySettings } from './options.js';

/** Options of `scgiFetchHandler`: those of every gateway, but files and tunnels, which no Response can be. */
export type ScgiFetchOptions = Omit<
  GatewayOptions<Request>,
  'sendfile' | 'accelRedirect' | 'tunnelTimeout' | 'lingerTimeout'
>;

/** Answers requests with what the backend answers. */
export interface ScgiFetchHandler {
  /**
   * Resolves with a 404 for a request that is not below the prefix; ask `handles` first to do something else. Rejects
   * only with the reason of the request's signal.
   */
  (request: Request, context?: FetchGatewayContext): Promise<Response>;
  /** Whether the request is below the prefix. */
  handles(request: Request): boolean;
  /** No more requests to the backend: 503. Those under way go on. */
  close(): void;
}

/**
 * Makes a handler `(request, context?) => Promise<Response>` that passes requests on to an SCGI backend.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function scgiFetchHandler(
  target: BackendTarget | readonly BackendTarget[],
  options?: ScgiFetchOptions,
): ScgiFetchHandler;
export function scgiFetchHandler(
  prefix: string,
  target: BackendTarget | readonly BackendTarget[],
  options?: ScgiFetchOptions,
): ScgiFetchHandler;
export function scgiFetchHandler(
  first: BackendTarget | readonly BackendTarget[],
  second?: BackendTarget | readonly BackendTarget[] | ScgiFetchOptions,
  third?: ScgiFetchOptions,
): ScgiFetchHandler {
  const { prefix, target, options } = readArguments(first, second, third);
  return createFetchHandler(prefix, resolveGatewaySettings<Request>(target, options));
}

/**
 * The same with settings that others may share.
 * @param prefix without a slash at its end
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for what a Fetch handler cannot do
 */
export function createFetchHandler(prefix: string, settings: GatewaySettings<Request>): ScgiFetchHandler {
  refuseFiles(settings, 'a Fetch handler');
  const mount = new Mount(prefix);
  const locate = (url: URL): number | undefined => mount.locate({ url: url.pathname })?.scriptNameLength;
  const handle = async (request: Request, context?: FetchGatewayContext): Promise<Response> => {
    const url = new URL(request.url);
    const scriptNameLength = locate(url);
    if (scriptNameLength === undefined) return statusResponse(404);
    return answer(settings, request, fetchFacts(request, url, scriptNameLength, context));
  };
  return Object.assign(handle, {
    handles: (request: Request) => locate(new URL(request.url)) !== undefined,
    close: () => settings.client.close(),
  });
}

async function answer(
  settings: GatewaySettings<Request>,
  request: Request,
  facts: ReturnType<typeof fetchFacts>,
): Promise<Response> {
  const { signal } = request;
  const fail = (error: unknown): void => {
    // A client that has left is nobody's failure.
    if (error instanceof ScgiError && !signal.aborted) settings.onError(error, request);
  };
  try {
    if (request.bodyUsed) throw new LocalProtocolError('ERR_SCGI_BODY_USED', { body: 'of the request' });
    const body = request.body ?? undefined;
    const response = await forward(settings, {
      facts,
      incoming: request,
      body,
      bodyLength: bodyLengthOf(request),
      signal,
    });
    response.body.once('error', fail);
    return responseOf(response, facts.method);
  } catch (error) {
    if (signal.aborted || !(error instanceof ScgiError)) throw error;
    fail(error);
    return statusResponse(error.statusHint);
  }
}
