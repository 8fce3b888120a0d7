// The oldest kind of a query, that of <ISINDEX>: words as arguments of the program (RFC 3875 §4.4).

import { decodePath } from '@scgi/core/env';

/** As many arguments as no search has. */
const MAX_WORDS = 256;

/** What means something to the Bourne shell, as Apache has it (server/gen_test_char.c, T_ESCAPE_SHELL_CMD). */
const active = /[&;`'"|*?~<>^()[\]{}$\\\n]/g;

/**
 * The words of an indexed query, decoded and then, as RFC 3875 §7.2 wants it, with a backslash before all that means
 * something to a shell: old programs put their arguments into command lines. None for any other query. Only GET and HEAD have one, and only without an
 * unencoded "=". Where one of them cannot be an argument, there are none: programs must not see a part of the query.
 */
export function indexedQuery(method: string, query: string): string[] {
  if (query === '' || query.includes('=') || (method !== 'GET' && method !== 'HEAD')) return [];
  const words = query.split('+').map(decodePath);
  return words.length > MAX_WORDS || words.some((word) => word.includes('\0')) ? [] : words.map(escapeActive);
}

function escapeActive(word: string): string {
  return word.replace(active, '\\$&');
}
