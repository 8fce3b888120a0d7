// From a request to the order of a run: which program, with which environment and which command line.

import { basename } from 'node:path';
import type { HttpRequestFacts } from '@scgi/core/env';
import { decodeBasePath, decodePath, splitAbsoluteForm } from '@scgi/core/env';
import { LocalProtocolError, ScgiError } from '@scgi/core/protocol';
import type { ExtraVariables, MountedTarget } from '@scgi/core/relay';
import { commandOf } from './command.js';
import type { EnvironmentSettings, RedirectOrigin } from './environment.js';
import { environmentOf } from './environment.js';
import type { ProgramFinder } from './program.js';
import type { RunOrder } from './run.js';

/** What is the same for every request. */
export interface OrderSettings<Incoming> {
  readonly finder: ProgramFinder;
  readonly environment: EnvironmentSettings;
  readonly extraVariables: ExtraVariables<Incoming>;
}

/** One request. */
export interface OrderFacts<Incoming> {
  readonly facts: HttpRequestFacts;
  readonly mounted: MountedTarget;
  readonly scgiEnv: Readonly<Record<string, string | undefined>> | undefined;
  /** What Content-Length says; undefined without one. */
  readonly contentLength: number | undefined;
  readonly redirectedFrom: RedirectOrigin | undefined;
  readonly incoming: Incoming;
}

/**
 * Undefined where there is no program.
 * @throws {ScgiError} for a program that must not be run, for what the client sent, for an `env` function that fails
 */
export async function orderRun<Incoming>(
  settings: OrderSettings<Incoming>,
  request: OrderFacts<Incoming>,
): Promise<RunOrder | undefined> {
  const { facts, mounted, contentLength } = request;
  const target = splitAbsoluteForm(mounted.target)?.target ?? mounted.target;
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const encoded = path.slice(mounted.scriptNameLength);
  const mountPoint = decodeBasePath(path.slice(0, mounted.scriptNameLength));
  const program = await settings.finder.find(mountPoint, decodePath(encoded), encoded);
  if (program === undefined) return undefined;
  const env = environmentOf({ ...request, program }, settings.environment);
  addExtra(settings.extraVariables, env, request.incoming);
  const hasInput = contentLength !== undefined && contentLength > 0;
  const query = queryAt === -1 ? '' : target.slice(queryAt + 1);
  return {
    command: commandOf(program, env, facts.method, query, hasInput),
    method: facts.method,
    isNph: basename(program.file).startsWith('nph-'),
    name: program.scriptName || program.file,
  };
}

function addExtra<Incoming>(extra: ExtraVariables<Incoming>, env: string[], incoming: Incoming): void {
  try {
    extra.addTo(env, incoming);
  } catch (cause) {
    if (cause instanceof ScgiError) throw cause;
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'env', problem: 'it threw' }, { cause });
  }
}
