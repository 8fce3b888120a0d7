// The command line of a program: itself, or its interpreter, and the arguments that an indexed query gives it.

import { dirname } from 'node:path';
import type { Command } from '../launcher/launcher.js';
import { indexedQuery } from './indexed-query.js';
import type { Program } from './program.js';

/**
 * @param env flat, complete
 * @param query as the client has sent it, without the question mark
 */
export function commandOf(
  { file, interpreter }: Program,
  env: readonly string[],
  method: string,
  query: string,
  hasInput: boolean,
): Command {
  const folder = dirname(file);
  if (interpreter !== undefined) {
    const [program = '', ...args] = interpreter;
    // No query here: php-cgi took `?-s` for its option (CVE-2012-1823).
    return { file: program, args: [...args, file], env, folder, hasInput };
  }
  return { file, args: indexedQuery(method, query), env, folder, hasInput };
}
