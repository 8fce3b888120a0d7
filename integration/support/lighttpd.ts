// Starts and stops a real lighttpd for a test: a foreground child in its own temporary folder, on its own port.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isContinuousIntegration } from '../../scripts/support/executables.js';
import { until } from './deadline.js';
import { requireFrontEnd } from './front-ends.js';
import { formatLighttpdConfig, type LighttpdOptions, type LighttpdPlace } from './lighttpd-config.js';

export type { LighttpdLocation, LighttpdOptions } from './lighttpd-config.js';

const startDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;

/** A running lighttpd. */
export interface Lighttpd {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** `https://127.0.0.1:port`. Answers only if the options have `tls`. */
  readonly tlsOrigin: string;
  readonly tlsPort: number;
  /** Its only process. */
  readonly pid: number;
  /** Everything logged so far. */
  errorLog(): string;
  /** Reads the configuration again while open requests are answered (SIGUSR1). Resolves once new ones are accepted. */
  restart(): Promise<void>;
  /** Ends it and removes its folder: SIGTERM, and SIGKILL after 5 s. May be called again. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const running = new Set<ChildProcess>();
// A test run that ends early must not leave servers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/**
 * Starts lighttpd and waits until it accepts connections.
 * Rejects with lighttpd's own message if it does not accept the configuration.
 */
export async function startLighttpd(options: LighttpdOptions): Promise<Lighttpd> {
  const executable = requireFrontEnd('lighttpd');
  const folder = mkdtempSync(join(tmpdir(), 'scgi-lighttpd-'));
  try {
    for (let attempt = 1; ; attempt += 1) {
      const place = { folder, port: await findFreePort(), tlsPort: await findFreePort() };
      const config = formatLighttpdConfig(options, place);
      const { child, complaint } = await launch(executable, folder, config);
      if (complaint === undefined) return describeServer(child, place);
      // Between our look and lighttpd's bind somebody else may have taken the port.
      if (attempt === 5 || !complaint.includes('Address already in use')) {
        throw new Error(`lighttpd did not start:\n${complaint}\nwith the configuration:\n${config}`);
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
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

async function launch(
  executable: string,
  folder: string,
  config: string,
): Promise<{ child: ChildProcess; complaint: string | undefined }> {
  const file = join(folder, 'lighttpd.conf');
  writeFileSync(file, config);
  rmSync(join(folder, 'lighttpd.pid'), { force: true });
  rmSync(join(folder, 'error.log'), { force: true });
  const child = spawn(executable, ['-D', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let complaint = '';
  let ended = false;
  child.stderr.on('data', (chunk) => (complaint += chunk));
  child.once('error', (error) => (complaint += error.message));
  child.once('close', () => (ended = true));
  // lighttpd writes its process id once all its sockets listen.
  const isReady = (): boolean => read(join(folder, 'lighttpd.pid')).trim() === `${child.pid}`;
  await until(() => ended || isReady(), startDeadlineMs, 'lighttpd listening').catch((error: Error) => {
    child.kill('SIGKILL');
    throw error;
  });
  // What it finds wrong before it has opened its log goes to stderr.
  return { child, complaint: ended ? `${complaint}${read(join(folder, 'error.log'))}` : undefined };
}

function describeServer(child: ChildProcess, { folder, port, tlsPort }: LighttpdPlace): Lighttpd {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const errorLog = (): string => read(join(folder, 'error.log'));
  const stop = async (): Promise<void> => {
    if (running.has(child)) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
      await closed;
      clearTimeout(timer);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    tlsOrigin: `https://127.0.0.1:${tlsPort}`,
    tlsPort,
    pid: child.pid ?? 0,
    errorLog,
    async restart() {
      const starts = (): number => errorLog().split('server started').length;
      const before = starts();
      child.kill('SIGUSR1');
      await until(
        () => starts() > before,
        startDeadlineMs,
        () => `lighttpd started again; it says\n${errorLog()}`,
      );
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Not written yet, or the folder is gone after stop().
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}
