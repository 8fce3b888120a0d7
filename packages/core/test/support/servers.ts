// Servers that live as long as one test.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createScgiServer } from '../../src/index.js';
import type { ScgiServer, ScgiServerOptions } from '../../src/index.js';

/** A listening server on a free loopback port; closed with all its connections when the test is over. */
export async function tcpServer(listener: RequestListener, options: ScgiServerOptions = {}): Promise<ScgiServer> {
  const server = createScgiServer(options, listener);
  server.listen(0);
  await once(server, 'listening');
  onTestFinished(() => closeNow(server));
  return server;
}

/** The same on a Unix socket in a folder of its own. */
export async function unixServer(listener: RequestListener, options: ScgiServerOptions = {}): Promise<ScgiServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'scgi-'));
  const server = createScgiServer(options, listener);
  server.listen(path.join(folder, 's'));
  await once(server, 'listening');
  onTestFinished(async () => {
    await closeNow(server);
    await rm(folder, { recursive: true });
  });
  return server;
}

async function closeNow(server: ScgiServer): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
