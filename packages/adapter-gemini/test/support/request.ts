// A request without a connection.

import { GeminiRequest } from '../../src/index.js';
import type { GivenFacts } from '../../src/index.js';

/** A request for a path with a query, and what else is known of it. */
export function makeRequest(
  path: string,
  { host = 'localhost', ...facts }: GivenFacts & { readonly host?: string } = {},
): GeminiRequest {
  return GeminiRequest.for(`gemini://${host}${path}`, facts);
}
