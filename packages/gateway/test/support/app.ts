// HTTP servers around the middleware under test. Everything opened here is closed when the test ends.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { ScgiError } from '@scgi/core';
import { onTestFinished } from 'vitest';
import { scgi, type GatewayOptions, type GatewayTarget, type ScgiMiddleware } from '../../src/index.js';
import type { Front } from './front.js';

/** Starts Node's own server with this listener; an Express application is one. */
export async function startApp(listener: RequestListener, errors: ScgiError[] = []): Promise<Front> {
  return listen(createServer(listener), errors);
}

/** A server with nothing but the middleware, upgrades and `checkContinue` included. */
export async function startMiddleware(target: GatewayTarget, options: GatewayOptions = {}): Promise<Front> {
  const errors: ScgiError[] = [];
  const middleware = scgi(target, { onError: (error) => errors.push(error), ...options });
  const server = createServer(middleware);
  server.on('checkContinue', middleware);
  server.on('upgrade', middleware.upgrade);
  return listen(server, errors);
}

/** The middleware, and what its `onError` was told. */
export function watched(
  prefix: string,
  target: GatewayTarget,
  options: GatewayOptions = {},
): { middleware: ScgiMiddleware; errors: ScgiError[] } {
  const errors: ScgiError[] = [];
  return { middleware: scgi(prefix, target, { onError: (error) => errors.push(error), ...options }), errors };
}

async function listen(server: Server, errors: ScgiError[]): Promise<Front> {
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
  return { server, port: address.port, errors };
}
