// A CGI program as a web server runs it: with an environment, an input that may stay open, and an output that is read or
// not.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { until, within } from '../../support/deadline.js';
import type { Variant } from './variants.js';

const deadlineMs = 20_000;

export interface ProgramOptions {
  /** Added to what every request has; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the server's address is given in. Default: SCGI_TO. */
  readonly args?: readonly string[];
  /** The whole of standard input. Default: none, and its end. */
  readonly body?: string | Uint8Array;
  /** Leave standard input open behind `body`. Default false. */
  readonly keepOpen?: boolean;
  /** Leave the output in the pipe until `readOutput`. Default false. */
  readonly unread?: boolean;
}

/** How a program ended, and what it has said. */
export interface ProgramResult {
  /** Everything on standard output, latin1. */
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that runs. */
export class RunningProgram {
  readonly child: ChildProcess;
  readonly input: Writable;
  readonly #output: Readable;
  readonly #chunks: Buffer[];
  readonly #ended: Promise<ProgramResult>;
  bytesOut: number;
  errors: string;

  constructor(variant: Variant, target: string, options: ProgramOptions) {
    const [file, ...first] = variant.command();
    const args = options.args ?? [];
    const env = { ...request, ...(options.args === undefined && { SCGI_TO: target }), ...options.env };
    this.child = spawn(file, [...first, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('a program without streams');
    this.input = stdin;
    this.#output = stdout;
    this.#chunks = [];
    this.bytesOut = 0;
    this.errors = '';
    // It may end without having read all.
    stdin.on('error', () => {});
    stderr.on('data', (chunk) => (this.errors += chunk));
    this.#ended = once(this.child, 'close').then(() => this.#result());
    if (options.unread !== true) this.readOutput();
    if (options.body !== undefined) stdin.write(options.body);
    if (options.keepOpen !== true) stdin.end();
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** Reads what it writes. */
  readOutput(): void {
    this.#output.on('data', (chunk: Buffer) => {
      this.bytesOut += chunk.length;
      this.#chunks.push(chunk);
    });
  }

  /** So far. */
  get output(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  sees(text: string): Promise<void> {
    return until(
      () => this.output.includes(text),
      deadlineMs,
      () => `${JSON.stringify(text)} in ${JSON.stringify(this.output.slice(0, 300))} (${this.errors})`,
    );
  }

  /** Closes our end of its output, as a web server whose client has left. */
  closeOutput(): void {
    this.#output.destroy();
  }

  ended(): Promise<ProgramResult> {
    return within(this.#ended, deadlineMs, 'the end of the program');
  }

  #result(): ProgramResult {
    const { exitCode: code, signalCode: signal } = this.child;
    return { output: this.output, errors: this.errors, code, signal };
  }
}

/** What every request of these tests says. */
const request: Readonly<Record<string, string>> = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/app.cgi/x?a=1',
  SCRIPT_NAME: '/app.cgi',
  PATH_INFO: '/x',
  QUERY_STRING: 'a=1',
  SERVER_NAME: 'localhost',
  SERVER_PORT: '80',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_SOFTWARE: 'test',
  REMOTE_ADDR: '192.0.2.7',
  PATH: process.env['PATH'] ?? '',
};

export function start(variant: Variant, target: string, options: ProgramOptions = {}): RunningProgram {
  return new RunningProgram(variant, target, options);
}

/** Starts it, reads all and waits for its end. */
export function run(variant: Variant, target: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  return start(variant, target, options).ended();
}

/** Variables of a request with this body. */
export function post(body: string | Uint8Array): Readonly<Record<string, string>> {
  return { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(body.length), CONTENT_TYPE: 'text/plain' };
}
