// From a request to the order of a run: which program, with which environment and which command line.

import { basename } from 'node:path';
import { decodeBasePath, decodePath, splitAbsoluteForm } from '@scgi/core/env';
import { LocalProtocolError, ScgiError } from '@scgi/core/protocol';
import type { ExtraVariables, MountedTarget } from '@scgi/core/relay';
import { commandOf } from './command.js';
import type { EnvironmentProgram, EnvironmentSettings } from './environment.js';
import { environmentOf } from './environment.js';
import type { ProgramFinder } from './program.js';
import { bareFolder } from './program.js';
import type { RunOrder } from './run.js';
import type { RunRequest } from './runner.js';

/** What environments are made with: the same for every request. */
export interface VariableSettings<Incoming> {
  readonly environment: EnvironmentSettings;
  readonly extraVariables: ExtraVariables<Incoming>;
}

/** What is the same for every request. */
export interface OrderSettings<Incoming> extends VariableSettings<Incoming> {
  readonly finder: ProgramFinder;
}

/** A target in its parts. */
export interface TargetParts {
  /** The mount point, decoded. */
  readonly mountPoint: string;
  /** What follows it, decoded. */
  readonly path: string;
  /** The same as the client has sent it. */
  readonly encodedPath: string;
  readonly query: string;
}

/**
 * Undefined where there is no program; `bareFolder` where a slash is missing.
 * @throws {ScgiError} for a program that must not be run, for what the client sent, for an `env` function that fails
 */
export function orderRun<Incoming>(
  settings: OrderSettings<Incoming>,
  request: RunRequest<Incoming>,
): RunOrder | typeof bareFolder | undefined {
  const { facts, contentLength } = request;
  const { mountPoint, path, encodedPath, query } = partsOf(request.mounted);
  const program = settings.finder.find(mountPoint, path, encodedPath);
  if (program === undefined || program === bareFolder) return program;
  const env = variablesFor(settings, request, program);
  const hasInput = contentLength !== undefined && contentLength > 0;
  return {
    command: commandOf(program, env, facts.method, query, hasInput),
    file: program.file,
    method: facts.method,
    isNph: basename(program.file).startsWith('nph-'),
    // Node's own server writes and reads at the same time, and so do its clients.
    holdsAnswer: hasInput && request.scgiEnv !== undefined,
    name: program.scriptName || program.file,
  };
}

export function partsOf(mounted: MountedTarget): TargetParts {
  const target = splitAbsoluteForm(mounted.target)?.target ?? mounted.target;
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const encodedPath = path.slice(mounted.scriptNameLength);
  return {
    mountPoint: decodeBasePath(path.slice(0, mounted.scriptNameLength)),
    path: decodePath(encodedPath),
    encodedPath,
    query: queryAt === -1 ? '' : target.slice(queryAt + 1),
  };
}

/**
 * The whole environment of a program, the user's variables included: names and values in turn, octets.
 * @throws {ScgiError} as `environmentOf`; ERR_SCGI_OPTION for an `env` function that fails
 */
export function variablesFor<Incoming>(
  settings: VariableSettings<Incoming>,
  request: RunRequest<Incoming>,
  program: EnvironmentProgram,
): string[] {
  const env = environmentOf({ ...request, program }, settings.environment);
  try {
    settings.extraVariables.addTo(env, request.incoming);
  } catch (cause) {
    if (cause instanceof ScgiError) throw cause;
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'env', problem: 'it threw' }, { cause });
  }
  return env;
}
