// A fetch whose server is an SCGI backend, whatever host an URL names. As undici's where the standard leaves a choice:
// a TypeError with the ScgiError as its cause, `terminated` for a body that breaks off.

import { RemoteProtocolError, ScgiError } from '@scgi/core/protocol';
import { ScgiClient } from './client.js';
import {
  clientRequest,
  failed,
  type FetchRequest,
  isBelow,
  readFetchRequest,
  redirectedRequest,
} from './fetch-request.js';
import { fetchResponse } from './fetch-response.js';
import type { ScgiClientOptions, ScgiTarget, ScgiVariableOptions } from './options.js';
import type { ScgiResponse } from './response.js';

/** How a fetch of its own works. `onLocalRedirect` says nothing here: `redirect` of a request does. */
export interface ScgiFetchOptions extends ScgiClientOptions {
  /** What a relative URL is relative to. Default 'http://localhost'. */
  readonly origin?: string | undefined;
}

const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** As in the fetch standard, HTTP-redirect fetch step 7. */
const MAX_REDIRECTS = 20;

/**
 * Makes a `fetch` that asks one SCGI service. Path and query of the URL make the request, its host the Host field.
 * Redirects are followed within the origin of the URL; one that leads elsewhere is returned as it is.
 * @param options of a new client; of one that is given, only what it says about variables and `origin`
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function createScgiFetch(target: ScgiTarget | ScgiClient, options: ScgiFetchOptions = {}): typeof fetch {
  const client = target instanceof ScgiClient ? target : new ScgiClient(target, options);
  const origin = options.origin ?? 'http://localhost';
  const variables = { ...options, scriptName: options.scriptName ?? client.scriptName };
  return async (input, init) => {
    let request = readFetchRequest(input, init, origin);
    for (let redirects = 0; ; redirects += 1) {
      const response = await ask(client, request, variables);
      const next = redirectUrl(response, request);
      if (next === undefined || request.redirect === 'manual') return fetchResponse(response, request, redirects > 0);
      if (request.redirect === 'error') {
        response.body.destroy();
        throw failed(new Error('unexpected redirect'));
      }
      // Another host would be another server, and this one must not choose it for us.
      if (next.origin !== request.url.origin || !isBelow(next, variables.scriptName)) {
        return fetchResponse(response, request, redirects > 0);
      }
      response.body.destroy();
      if (redirects === MAX_REDIRECTS) {
        throw failed(new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { maxRedirects: MAX_REDIRECTS }));
      }
      request = redirectedRequest(request, response.status, next);
    }
  };
}

/** @throws {TypeError} with the ScgiError as its cause; or the signal's reason */
async function ask(client: ScgiClient, request: FetchRequest, options: ScgiVariableOptions): Promise<ScgiResponse> {
  try {
    return await client.request(clientRequest(request, options));
  } catch (error) {
    throw error instanceof ScgiError ? failed(error) : error;
  }
}

/** @throws {TypeError} for a Location that is no URL */
function redirectUrl(response: ScgiResponse, request: FetchRequest): URL | undefined {
  const { location } = response;
  if (location === undefined || !redirecting.has(response.status)) return undefined;
  try {
    return new URL(location, request.url);
  } catch (error) {
    response.body.destroy();
    throw failed(error);
  }
}
