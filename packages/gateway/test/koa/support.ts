// Koa of either version with the middleware below /api, and what it says of itself.

import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import Koa from 'koa';
import { onTestFinished } from 'vitest';
import type { ScgiError } from '@scgi/core';
import { scgiKoa, type ScgiKoaOptions } from '../../src/index.js';
import type { Backend } from '../support/backend.js';
import type { Front } from '../support/front.js';

// It has the same types.
const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

export const koaVersions: readonly (readonly [string, typeof Koa])[] = [
  ['Koa 2', Koa2],
  ['Koa 3', Koa],
];

export interface KoaScene extends Front {
  /** What `onError` was told, unless the test has its own. */
  readonly errors: ScgiError[];
  /** What Koa itself reports. */
  readonly reported: unknown[];
}

/** Lets a server listen until the test ends. */
export async function listen(server: Server): Promise<Front> {
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Koa does not listen');
  return { server, port: address.port, errors: [] };
}

/** An application with `wrap` around the backend at /api, and a middleware of its own behind. */
export async function serveKoa(
  KoaClass: typeof Koa,
  backend: Backend,
  options: ScgiKoaOptions = {},
  wrap: readonly Koa.Middleware[] = [],
): Promise<KoaScene> {
  const errors: ScgiError[] = [];
  const reported: unknown[] = [];
  const app = new KoaClass();
  app.on('error', (error) => void reported.push(error));
  for (const middleware of wrap) app.use(middleware);
  app.use(scgiKoa('/api', backend.target, { onError: (error) => void errors.push(error), ...options }));
  app.use((ctx) => void (ctx.body = `ours: ${ctx.path}`));
  return { ...(await listen(createServer(app.callback()))), errors, reported };
}
