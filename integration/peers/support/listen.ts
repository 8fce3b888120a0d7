// An HTTP listener on a port of its own, until the tests of the file are over.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterAll } from 'vitest';

const servers: Server[] = [];

afterAll(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, 'close');
  }
});

/** Starts a server. Resolves with `http://127.0.0.1:port`. */
export async function listenHttp(
  listener: RequestListener,
  onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<string> {
  const server = createServer(listener);
  if (onUpgrade !== undefined) server.on('upgrade', onUpgrade);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return `http://127.0.0.1:${address.port}`;
}
