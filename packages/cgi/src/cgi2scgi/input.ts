// Standard input of a CGI program: as many bytes as CONTENT_LENGTH says, and not one read before it is wanted.

import { fstatSync } from 'node:fs';

/** How long the rest of a body is read and thrown away, milliseconds: as requestTimeout of @scgi/core. */
const DISCARD_TIMEOUT_MS = 300_000;

/** The body of the request. */
export class Input {
  /** Some of it was read: the request cannot be sent again. */
  touched: boolean;
  #left: number;
  #take: (chunk: Uint8Array) => boolean;
  #onShort: () => void;
  #listening: boolean;

  /** @param length bytes of body */
  constructor(length: number) {
    this.touched = false;
    this.#left = length;
    this.#take = () => true;
    this.#onShort = () => {};
    this.#listening = false;
  }

  /**
   * Reads from now on.
   * @param take gets each piece; returns false to ask for a pause until `resume`
   * @param onShort the input has ended too early
   */
  start(take: (chunk: Uint8Array) => boolean, onShort: () => void): void {
    if (this.#left === 0) return;
    this.#take = take;
    this.#onShort = onShort;
    this.resume();
  }

  /** Reads no more until `start` or `resume`. */
  pause(): void {
    if (this.#listening) process.stdin.pause();
  }

  resume(): void {
    if (this.#left === 0) return;
    if (!this.#listening) this.#listen();
    process.stdin.resume();
  }

  /** Never reads again, so that nothing holds this process. */
  close(): void {
    this.#left = 0;
    if (this.#listening) process.stdin.destroy();
  }

  /**
   * Apache's mod_cgid gives one socket for standard input and output. Closed with unread input it is reset, and Apache
   * drops the answer that lies in it; so the rest of the body is read and thrown away. Pipes have no such trouble.
   * @param idleTimeout between two pieces, milliseconds; 0 for none
   */
  async discard(idleTimeout: number): Promise<void> {
    if (this.#left === 0 || !fstatSync(0).isSocket()) return;
    await new Promise<void>((resolve) => {
      const total = setTimeout(() => done(), DISCARD_TIMEOUT_MS);
      const idle = setTimeout(() => done(), idleTimeout > 0 ? idleTimeout : DISCARD_TIMEOUT_MS);
      const done = (): void => {
        clearTimeout(total);
        clearTimeout(idle);
        resolve();
      };
      this.start(() => {
        idle.refresh();
        if (this.#left === 0) done();
        return true;
      }, done);
    });
  }

  #listen(): void {
    this.#listening = true;
    process.stdin.on('data', (chunk: Buffer) => this.#receive(chunk));
    process.stdin.on('end', () => this.#end());
    process.stdin.on('error', () => this.#end());
  }

  #receive(chunk: Buffer): void {
    const bytes = chunk.subarray(0, this.#left);
    if (bytes.length === 0) return;
    this.touched = true;
    this.#left -= bytes.length;
    if (!this.#take(bytes) || this.#left === 0) process.stdin.pause();
  }

  #end(): void {
    if (this.#left === 0) return;
    this.#left = 0;
    this.#onShort();
  }
}
