// A function in the place of a CGI program, behind Node's own server.

import type { ScgiError } from '@scgi/core/protocol';
import { cgiHandler, type CgiFunction, type CgiHandlerOptions } from '../../src/index.js';
import { startStage, type Stage } from './stage.js';

export interface FunctionStage extends Stage {
  /** What `onError` has heard. */
  readonly errors: ScgiError[];
}

export async function startFunction(program: CgiFunction, options: CgiHandlerOptions = {}): Promise<FunctionStage> {
  const errors: ScgiError[] = [];
  const onError = (error: ScgiError): void => void errors.push(error);
  const stage = await startStage(cgiHandler(program, { onError, ...options }));
  return { ...stage, errors };
}
