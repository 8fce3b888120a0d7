// The oldest kind of a query, that of <ISINDEX>: words as arguments of the program (RFC 3875 §4.4).

import { decodePath } from '@scgi/core/env';

/** As many arguments as no search has. */
const MAX_WORDS = 256;

/**
 * The words of an indexed query, decoded; none for any other query. Only GET and HEAD have one, and only without an
 * unencoded "=". Where one of them cannot be an argument, there are none: programs must not see a part of the query.
 */
export function indexedQuery(method: string, query: string): string[] {
  if (query === '' || query.includes('=') || (method !== 'GET' && method !== 'HEAD')) return [];
  const words = query.split('+').map(decodePath);
  return words.length > MAX_WORDS || words.some((word) => word.includes('\0')) ? [] : words;
}
