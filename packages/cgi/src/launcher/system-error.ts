// Errors as the system words them, and what of a command no system would take.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { Command } from './launcher.js';

/** @param errno a positive number */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  // libuv's names lack some, ENOEXEC for one; its descriptions are the only ones.
  const [, description = 'refused by the system'] = getSystemErrorMap().get(-errno) ?? [];
  return errorOf(errorNames.get(errno) ?? `E${errno}`, errno, syscall, description);
}

/** What `node:fs` and `node:child_process` throw. */
export function asSystemError(error: unknown): NodeJS.ErrnoException {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Why a command cannot be carried out whatever launches it; undefined for one that can. A NUL ends a text for the
 * system; a character above U+00FF is no octet, and would become another one: U+012F a slash.
 */
export function refusalOf({ file, args, env, folder }: Command): NodeJS.ErrnoException | undefined {
  if (!areOctets(file) || !areOctets(folder) || !args.every(areOctets) || !env.every(areOctets)) {
    return invalid('a text of the command has a NUL, or something that is not an octet');
  }
  for (let index = 0; index < env.length; index += 2) {
    const name = env[index];
    if (name === undefined || name === '' || name.includes('=')) {
      return invalid('a variable has an empty name, or one with an equals sign');
    }
  }
  return undefined;
}

/** After `close`. */
export function closedError(): NodeJS.ErrnoException {
  return errorOf('ECANCELED', constants.errno.ECANCELED, 'launch', 'the launcher is closed');
}

function areOctets(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- NUL is what it looks for
  return !/[^\u0001-\u00ff]/.test(text);
}

function invalid(description: string): NodeJS.ErrnoException {
  return errorOf('EINVAL', constants.errno.EINVAL, 'launch', description);
}

function errorOf(code: string, errno: number, syscall: string, description: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${description}, ${syscall}`), { code, errno: -errno, syscall });
}

/** Of two names for one number, as EAGAIN and EWOULDBLOCK, the first. */
const errorNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .map(([name, number]): [number, string] => [number, name])
    .toReversed(),
);
