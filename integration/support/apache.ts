// Starts and stops a real Apache for a test: a foreground child in its own temporary folder, on its own port.

import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatApacheConfig, type ApacheOptions } from './apache-config.js';
import { requireFrontEnd } from './front-ends.js';
import { startServerProcess, type ServerPlace, type ServerProcess } from './server-process.js';

export type { ApacheCgiFolder, ApacheLocation, ApacheOptions } from './apache-config.js';

/** A running Apache; `pid` is that of the parent, the log has level `info` and above. */
export interface Apache extends ServerProcess {
  /** A folder that Apache's workers can read; removed with the server. */
  readonly documentRoot: string;
}

/**
 * Starts Apache and waits until it accepts connections. Its workers run as www-data if we are root: Unix sockets in
 * the options that exist by then are made reachable for them (mode 0666, their folders passable), and folders of CGI
 * programs readable.
 * Rejects with Apache's own message if it does not accept the configuration.
 */
export async function startApache(options: ApacheOptions): Promise<Apache> {
  for (const { folder } of options.cgi ?? []) addMode(folder, 0o055);
  return startApacheWith((place) => formatApacheConfig(options, place), backendsOf(options));
}

/** The same with a configuration in full, which must keep to its place: PidFile, ErrorLog and Listen are read from there. */
export async function startApacheWith(
  format: (place: ServerPlace) => string,
  backends: readonly string[] = [],
): Promise<Apache> {
  const server = await startServerProcess({
    name: 'Apache',
    executable: requireFrontEnd('apache'),
    configFile: 'httpd.conf',
    pidFile: 'httpd.pid',
    args: (folder, file) => ['-d', folder, '-f', file, '-DFOREGROUND'],
    format,
    prepare(folder) {
      chmodSync(folder, 0o755);
      mkdirSync(join(folder, 'htdocs'), { mode: 0o755 });
      backends.forEach(letWorkersIn);
    },
  });
  return { ...server, documentRoot: join(server.folder, 'htdocs') };
}

function backendsOf(options: ApacheOptions): string[] {
  return [options.to ?? [], (options.locations ?? []).map(({ to }) => to)].flat();
}

/** Opens a Unix socket to everybody, and a folder of ours above it. */
function letWorkersIn(backend: string): void {
  const path = backend.replace(/^unix:/, '');
  if (path === backend || process.getuid?.() !== 0 || !existsSync(path)) return;
  chmodSync(path, 0o666);
  const folder = dirname(path);
  if (folder !== tmpdir()) addMode(folder, 0o011);
}

function addMode(path: string, mode: number): void {
  chmodSync(path, (statSync(path).mode & 0o777) | mode);
}
