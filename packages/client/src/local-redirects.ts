// Local redirects: a backend answers with a path, and wants the answer of that path given in the place of its own
// (RFC 3875 §6.2.2). Knows no sockets: asking is the client's.

import { RemoteProtocolError } from '@scgi/core/protocol';
import type { LocalRedirectOption, ScgiRequestOptions } from './options.js';
import { readFields } from './request-fields.js';
import type { ScgiResponse } from './response.js';

/** What to do about local redirects. */
export interface RedirectRules {
  readonly onLocalRedirect: LocalRedirectOption;
  readonly maxLocalRedirects: number;
  /** The mount point of the backend: it knows its own paths with it. */
  readonly scriptName: string;
}

/**
 * Follows local redirects until an answer is none, or is to be returned.
 * @throws {ScgiError} ERR_SCGI_REDIRECT_LOOP; what `ask` and the caller's function throw
 */
export async function followLocalRedirects(
  first: ScgiResponse,
  options: ScgiRequestOptions,
  rules: RedirectRules,
  ask: (options: ScgiRequestOptions) => Promise<ScgiResponse>,
): Promise<ScgiResponse> {
  let response = first;
  for (let count = 0; response.kind === 'local-redirect'; count += 1) {
    const path = await nextPath(response, rules);
    if (path === undefined) return response;
    response.body.destroy();
    if (count === rules.maxLocalRedirects) {
      const { maxLocalRedirects } = rules;
      throw new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { maxLocalRedirects, location: path.slice(0, 80) });
    }
    response = await ask(redirected(options, path));
  }
  return response;
}

async function nextPath(response: ScgiResponse, rules: RedirectRules): Promise<string | undefined> {
  const { onLocalRedirect, scriptName } = rules;
  // A fragment is the user agent's business, RFC 3875 §6.3.2.
  const location = response.location?.split('#', 1)[0] ?? '';
  if (onLocalRedirect === 'return') return undefined;
  if (onLocalRedirect === 'follow') {
    // A path outside the mount point is another application's, and not ours to ask.
    if (scriptName === '') return location;
    return location.startsWith(`${scriptName}/`) ? location.slice(scriptName.length) : undefined;
  }
  try {
    return (await onLocalRedirect(location, response)) ?? undefined;
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

/** "As if the client had requested" it: with GET, and without what described the body. HEAD stays what it is. */
function redirected(options: ScgiRequestOptions, path: string): ScgiRequestOptions {
  const { flat } = readFields(options.headers);
  const headers: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) {
    const [name = '', value = ''] = flat.slice(index, index + 2);
    if (!/^content-/i.test(name)) headers.push([name, value]);
  }
  const method = options.method === 'HEAD' ? 'HEAD' : 'GET';
  return { ...options, method, path, query: undefined, headers, body: undefined, contentLength: undefined };
}
