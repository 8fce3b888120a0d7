// Several addresses for tests of fail-over: backends that answer with their name, and places where nobody listens.

import { createServer } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder, type Backend, startBackend } from './backend.js';

export interface Named {
  readonly backend: Backend;
  readonly target: string;
  /** Requests it got. */
  count(): number;
}

/** A backend that answers with its name. */
export async function named(name: string): Promise<Named> {
  const backend = await startBackend((connection) =>
    connection.answer(`Status: 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`),
  );
  return { backend, target: backend.target, count: () => backend.connections.length };
}

/** An address that refuses at once. */
export function nowhere(): string {
  return `unix:${join(temporaryFolder(), 'nobody.sock')}`;
}

/** Starts a backend where `nowhere` pointed. */
export async function appear(target: string, name: string): Promise<() => Promise<void>> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(`Status: 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`));
  });
  await new Promise<void>((resolve) => server.listen(target.slice('unix:'.length), resolve));
  return () => new Promise((resolve) => server.close(() => resolve()));
}
