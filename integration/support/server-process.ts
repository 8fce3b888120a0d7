// A web server as a child process in a folder and on ports of its own: starts it, waits until it listens, ends it. What the
// server is called and how it is configured is its harness's business.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './deadline.js';
import { childrenOf } from './leaks.js';

/** How long a server may take to start, or to start again. */
export const startDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;

/** Where a server lives: its own folder, and two TCP ports on loopback. */
export interface ServerPlace {
  readonly folder: string;
  readonly port: number;
  /** For HTTPS. */
  readonly tlsPort: number;
}

/** What a harness knows of its server. */
export interface ServerProgram {
  /** As in messages, and for the folder's name. */
  readonly name: string;
  readonly executable: string;
  /** Names of its files in the folder; the process id is written to `pidFile` once it listens. */
  readonly configFile: string;
  readonly pidFile: string;
  /** The command line for a folder and the configuration's path in it. */
  args(folder: string, file: string): readonly string[];
  /** The configuration for a place. */
  format(place: ServerPlace): string;
  /** Makes the folder ready. */
  prepare?(folder: string): void;
}

/** What every harness gives out. */
export interface ServerProcess {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** `https://127.0.0.1:port`. Answers only if the configuration says so. */
  readonly tlsOrigin: string;
  readonly tlsPort: number;
  readonly folder: string;
  /** The process that was started. */
  readonly pid: number;
  /** The processes that it has started. */
  workerPids(): number[];
  /** Everything logged so far. */
  errorLog(): string;
  /** Ends it and removes its folder: SIGTERM, and SIGKILL after 5 s. May be called again. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const running = new Set<ChildProcess>();
// A test run that ends early must not leave servers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/**
 * Starts the server and waits until it accepts connections.
 * Rejects with its own message if it does not accept the configuration.
 */
export async function startServerProcess(program: ServerProgram): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), `scgi-${program.name.toLowerCase()}-`));
  try {
    program.prepare?.(folder);
    for (let attempt = 1; ; attempt += 1) {
      const place = { folder, port: await findFreePort(), tlsPort: await findFreePort() };
      const config = program.format(place);
      const { child, complaint } = await launch(program, folder, config);
      if (complaint === undefined) return describeProcess(child, place);
      // Between our look and the server's bind somebody else may have taken the port.
      if (attempt === 5 || !complaint.includes('Address already in use')) {
        throw new Error(`${program.name} did not start:\n${complaint}\nwith the configuration:\n${config}`);
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function launch(
  program: ServerProgram,
  folder: string,
  config: string,
): Promise<{ child: ChildProcess; complaint: string | undefined }> {
  const file = join(folder, program.configFile);
  const pidFile = join(folder, program.pidFile);
  const logFile = join(folder, 'error.log');
  writeFileSync(file, config);
  for (const old of [pidFile, logFile]) rmSync(old, { force: true });
  const child = spawn(program.executable, program.args(folder, file), { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let complaint = '';
  let ended = false;
  child.stderr.on('data', (chunk) => (complaint += chunk));
  child.once('error', (error) => (complaint += error.message));
  child.once('close', () => (ended = true));
  const isReady = (): boolean => read(pidFile).trim() === `${child.pid}`;
  await until(() => ended || isReady(), startDeadlineMs, `${program.name} listening`).catch((error: Error) => {
    child.kill('SIGKILL');
    throw error;
  });
  // Some say on stderr what is wrong, some in their log.
  return { child, complaint: ended ? complaint + read(logFile) : undefined };
}

function describeProcess(child: ChildProcess, { folder, port, tlsPort }: ServerPlace): ServerProcess {
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
    folder,
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

/** A TCP port on loopback that nobody had a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}
