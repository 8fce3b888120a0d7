// A request in one call.

import { ScgiClient } from './client.js';
import type { ScgiRequestOptions, ScgiTarget } from './options.js';
import type { RawResponse, ScgiResponse } from './response.js';

/** Sends one request. Give it a client when there are many: limits and health of addresses are the client's. */
export function scgi(
  target: ScgiTarget | ScgiClient,
  options: ScgiRequestOptions & { readonly raw: true },
): Promise<RawResponse>;
export function scgi(target: ScgiTarget | ScgiClient, options?: ScgiRequestOptions): Promise<ScgiResponse>;
export function scgi(
  target: ScgiTarget | ScgiClient,
  options: ScgiRequestOptions = {},
): Promise<ScgiResponse | RawResponse> {
  const client = target instanceof ScgiClient ? target : new ScgiClient(target);
  return client.request(options);
}
