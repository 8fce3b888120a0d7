// The standard streams of a CGI program as one socket: first the request head made from its environment, then the body
// from the input; what is written goes to the output. With it the connection driver and every bridge work unchanged.
// Knows neither the environment nor descriptors.

import { VirtualSocket } from '../node/internals/virtual-socket.js';
import { connectionOf } from '../server/index.js';
import type { CgiRequest } from './cgi-request.js';
import type { StandardStreams } from './standard-streams.js';

type Done = (error?: Error | null) => void;

/** Written at once, so that a slow peer's progress shows. Precedent: what Node reads at once. */
const PIECE_BYTES = 64 * 1024;

export class StdioSocket extends VirtualSocket {
  readonly #streams: StandardStreams;
  #head: Uint8Array | undefined;
  #bodyBytesLeft: number;
  #isAnswered: boolean;

  constructor({ head, bodyLength }: CgiRequest, streams: StandardStreams) {
    super();
    this.#streams = streams;
    this.#head = head;
    this.#bodyBytesLeft = bodyLength;
    this.#isAnswered = false;
    // Until a server takes it, nobody else listens.
    this.on('error', () => {});
    // A write that fails hears of it too; but a front end may be gone before the next one.
    const onError = (error: Error): void => void this.destroy(error);
    streams.output.on('error', onError);
    streams.input
      ?.on('data', (chunk: Buffer) => this.#receive(chunk))
      .on('end', () => this.#receiveEnd())
      .on('error', onError);
  }

  /** A whole answer was written. Known once the socket is closed. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  override _read(): void {
    const head = this.#head;
    if (head === undefined) {
      if (this.#bodyBytesLeft > 0) this.#streams.input?.resume();
      return;
    }
    this.#head = undefined;
    this.countRead(head.length);
    this.push(head);
  }

  #receive(chunk: Uint8Array): void {
    if (this.destroyed) return;
    // Nobody reads beyond the body.
    const bytes = chunk.length > this.#bodyBytesLeft ? chunk.subarray(0, this.#bodyBytesLeft) : chunk;
    this.#bodyBytesLeft -= bytes.length;
    this.countRead(bytes.length);
    const more = this.push(bytes);
    if (!more || this.#bodyBytesLeft === 0) this.#streams.input?.pause();
    if (this.writableFinished) this.#endBody();
  }

  /** An end behind the body says nothing: mod_cgid closes its half then. */
  #receiveEnd(): void {
    if (this.#bodyBytesLeft > 0 && !this.destroyed) this.push(null);
  }

  /** Behind the answer nobody takes it for a client that leaves; a request that was refused waits for it. */
  #endBody(): void {
    if (this.#bodyBytesLeft === 0 && !this.readableEnded && !this.destroyed) this.push(null);
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    this.#send(toBytes(chunk, encoding), done);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    const all = chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding));
    const total = all.reduce((sum, { length }) => sum + length, 0);
    if (total > PIECE_BYTES) {
      this.#sendAll(all, done);
      return;
    }
    const { output } = this.#streams;
    output.cork();
    for (const bytes of all.slice(0, -1)) output.write(bytes);
    this.#write(all.at(-1) ?? Buffer.alloc(0), total, done);
    output.uncork();
  }

  #sendAll([first, ...rest]: readonly Uint8Array[], done: Done): void {
    if (first === undefined) done();
    else this.#send(first, (error) => (error ? done(error) : this.#sendAll(rest, done)));
  }

  #send(bytes: Uint8Array, done: Done): void {
    if (bytes.length <= PIECE_BYTES) {
      this.#write(bytes, bytes.length, done);
      return;
    }
    this.#write(bytes.subarray(0, PIECE_BYTES), PIECE_BYTES, (error) => {
      if (error) done(error);
      else this.#send(bytes.subarray(PIECE_BYTES), done);
    });
  }

  #write(bytes: Uint8Array, counted: number, done: Done): void {
    this.#streams.output.write(bytes, (error) => {
      if (!error) this.countWritten(counted);
      done(error);
    });
  }

  /** Each write has waited until the system took it. The end of the answer is that of the process: see serve-cgi.ts. */
  override _final(done: Done): void {
    done();
    this.#endBody();
  }

  protected override closeEnds(broken: boolean, onClosed: () => void): void {
    const given = connectionOf(this)?.isAnswered === true;
    this.#isAnswered = given && !broken && this.errored === null && this.writableLength === 0;
    this.#bodyBytesLeft = 0;
    this.#streams.input?.pause();
    setImmediate(onClosed);
  }
}

function toBytes(chunk: unknown, encoding: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('a socket takes strings and bytes');
}
