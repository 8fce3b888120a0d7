// Starts and stops a real nginx for a test: a foreground child in its own temporary folder, on its own port.

import { join } from 'node:path';
import { requireFrontEnd } from './front-ends.js';
import { formatNginxConfig, type NginxOptions } from './nginx-config.js';
import { startServerProcess, type ServerProcess } from './server-process.js';

export type { NginxLocation, NginxOptions } from './nginx-config.js';

/** A running nginx; `pid` is that of the master, the log has level `info` and above. */
export interface Nginx extends ServerProcess {
  /** Path of the Unix socket on which it serves the same over HTTP. */
  readonly socketPath: string;
}

/**
 * Starts nginx and waits until it accepts connections.
 * Rejects with nginx's own message if it does not accept the configuration.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const server = await startServerProcess({
    name: 'nginx',
    executable: requireFrontEnd('nginx'),
    configFile: 'nginx.conf',
    pidFile: 'nginx.pid',
    // -e: without it nginx opens its compiled-in log file before it reads the configuration.
    args: (folder, file) => ['-p', folder, '-e', join(folder, 'error.log'), '-c', file],
    format: (place) => formatNginxConfig(options, place),
  });
  return { ...server, socketPath: join(server.folder, 'http.sock') };
}
