// CGI programs behind a real SCGI server, on a Unix socket or TCP, and a client to whom everything can be done.

import { constants, closeSync, openSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ScgiServer } from '@scgi/core';
import { createScgiServer } from '@scgi/core';
import type { ScgiError } from '@scgi/core/protocol';
import type { RawConnection, RawResponse } from '@scgi/testing';
import { openRaw } from '@scgi/testing';
import { vi } from 'vitest';
import type { CgiDirectoryOptions, CgiPrograms, LauncherName } from '../../src/index.js';
import { cgiDirectory } from '../../src/index.js';
import { findHelper } from '../../src/launcher/find-helper.js';
import { processesWith, withNothingLeft } from './left-over.js';
import { writePrograms } from './programs.js';
import { until, within } from './within.js';

/** How programs are started, and how the client gets to them. */
export interface Variant {
  readonly launcher: LauncherName;
  readonly transport: 'unix' | 'tcp';
}

const helper = (['python', 'perl'] as const).find((language) => findHelper(language) !== undefined);
const launchers: readonly LauncherName[] = helper === undefined ? ['node'] : ['node', helper];
export const everyVariant: readonly Variant[] = launchers.flatMap((launcher) =>
  (['unix', 'tcp'] as const).map((transport) => ({ launcher, transport })),
);
/** Each launcher and each transport once, for what has nothing to do with the pairing. */
export const variants: readonly Variant[] = everyVariant.filter(
  ({ launcher, transport }) => launchers.length === 1 || (launcher === 'node') === (transport === 'unix'),
);

/** So ample that only the deadline of the test counts. */
const ample: CgiDirectoryOptions = { timeout: 30_000, killTimeout: 2000, queueTimeout: 30_000 };

// The waits in here have deadlines, which say what was waited for.
vi.setConfig({ testTimeout: 60_000 });

let serverCount = 0;

/** Programs that can be asked. */
export class CgiServer {
  readonly programs: CgiPrograms;
  readonly server: ScgiServer;
  readonly folder: string;
  /** The codes of what `onError` heard. */
  readonly codes: string[];
  readonly failures: ScgiError[];
  /** What programs have written to their standard error. */
  readonly lines: string[];
  /** Its programs are not to be asked again. */
  isClosed: boolean;
  readonly #mark: string;
  readonly #connections: RawConnection[];
  readonly #gates: number[];
  #target: string;

  constructor(folder: string, options: CgiDirectoryOptions, launcher: LauncherName) {
    serverCount += 1;
    this.#mark = `${process.pid}-${serverCount}`;
    this.folder = folder;
    this.codes = [];
    this.failures = [];
    this.lines = [];
    this.isClosed = false;
    this.#connections = [];
    this.#gates = [];
    this.#target = '';
    const { env = {}, ...more } = options;
    this.programs = cgiDirectory(folder, {
      ...ample,
      launcher,
      env: { ...env, MARK: this.#mark, GATE: join(folder, 'gate') },
      onError: (error) => {
        this.codes.push(error.code);
        this.failures.push(error);
      },
      onErrorOutput: (line) => this.lines.push(line),
      ...more,
    });
    this.server = createScgiServer(this.programs);
  }

  async listen(transport: Variant['transport']): Promise<void> {
    const path = join(this.folder, '.socket');
    if (transport === 'unix') this.server.listen(path);
    else this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    this.#target = typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : `unix:${path}`;
  }

  /** Where it listens: `127.0.0.1:port` or `unix:/path`. */
  get target(): string {
    return this.#target;
  }

  /** Connects, and sends nothing yet. */
  async connect(method: string = 'GET'): Promise<RawConnection> {
    const connection = await openRaw(this.#target, { timeout: 20_000, method });
    this.#connections.push(connection);
    return connection;
  }

  variables(uri: string, method: string = 'GET', bodyLength: number = 0): Readonly<Record<string, string>> {
    const variables = { REQUEST_METHOD: method, REQUEST_URI: uri, SERVER_PROTOCOL: 'HTTP/1.1', HTTP_HOST: 'localhost' };
    return bodyLength === 0 ? variables : { ...variables, HTTP_CONTENT_LENGTH: String(bodyLength) };
  }

  /** Connects and sends a request head that promises a body of `bodyLength`. */
  async open(uri: string, method: string = 'GET', bodyLength: number = 0): Promise<RawConnection> {
    const connection = await this.connect(method);
    await connection.sendHead(this.variables(uri, method, bodyLength), bodyLength);
    return connection;
  }

  /** Asks, and resolves when the connection has ended. */
  async ask(uri: string, body: string | Uint8Array = ''): Promise<RawResponse> {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    const connection = await this.open(uri, bytes.length === 0 ? 'GET' : 'POST', bytes.length);
    // Not waited for: an answer may come before all is sent.
    if (bytes.length > 0) void connection.send(bytes);
    const response = await connection.closed();
    connection.socket.destroy();
    return response;
  }

  /** That requests are answered as if nothing had happened. */
  async answers(): Promise<boolean> {
    const { status, body } = await this.ask('/fine');
    return status === 200 && body.toString() === 'fine';
  }

  /** Resolves with the first line of standard error that begins so, without that beginning. */
  async line(beginning: string, count: number = 1): Promise<string> {
    const found = (): string[] => this.lines.filter((line) => line.startsWith(beginning));
    await until(`a program says ${beginning}`, () => found().length >= count, 20_000);
    return (found()[count - 1] ?? '').slice(beginning.length).trim();
  }

  /** Lets one program go on that reads a line from the FIFO in $GATE. */
  openGate(): void {
    // For both, else it would wait for somebody who reads.
    const gate = openSync(join(this.folder, 'gate'), constants.O_RDWR | constants.O_NONBLOCK);
    this.#gates.push(gate);
    writeSync(gate, 'go\n');
  }

  /** The processes that programs are, or have become. */
  processes(): number[] {
    return processesWith(`MARK=${this.#mark}`);
  }

  /** Resolves when none of them is left. */
  gone(): Promise<void> {
    return until('no process of it is left', () => this.processes().length === 0, 20_000);
  }

  async close(): Promise<void> {
    for (const { socket } of this.#connections) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    await within('the server closes', closed, 20_000);
    this.programs.close();
    for (const gate of this.#gates) closeSync(gate);
    for (const pid of this.processes()) killIfThere(pid);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Programs that every test has. */
const always = { fine: "printf 'Content-Length: 4\\r\\n\\r\\nfine'" };

/**
 * Serves programs, does something to them, and checks that they still answer and that nothing is left: no process, no
 * descriptor, no error that nobody has handled.
 */
export async function withPrograms(
  { launcher, transport }: Variant,
  sources: Readonly<Record<string, string>>,
  options: CgiDirectoryOptions,
  action: (server: CgiServer) => Promise<void>,
): Promise<void> {
  const folder = writePrograms({ ...always, ...sources });
  execFileSync('mkfifo', [join(folder, 'gate')]);
  await withNothingLeft(async () => {
    const server = new CgiServer(folder, options, launcher);
    await server.listen(transport);
    try {
      await action(server);
      const { codes, isClosed } = server;
      const before = codes.length;
      if (!isClosed && !(await server.answers())) {
        throw new Error(`the next request failed: ${codes.slice(before).join()}`);
      }
      await server.gone();
    } finally {
      await server.close();
    }
  });
}
