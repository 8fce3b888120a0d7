// Starts and stops a real lighttpd for a test: a foreground child in its own temporary folder, on its own port.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isContinuousIntegration } from '../../scripts/support/executables.js';
import { until } from './deadline.js';
import { requireFrontEnd } from './front-ends.js';
import { formatLighttpdConfig, type LighttpdOptions } from './lighttpd-config.js';
import { startDeadlineMs, startServerProcess, type ServerProcess } from './server-process.js';

export type { LighttpdCgiFolder, LighttpdLocation, LighttpdOptions } from './lighttpd-config.js';

/** A running lighttpd: one process. */
export interface Lighttpd extends ServerProcess {
  /** Reads the configuration again while open requests are answered (SIGUSR1). Resolves once new ones are accepted. */
  restart(): Promise<void>;
}

/**
 * Starts lighttpd and waits until it accepts connections.
 * Rejects with lighttpd's own message if it does not accept the configuration.
 */
export async function startLighttpd(options: LighttpdOptions): Promise<Lighttpd> {
  const server = await startServerProcess({
    name: 'lighttpd',
    executable: requireFrontEnd('lighttpd'),
    configFile: 'lighttpd.conf',
    pidFile: 'lighttpd.pid',
    args: (_folder, file) => ['-D', '-f', file],
    format: (place) => formatLighttpdConfig(options, place),
  });
  const { pid, folder } = server;
  const programsLog = join(folder, 'programs.log');
  const errorLog = (): string => server.errorLog() + (existsSync(programsLog) ? readFileSync(programsLog, 'utf8') : '');
  return {
    ...server,
    errorLog,
    async restart() {
      const starts = (): number => errorLog().split('server started').length;
      const before = starts();
      process.kill(pid, 'SIGUSR1');
      await until(
        () => starts() > before,
        startDeadlineMs,
        () => `lighttpd started again; it says\n${errorLog()}`,
      );
    },
  };
}

/** The part of vitest's test context that is needed to skip a running test. */
interface Skippable {
  skip(note: string): never;
}

/** Skips the running test if lighttpd cannot speak TLS here; fails it in continuous integration. */
export function requireLighttpdTls(context: Skippable): void {
  const executable = requireFrontEnd('lighttpd', context);
  const folder = mkdtempSync(join(tmpdir(), 'scgi-lighttpd-'));
  const file = join(folder, 'lighttpd.conf');
  writeFileSync(file, `server.document-root = "${folder}"\nserver.modules = ( "mod_openssl" )\n`);
  const { status } = spawnSync(executable, ['-tt', '-f', file]);
  rmSync(folder, { recursive: true, force: true });
  if (status === 0) return;
  const missing = 'lighttpd has no mod_openssl; install the package "lighttpd-mod-openssl"';
  if (isContinuousIntegration) throw new Error(missing);
  context.skip(missing);
}
