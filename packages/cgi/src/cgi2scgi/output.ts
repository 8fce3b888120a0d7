// Standard output of a CGI program: never waited for, so that a web server which sends all of a body before it reads can
// be read from meanwhile. Knows octets and nothing of CGI.

import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** What the web server reads. */
export class Output {
  readonly #stream: Writable;

  /**
   * @param onDrain takes more after a `write` that returned false
   * @param onGone nobody reads any more
   */
  constructor(onDrain: () => void, onGone: () => void) {
    const status = fstatSync(1);
    // process.stdout cannot be closed, and the web server waits for that. A file or a terminal does not wait.
    const isStream = status.isFIFO() || status.isSocket();
    this.#stream = isStream ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout;
    this.#stream.on('drain', onDrain);
    this.#stream.on('error', onGone);
  }

  /** Returns false when the next piece should wait. */
  write(bytes: Uint8Array): boolean {
    return this.#stream.write(bytes);
  }

  /** No more will be written; resolves when all is. */
  end(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(() => resolve()));
  }

  /** Resolves when all is written. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#stream.write('', () => resolve()));
  }
}
