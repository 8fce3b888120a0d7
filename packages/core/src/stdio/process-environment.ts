// The environment that this process was started with, in octets: names and values in turn, latin1.

import { readFileSync } from 'node:fs';

/** Linux shows the environment as it was passed; it may be closed to us. */
const rawEnvironment = '/proc/self/environ';

/** Whether a web server has started this process to answer one request (RFC 3875 §4.1.4). */
export function isCgiProgram(environment: NodeJS.ProcessEnv): boolean {
  const { GATEWAY_INTERFACE: gateway, REQUEST_METHOD: method } = environment;
  return gateway?.startsWith('CGI/') === true && method !== undefined;
}

/**
 * All variables. `process.env` decodes UTF-8, which octets of a header field need not be, so the system is asked first;
 * unless it knows of no request: then somebody has set `process.env` since.
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): string[] {
  const passed = splitEnvironment(readRaw());
  return passed.includes('REQUEST_METHOD') ? passed : fromProcessEnv(environment);
}

/** `name=value`, each behind a NUL, as execve(2) takes them. Of a name that comes twice the first counts, as for getenv(3). */
export function splitEnvironment(raw: string): string[] {
  const variables = new Map<string, string>();
  for (const text of raw.split('\0')) {
    const equals = text.indexOf('=');
    const name = text.slice(0, equals);
    if (equals > 0 && !variables.has(name)) variables.set(name, text.slice(equals + 1));
  }
  return [...variables].flat();
}

function readRaw(): string {
  try {
    return readFileSync(rawEnvironment, 'latin1');
  } catch {
    return ''; // Not Linux, or no /proc.
  }
}

function fromProcessEnv(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) => [toOctets(name), toOctets(value)]);
}

function toOctets(text: string): string {
  return Buffer.from(text).toString('latin1');
}
