// Backends for tests: those of the client, which asks them in the same way.

import { type Backend, startBackend } from '../../../client/test/support/backend.js';

export * from '../../../client/test/support/backend.js';

/** A backend that answers with the variables of these names, as JSON. */
export function telling(...names: string[]): Promise<Backend> {
  return startBackend(async (connection) => {
    await connection.body();
    const told = names.map((name) => connection.variables?.get(name) ?? null);
    await connection.answer(`Status: 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(told)}`);
  });
}
