// A request without a connection.

import { GeminiRequest, parseGeminiUrl } from '../../src/index.js';
import { Departure } from '../../src/request.js';
import type { RequestFacts } from '../../src/request.js';

const unknown = {
  remoteAddress: undefined,
  remotePort: undefined,
  certificate: undefined,
  tls: undefined,
  env: undefined,
};

/** A request for a path with a query, and what else is known of it. */
export function makeRequest(
  path: string,
  { host = 'localhost', ...facts }: Partial<RequestFacts> & { readonly host?: string } = {},
): GeminiRequest {
  const url = parseGeminiUrl(`gemini://${host}${path}`);
  if ('fault' in url) throw new Error(url.fault);
  return new GeminiRequest({ ...unknown, ...facts, url, departure: new Departure() });
}
