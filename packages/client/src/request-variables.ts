// The variables of a request: what RFC 3875 asks for and little else, because some servers take 2,000 bytes of them
// (rTorrent) or 64 variables (uWSGI).

import { variablesFromHttp } from '@scgi/core/env';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ScgiVariableOptions } from './options.js';
import type { RequestTarget } from './request-target.js';

type Env = NonNullable<ScgiVariableOptions['env']>;

const unspeakable = /[\0\r\n]/;

/**
 * Flat: name, value, name, value … without CONTENT_LENGTH and SCGI.
 * @param fields flat
 * @throws {LocalProtocolError} ERR_SCGI_VARIABLE
 */
export function requestVariables(
  method: string,
  { target, scriptNameLength }: RequestTarget,
  fields: readonly string[],
  options: ScgiVariableOptions,
  defaults: ScgiVariableOptions,
): readonly string[] {
  const variables = variablesFromHttp({
    method,
    target,
    scriptNameLength,
    fields,
    encrypted: (options.scheme ?? defaults.scheme) === 'https',
    remoteAddress: options.remoteAddress ?? defaults.remoteAddress ?? '127.0.0.1',
    serverName: options.serverName ?? defaults.serverName,
    localPort: options.serverPort ?? defaults.serverPort,
    upgrade: true,
    underscoreFields: true,
  });
  if (defaults.env === undefined && options.env === undefined) return variables;
  return override(variables, { ...defaults.env, ...options.env });
}

function override(variables: readonly string[], env: Env): string[] {
  const left = new Map(Object.entries(env));
  const result: string[] = [];
  const add = (name: string, value: string): void => {
    if (unspeakable.test(name) || unspeakable.test(value)) {
      throw new LocalProtocolError('ERR_SCGI_VARIABLE', {
        name: name.slice(0, 40),
        fault: 'holds a NUL or a line break',
      });
    }
    result.push(name, value);
  };
  for (let index = 0; index < variables.length; index += 2) {
    const [name = '', value = ''] = variables.slice(index, index + 2);
    if (!left.has(name)) {
      result.push(name, value);
      continue;
    }
    const own = left.get(name);
    left.delete(name);
    if (own !== undefined) add(name, own);
  }
  for (const [name, value] of left) if (value !== undefined) add(name, value);
  return result;
}
