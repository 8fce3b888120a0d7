// A request in one call.

import { ScgiClient } from './client.js';
import type { RawRequestOptions, ScgiRequestOptions, ScgiTarget } from './options.js';
import type { RawResponse, ScgiResponse } from './response.js';

/**
 * Sends one request. Give it a client when there are many: how many run at once and which addresses are well is what a
 * client knows.
 * @throws {ScgiError} as a rejection; or the signal's reason
 */
export function scgi(target: ScgiTarget | ScgiClient, options: RawRequestOptions): Promise<RawResponse>;
export function scgi(target: ScgiTarget | ScgiClient, options?: ScgiRequestOptions): Promise<ScgiResponse>;
export async function scgi(
  target: ScgiTarget | ScgiClient,
  options: ScgiRequestOptions | RawRequestOptions = {},
): Promise<ScgiResponse | RawResponse> {
  const client = target instanceof ScgiClient ? target : new ScgiClient(target);
  return client.request(options);
}
