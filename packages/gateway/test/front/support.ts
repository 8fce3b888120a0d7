// Fronts with any options, and backends that say who they are.

import { onTestFinished } from 'vitest';
import type { ScgiError } from '@scgi/core';
import { createHttpFront, type HttpFrontOptions } from '../../src/index.js';
import { type Backend, startBackend } from '../support/backend.js';
import type { Front } from '../support/front.js';

/** A front that listens until the test ends. */
export async function listenWith(options: HttpFrontOptions): Promise<Front> {
  const errors: ScgiError[] = [];
  const server = createHttpFront({ onError: (error) => errors.push(error), ...options });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the front does not listen');
  return { server, port: address.port, errors };
}

/** Answers with its name, SCRIPT_NAME, PATH_INFO and QUERY_STRING. */
export function named(name: string): Promise<Backend> {
  return startBackend(async (connection) => {
    await connection.body();
    const of = (variable: string): string => connection.variables?.get(variable) ?? 'none';
    const text = `${name} [${of('SCRIPT_NAME')}] [${of('PATH_INFO')}] [${of('QUERY_STRING')}]`;
    await connection.answer(`Status: 200 OK\r\n\r\n${text}`);
  });
}
