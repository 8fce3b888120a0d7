// Starts and stops a real Apache for a test: a foreground child in its own temporary folder, on its own port.

import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatApacheConfig, type ApacheOptions, type ApachePlace } from './apache-config.js';
import { until } from './deadline.js';
import { requireFrontEnd } from './front-ends.js';
import { childrenOf } from './leaks.js';

export type { ApacheLocation, ApacheOptions } from './apache-config.js';

const startDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;

/** A running Apache. */
export interface Apache {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** `https://127.0.0.1:port`. Answers only if the options have `tls`. */
  readonly tlsOrigin: string;
  readonly tlsPort: number;
  /** A folder that Apache's workers can read; removed with the server. */
  readonly documentRoot: string;
  /** The parent process. */
  readonly pid: number;
  /** The processes that handle connections. */
  workerPids(): number[];
  /** Everything logged so far, level `info` and above. */
  errorLog(): string;
  /** Ends it and removes its folder: SIGTERM, and SIGKILL after 5 s. May be called again. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const running = new Set<ChildProcess>();
// A test run that ends early must not leave servers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/**
 * Starts Apache and waits until it accepts connections. Its workers run as www-data if we are root: Unix sockets in
 * the options that exist by then are made reachable for them (mode 0666, their folders passable).
 * Rejects with Apache's own message if it does not accept the configuration.
 */
export async function startApache(options: ApacheOptions): Promise<Apache> {
  return startApacheWith((place) => formatApacheConfig(options, place), backendsOf(options));
}

/** The same with a configuration in full, which must keep to its place: PidFile, ErrorLog and Listen are read from there. */
export async function startApacheWith(
  format: (place: ApachePlace) => string,
  backends: readonly string[] = [],
): Promise<Apache> {
  const executable = requireFrontEnd('apache');
  const folder = mkdtempSync(join(tmpdir(), 'scgi-apache-'));
  try {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'htdocs'), { mode: 0o755 });
    backends.forEach(letWorkersIn);
    for (let attempt = 1; ; attempt += 1) {
      const place = { folder, port: await findFreePort(), tlsPort: await findFreePort() };
      const config = format(place);
      const { child, complaint } = await launch(executable, folder, config);
      if (complaint === undefined) return describeServer(child, place);
      // Between our look and Apache's bind somebody else may have taken the port.
      if (attempt === 5 || !complaint.includes('Address already in use')) {
        throw new Error(`Apache did not start:\n${complaint}\nwith the configuration:\n${config}`);
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function launch(
  executable: string,
  folder: string,
  config: string,
): Promise<{ child: ChildProcess; complaint: string | undefined }> {
  const file = join(folder, 'httpd.conf');
  writeFileSync(file, config);
  rmSync(join(folder, 'httpd.pid'), { force: true });
  const args = ['-d', folder, '-f', file, '-DFOREGROUND'];
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let complaint = '';
  let ended = false;
  child.stderr.on('data', (chunk) => (complaint += chunk));
  child.once('error', (error) => (complaint += error.message));
  child.once('close', () => (ended = true));
  // Apache writes its process id once its sockets listen; some complaints are in its log, not on stderr.
  const isReady = (): boolean => read(join(folder, 'httpd.pid')).trim() === `${child.pid}`;
  await until(() => ended || isReady(), startDeadlineMs, 'Apache listening').catch((error: Error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return { child, complaint: ended ? complaint + read(join(folder, 'error.log')) : undefined };
}

function describeServer(child: ChildProcess, { folder, port, tlsPort }: ApachePlace): Apache {
  const pid = child.pid ?? 0;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    if (running.has(child)) {
      const workers = childrenOf(pid);
      child.kill('SIGTERM');
      // A killed parent does not take its workers along.
      const timer = setTimeout(() => [pid, ...workers].forEach(killHard), stopDeadlineMs);
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
    documentRoot: join(folder, 'htdocs'),
    pid,
    workerPids: () => childrenOf(pid),
    errorLog: () => read(join(folder, 'error.log')),
    stop,
    [Symbol.asyncDispose]: stop,
  };
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
  if (folder !== tmpdir()) chmodSync(folder, (statSync(folder).mode & 0o777) | 0o011);
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, which is what we want.
  }
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
