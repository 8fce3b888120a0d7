// The web server that has started this process: takes an answer, or one that says that there is none, and gets the reason
// into its log. Owns the standard streams and the end of the process. Knows nothing of SCGI.

import { writeSync } from 'node:fs';
import type { ScgiError } from '@scgi/core/protocol';
import { formatResponseHead, reasonPhrase, RemoteProtocolError } from '@scgi/core/protocol';
import { Input } from './input.js';
import { Output } from './output.js';

/** What the web server asked, and how it is answered. */
export class WebServer {
  readonly input: Input;
  /** Without a byte moving, milliseconds; 0 for none. */
  idleTimeout: number;
  /** Called when it takes more after a `write` that returned false. */
  onDrain: () => void;
  readonly #method: string;
  readonly #output: Output;
  #begun: boolean;

  /** @param bodyLength how much input to expect; Infinity for all there is */
  constructor(method: string, bodyLength: number) {
    this.input = new Input(bodyLength);
    this.idleTimeout = 60_000;
    this.onDrain = () => {};
    this.#method = method;
    this.#output = new Output(
      () => this.onDrain(),
      // Whoever serves the request sees its connection end with this process.
      () => process.exit(1),
    );
    this.#begun = false;
  }

  /** Copies a piece of the answer. Returns false when the next should wait for `onDrain`. */
  write(bytes: Uint8Array): boolean {
    this.#begun = true;
    return this.#output.write(bytes);
  }

  /** The answer is whole. */
  end(): void {
    this.input.pause();
    void this.#finish();
  }

  /** There is no answer, or no more of it. */
  fail(error: ScgiError): void {
    logFailure(error);
    process.exitCode = 1;
    this.input.pause();
    if (this.#begun) {
      // Not ended: where unread input makes a reset of it, the web server sees that the answer is broken.
      void this.#inTime(this.#output.flush()).then(() => process.exit(1));
      return;
    }
    this.#output.write(failureAnswer(error, this.#method));
    // Who is silent is not waited for once more.
    if (error.code === 'ERR_SCGI_IDLE_TIMEOUT') this.input.close();
    void this.#finish();
  }

  /** The process ends by itself once nothing is left to wait for. */
  async #finish(): Promise<void> {
    await this.#inTime(this.#output.end());
    await this.input.discard(this.idleTimeout);
    this.input.close();
  }

  /** What is left to write is no more than the pipe and our own buffer hold: it has this time once. */
  async #inTime(written: Promise<void>): Promise<void> {
    const { idleTimeout } = this;
    if (idleTimeout === 0) return written;
    const timer = setTimeout(() => {
      logFailure(new RemoteProtocolError('ERR_SCGI_IDLE_TIMEOUT', { idleTimeout }));
      process.exit(1);
    }, idleTimeout);
    await written;
    clearTimeout(timer);
  }
}

/** Writes to the web server's log. */
export function writeToLog(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody is there to be told.
  }
}

/** One line: nothing in it may begin another. */
function logFailure({ code, message }: ScgiError): void {
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  writeToLog(`cgi2scgi: ${code}: ${message.replaceAll(/[\0-\x1f\x7f]/g, '?')}\n`);
}

/** Nothing of the cause: whoever reads it may be anyone. */
function failureAnswer({ statusHint }: ScgiError, method: string): Uint8Array {
  const reason = reasonPhrase(statusHint);
  const body = `${statusHint} ${reason}\n`;
  const fields = ['Content-Type', 'text/plain', 'Content-Length', String(body.length)];
  return Buffer.from(formatResponseHead(statusHint, reason, fields) + (method === 'HEAD' ? '' : body));
}
