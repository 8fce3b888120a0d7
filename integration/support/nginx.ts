// Starts and stops a real nginx for a test: a foreground child in its own temporary folder, on its own port.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './deadline.js';
import { requireFrontEnd } from './front-ends.js';
import { childrenOf } from './leaks.js';
import { formatNginxConfig, type NginxOptions, type NginxPlace } from './nginx-config.js';

export type { NginxLocation, NginxOptions } from './nginx-config.js';

const startDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;

/** A running nginx. */
export interface Nginx {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** `https://127.0.0.1:port`. Answers only if the options have `tls`. */
  readonly tlsOrigin: string;
  /** Path of the Unix socket on which it serves the same over HTTP. */
  readonly socketPath: string;
  /** The master process. */
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
 * Starts nginx and waits until it accepts connections.
 * Rejects with nginx's own message if it does not accept the configuration.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const executable = requireFrontEnd('nginx');
  const folder = mkdtempSync(join(tmpdir(), 'scgi-nginx-'));
  try {
    for (let attempt = 1; ; attempt += 1) {
      const place = { folder, port: await findFreePort(), tlsPort: await findFreePort() };
      const config = formatNginxConfig(options, place);
      const { child, complaint } = await launch(executable, folder, config);
      if (complaint === undefined) return describeServer(child, place);
      // Between our look and nginx's bind somebody else may have taken the port.
      if (attempt === 5 || !complaint.includes('Address already in use')) {
        throw new Error(`nginx did not start:\n${complaint}\nwith the configuration:\n${config}`);
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
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  rmSync(join(folder, 'nginx.pid'), { force: true });
  // -e: without it nginx opens its compiled-in log file before it reads the configuration.
  const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file];
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let complaint = '';
  let ended = false;
  child.stderr.on('data', (chunk) => (complaint += chunk));
  child.once('error', (error) => (complaint += error.message));
  child.once('close', () => (ended = true));
  // nginx writes its process id once all its sockets listen.
  const isReady = (): boolean => read(join(folder, 'nginx.pid')).trim() === `${child.pid}`;
  await until(() => ended || isReady(), startDeadlineMs, 'nginx listening').catch((error: Error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return { child, complaint: ended ? complaint : undefined };
}

function describeServer(child: ChildProcess, { folder, port, tlsPort }: NginxPlace): Nginx {
  const pid = child.pid ?? 0;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    if (running.has(child)) {
      const workers = childrenOf(pid);
      child.kill('SIGTERM');
      // A killed master does not take its workers along.
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
    socketPath: join(folder, 'http.sock'),
    pid,
    workerPids: () => childrenOf(pid),
    errorLog: () => read(join(folder, 'error.log')),
    stop,
    [Symbol.asyncDispose]: stop,
  };
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
