// The arguments that `scgi`, `scgiKoa` and `scgiFetchHandler` share: a prefix that may be left out, a target, options.
// A prefix begins with '/', a target never does: what is meant is always clear, and what is not meant gets said so.

import type { BackendTarget } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core/protocol';

/** One backend, at one address or several. */
export type GatewayTarget = BackendTarget | readonly BackendTarget[];

/** Arguments, told apart. */
export interface GatewayArguments<Options> {
  /** Without a slash at its end: empty for none, or for '/'. */
  readonly prefix: string;
  readonly target: GatewayTarget;
  readonly options: Options | undefined;
}

const usage = "a target, or a prefix and a target: '/api', 4000";

/**
 * Reads `(target, options?)` or `(prefix, target, options?)`.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function readArguments<Options extends object>(
  first: unknown,
  second: GatewayTarget | Options | undefined,
  third: Options | undefined,
): GatewayArguments<Options> {
  if (typeof first === 'string' && first.startsWith('/')) {
    if (isTarget(second)) return { prefix: checkPrefix(first), target: second, options: third };
    const problem = 'a prefix without a target; the path of a Unix socket needs unix: before it';
    throw refuse(first, problem, `unix:${first}`);
  }
  if (isTarget(first) && (second === undefined || !isTarget(second))) {
    return { prefix: '', target: first, options: second };
  }
  if (isTarget(second)) throw refuse(String(first), "a prefix begins with '/'", `/${String(first)}`);
  throw refuse(String(first), 'no target is given', usage);
}

/**
 * A mount point, as `readArguments` gives it.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function checkPrefix(prefix: string): string {
  if (!prefix.startsWith('/')) throw refuse(prefix, "a prefix begins with '/'", `/${prefix}`);
  if (/[?#\0]/.test(prefix)) throw refuse(prefix, 'a prefix is a path, without a query', '/api');
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === '/') length -= 1;
  return prefix.slice(0, length);
}

/** Options have none of these names. What is wrong with a target is the backend's to say. */
function isTarget(value: unknown): value is GatewayTarget {
  if (typeof value === 'string' || typeof value === 'number' || Array.isArray(value)) return true;
  return typeof value === 'object' && value !== null && ('host' in value || 'port' in value || 'socketPath' in value);
}

function refuse(value: string, problem: string, accepted: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { value, problem, accepted });
}
