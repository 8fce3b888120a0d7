// This process as the run of a CGI program: one request, then the end, with an exit code that tells how it went. Owns what
// is the process's: signals, the environment, how long it lives. Knows nothing of servers.

import { constants } from 'node:os';
import { ProcessVariables } from '../env/index.js';
import { resolveLimit } from '../protocol/limits.js';
import { toCgiRequest } from './cgi-request.js';
import { readEnvironment } from './process-environment.js';
import { openStandardStreams } from './standard-streams.js';
import { StdioSocket } from './stdio-socket.js';

/** What concerns only an application that runs as a CGI program. */
export interface CgiOptions {
  /**
   * Variables of the environment that belong to the request, beside those of RFC 3875, Apache and lighttpd: names, or
   * prefixes as in `OIDC_*`. Default none. What does not belong to it is in `process.env` only.
   */
  readonly variables?: readonly string[] | undefined;
  /** Milliseconds for what the application does after its answer; then the process ends all the same. Default 30,000. */
  readonly closeTimeout?: number | undefined;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;
/** After a signal. Apache's mod_cgid kills a program 3 s after it has told it to end. */
const HURRY_MS = 2000;
/** For what was printed last, where the log is a pipe that nobody empties. */
const FLUSH_MS = 1000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const endingSignals = ['SIGTERM', 'SIGINT'] as const;
type EndingSignal = (typeof endingSignals)[number];

export class CgiProcess {
  /** What the server takes for its connection. */
  readonly socket: StdioSocket;
  readonly #closeTimeoutMs: number;
  readonly #onSignal: (signal: EndingSignal) => void;
  /** An application that waits for nothing that Node.js knows of still owes an answer. */
  readonly #alive: NodeJS.Timeout;
  #signal: EndingSignal | undefined;
  #hurry: NodeJS.Timeout | undefined;

  /**
   * Takes over the standard streams.
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option; ERR_SCGI_STATE: see openStandardStreams
   */
  constructor({ variables, closeTimeout }: CgiOptions = {}) {
    this.#closeTimeoutMs = resolveLimit('closeTimeout', closeTimeout, DEFAULT_CLOSE_TIMEOUT_MS, 1);
    const request = toCgiRequest(readEnvironment(process.env), new ProcessVariables(variables));
    // Where a web server lets the client's field `Proxy` through, clients of the application's would go by it (httpoxy).
    delete process.env['HTTP_PROXY'];
    this.socket = new StdioSocket(request, openStandardStreams(request.bodyLength > 0));
    this.#onSignal = (signal) => this.#endSoon(signal);
    this.#alive = setInterval(() => {}, LONGEST_TIMER_MS);
    this.#signal = undefined;
    this.#hurry = undefined;
    for (const signal of endingSignals) process.on(signal, this.#onSignal);
  }

  /** The application did not start: leaves the process as it was, but for the streams. */
  release(): void {
    clearInterval(this.#alive);
    clearTimeout(this.#hurry);
    for (const signal of endingSignals) process.off(signal, this.#onSignal);
  }

  /**
   * Waits for the end of the exchange, closes the application, ends the process.
   * @param close lets the application finish; what it rejects with is printed
   */
  async finish(close: (timeoutMs: number) => Promise<void>): Promise<never> {
    const { socket } = this;
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const timeoutMs = this.#signal === undefined ? this.#closeTimeoutMs : Math.min(this.#closeTimeoutMs, HURRY_MS);
    if (!(await isSettled(close(timeoutMs).catch(printError), timeoutMs))) {
      console.error(`CGI: what the application does after its answer has not ended within ${timeoutMs} ms`);
    }
    return this.#exit();
  }

  /** The front end's client has left, and the application hears of it as on a socket; or the answer is out already. */
  #endSoon(signal: EndingSignal): void {
    if (this.#signal !== undefined) process.exit(this.#exitCode());
    this.#signal = signal;
    this.socket.destroy();
    this.#hurry = setTimeout(() => void this.#exit(), HURRY_MS);
  }

  async #exit(): Promise<never> {
    const { stderr } = process;
    if (stderr.writableLength > 0) await isSettled(new Promise((resolve) => stderr.write('', resolve)), FLUSH_MS);
    process.exit(this.#exitCode());
  }

  #exitCode(): number {
    if (this.socket.isAnswered) return 0;
    // As a shell reports a process that a signal has ended.
    return this.#signal === undefined ? 1 : 128 + constants.signals[this.#signal];
  }
}

/** Whether `promise`, which never rejects, is settled within the time. */
async function isSettled(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, LONGEST_TIMER_MS), false);
  });
  const settled = await Promise.race([promise.then(() => true), deadline]);
  clearTimeout(timer);
  return settled;
}

function printError(error: unknown): void {
  console.error('CGI: the application could not be closed:', error);
}
