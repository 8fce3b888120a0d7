// Fetch handlers before backends that a test writes byte by byte.

import type { ScgiError } from '@scgi/core';
import {
  type FetchGatewayContext,
  type ScgiFetchHandler,
  scgiFetchHandler,
  type ScgiFetchOptions,
} from '../../src/index.js';
import type { Backend } from '../support/backend.js';

export interface FetchScene {
  readonly handler: ScgiFetchHandler;
  /** What `onError` was told, unless the test has its own. */
  readonly errors: ScgiError[];
}

/** A handler that is mounted at the prefix. */
export function before(backend: Backend, options: ScgiFetchOptions = {}, prefix = '/'): FetchScene {
  const errors: ScgiError[] = [];
  const onError = (error: ScgiError): void => void errors.push(error);
  return { handler: scgiFetchHandler(prefix, backend.target, { onError, ...options }), errors };
}

/** What a backend of `telling` tells about a request. */
export async function told(scene: FetchScene, request: Request, context?: FetchGatewayContext): Promise<unknown> {
  return (await scene.handler(request, context)).json();
}
