// The request, out of the environment of this process. Octets throughout: variables need not be UTF-8, and Node's own
// `process.env` replaces what is not.

import { readFileSync } from 'node:fs';
import { ProcessVariables } from '@scgi/core/env';
import { BackendError, parseContentLength, RemoteProtocolError } from '@scgi/core/protocol';
import { toOctets } from '../octets.js';

/** What is sent. */
export interface CgiRequest {
  readonly method: string;
  /** Flat: name, value, name, value … without CONTENT_LENGTH and SCGI. */
  readonly variables: readonly string[];
  readonly bodyLength: number;
}

/** The environment as it was given: octets, by name. Of a name that is there twice the first counts, as with getenv. */
export function readEnvironment(): Map<string, string> {
  const env = new Map<string, string>();
  for (const text of environmentTexts()) {
    const equals = text.indexOf('=');
    if (equals <= 0) continue;
    const name = text.slice(0, equals);
    if (!env.has(name)) env.set(name, text.slice(equals + 1));
  }
  return env;
}

function environmentTexts(): string[] {
  try {
    return readFileSync('/proc/self/environ', 'latin1').split('\0');
  } catch {
    // Not Linux, or no /proc in here: what is not UTF-8 cannot be had.
    return Object.entries(process.env).map(([name, value]) => toOctets(`${name}=${value}`));
  }
}

/**
 * @param further names of more variables, as `ProcessVariables` takes them
 * @throws {ScgiError} ERR_SCGI_CONTENT_LENGTH, ERR_SCGI_LENGTH_REQUIRED
 */
export function readRequest(env: ReadonlyMap<string, string>, further: readonly string[]): CgiRequest {
  const known = new ProcessVariables(further);
  const variables: string[] = [];
  // Names have no case (RFC 3875 §4.1), and SCGI forbids to send one twice.
  const taken = new Set<string>();
  for (const [name, value] of env) {
    if (!known.includes(name) || taken.size === taken.add(name.toUpperCase()).size) continue;
    variables.push(name, value);
  }
  return { method: env.get('REQUEST_METHOD') ?? '', variables, bodyLength: readLength(env) };
}

/** How much of standard input there may be: all, where nothing sensible says how much. */
export function awaitedInput(env: ReadonlyMap<string, string>): number {
  const text = env.get('CONTENT_LENGTH') ?? '';
  if (text === '') return isChunked(env) ? Infinity : 0;
  return parseContentLength(text) ?? Infinity;
}

function readLength(env: ReadonlyMap<string, string>): number {
  const length = awaitedInput(env);
  if (length < Infinity) return length;
  // Apache passes a chunked body on without its length. Taking it for none would lose it without a word.
  if ((env.get('CONTENT_LENGTH') ?? '') === '') throw new BackendError('ERR_SCGI_LENGTH_REQUIRED');
  throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH');
}

function isChunked(env: ReadonlyMap<string, string>): boolean {
  return (env.get('HTTP_TRANSFER_ENCODING') ?? '') !== '';
}
