// A CGI program as web servers start it: with an environment from zero, and standard streams of each kind that they use.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../serve/support.js';
import { within } from '../../support/raw-client.js';

/**
 * - `pipes`: lighttpd, and Apache's mod_cgi
 * - `one socket`: Apache's mod_cgid
 * - `two sockets`: what Node.js itself gives a child
 * - `file and pipe`: lighttpd, with a body that it has kept in a file
 * - `files`: a person who tries it
 */
export type Wiring = 'pipes' | 'one socket' | 'two sockets' | 'file and pipe' | 'files';
export const wirings: readonly Wiring[] = ['pipes', 'one socket', 'two sockets', 'file and pipe', 'files'];

export interface CgiStart {
  /** Of the compiled package. */
  readonly core: string;
  /** Path and query; `url` of the application. */
  readonly path: string;
  readonly wiring?: Wiring;
  /** All of it, or what is there before the program starts. */
  readonly body?: string | Uint8Array;
  /** CONTENT_LENGTH. Default that of `body`. */
  readonly length?: number;
  /** Leave the input open, for more. Not for files. */
  readonly open?: boolean;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the program serves, in place of cgi-app.mjs' own. */
  readonly module?: string;
  /** Do not read the output until `output` is resumed. */
  readonly held?: boolean;
}

export interface CgiRun {
  readonly child: ChildProcess;
  /** What the web server writes to. */
  readonly input: Writable | undefined;
  /** What it reads from; undefined for a file. */
  readonly output: Readable | undefined;
  /** So far, as latin1. */
  text(): string;
  errors(): string;
  /** The exit code, when all that was written has been read; a signal's name where one has ended it. */
  ended(): Promise<number | string>;
}

const deadlineMs = 20_000;
const program = fileURLToPath(new URL('cgi-app.mjs', import.meta.url));

export async function startCgi(start: CgiStart): Promise<CgiRun> {
  const { core, path, wiring = 'pipes', body = '', length = Buffer.byteLength(body), environment = {}, module } = start;
  const ends = await ends_[wiring](body);
  const child = spawn(process.execPath, [program, core, ...(module === undefined ? [] : [module])], {
    env: {
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_METHOD: length > 0 ? 'POST' : 'GET',
      REQUEST_URI: `/cgi-bin/app.cgi${path}`,
      SCRIPT_NAME: '/cgi-bin/app.cgi',
      CONTENT_LENGTH: `${length}`,
      PATH: process.env['PATH'] ?? '',
      ...environment,
    },
    stdio: [ends.stdin, ends.stdout, 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  ends.started();
  let text = '';
  let errors = '';
  const input = ends.input ?? child.stdin ?? undefined;
  const output = ends.output ?? child.stdout ?? undefined;
  // It may end before it has read all.
  input?.on('error', () => {});
  output?.on('error', () => {});
  if (ends.input !== undefined || child.stdin !== null) {
    input?.write(body);
    if (start.open !== true) input?.end();
  }
  output?.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  if (start.held === true) output?.pause();
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'exit');
  const closed = Promise.all([
    once(child, 'close'),
    output && new Promise((resolve) => output.once('end', resolve).once('close', resolve)),
  ]);
  return {
    child,
    input,
    output,
    text: () => (ends.file === undefined ? text : readFileSync(ends.file, 'latin1')),
    errors: () => errors,
    async ended() {
      const [code, signal] = await within('the exit', exited, deadlineMs);
      output?.resume();
      await within('the end of the output', closed, deadlineMs);
      return code ?? signal;
    },
  };
}

interface Ends {
  readonly stdin: number | 'pipe' | net.Socket;
  readonly stdout: number | 'pipe' | net.Socket;
  readonly input?: Writable;
  readonly output?: Readable;
  readonly file?: string;
  /** The child has its ends: closes them here. */
  started(): void;
}

const ends_: Readonly<Record<Wiring, (body: string | Uint8Array) => Promise<Ends>>> = {
  async pipes() {
    const stdin = makePipe();
    const stdout = makePipe();
    return {
      stdin: stdin.read,
      stdout: stdout.write,
      input: new net.Socket({ fd: stdin.write, readable: false, writable: true }),
      output: new net.Socket({ fd: stdout.read, readable: true, writable: false }),
      started() {
        closeSync(stdin.read);
        closeSync(stdout.write);
      },
    };
  },
  async 'one socket'() {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(join(temporaryFolder(), 's'));
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const near = net.connect({ path: String(server.address()), allowHalfOpen: true });
    const [far] = await accepted;
    server.close();
    return { stdin: far, stdout: far, input: near, output: near, started: () => void far.destroy() };
  },
  async 'two sockets'() {
    return { stdin: 'pipe', stdout: 'pipe', started() {} };
  },
  async 'file and pipe'(body) {
    const stdin = fileWith(body);
    const stdout = makePipe();
    return {
      stdin,
      stdout: stdout.write,
      output: new net.Socket({ fd: stdout.read, readable: true, writable: false }),
      started() {
        closeSync(stdin);
        closeSync(stdout.write);
      },
    };
  },
  async files(body) {
    const stdin = fileWith(body);
    const file = join(temporaryFolder(), 'output');
    const stdout = openSync(file, 'w');
    return {
      stdin,
      stdout,
      file,
      started() {
        closeSync(stdin);
        closeSync(stdout);
      },
    };
  },
};

/** A named one: the others that Node.js makes are sockets. */
function makePipe(): { readonly read: number; readonly write: number } {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  // In this order, and without waiting, nobody waits for the other end.
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(path, constants.O_WRONLY);
  return { read, write };
}

function fileWith(body: string | Uint8Array): number {
  const path = join(temporaryFolder(), 'input');
  writeFileSync(path, body);
  return openSync(path, 'r');
}
