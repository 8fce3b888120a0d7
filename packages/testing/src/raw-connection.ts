// A raw SCGI connection whose steps a test decides: connect, send, see, end, reset, leave. What comes is kept as it is.

import { encodeRequest } from '@scgi/core/protocol';
import type { BackendTarget } from '@scgi/client/exchange';
import { BackendSocket, parseTarget } from '@scgi/client/exchange';
import type { Deferred } from './deadline.js';
import { defer, within } from './deadline.js';
import type { RawResponse } from './raw-response.js';
import { readRawResponse } from './raw-response.js';

/** Bytes; text is latin1. */
export type RawBytes = Uint8Array | string;

/** By name, or flat: name, value, name, value … CONTENT_LENGTH and SCGI are added. */
export type RawVariables = Readonly<Record<string, string>> | readonly string[];

/** Options of `openRaw`. */
export interface RawConnectionOptions {
  /** For everything that a test waits for, milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Method of the request, which decides whether the answer has a body. Default: that of `sendHead`, else GET. */
  readonly method?: string | undefined;
}

/** Turns of the event loop after a piece: enough for a server in this process to read each one alone. */
const TURNS_BETWEEN_PIECES = 5;
/** What comes together with the end of a request may be a half-close; a client that leaves does so later. */
const TURNS_BEFORE_LEAVING = 10;

/** A connection that is open. */
export class RawConnection {
  /** For what the methods below cannot say, such as writing without waiting. */
  readonly socket: BackendSocket;
  readonly #timeoutMs: number;
  readonly #chunks: Uint8Array[];
  /** The same, for those who look at it again and again. */
  #text: string;
  readonly #watchers: Set<() => void>;
  readonly #ended: Deferred<'fin' | 'reset'>;
  #method: string | undefined;

  /** See `openRaw`. */
  constructor(options: RawConnectionOptions) {
    this.#timeoutMs = options.timeout ?? 5000;
    this.#chunks = [];
    this.#text = '';
    this.#watchers = new Set();
    this.#ended = defer();
    this.#method = options.method;
    this.socket = new BackendSocket((bytes) => {
      this.#chunks.push(bytes);
      this.#text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
      for (const watch of this.#watchers) watch();
    });
    // A reset that met a write first shows itself to the reader as an end.
    this.socket.on('end', () => this.#end(this.socket.writeError === undefined ? 'fin' : 'reset'));
    this.socket.on('error', () => this.#end('reset'));
  }

  /** For `openRaw`. */
  connect(target: BackendTarget): Promise<void> {
    const { connect } = parseTarget(target);
    const connected = new Promise<void>((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.connect(connect, () => {
        this.socket.off('error', reject);
        resolve();
      });
    });
    return this.#within(connected, 'did not accept');
  }

  /** Sends a request head that promises `bodyLength` bytes of body. */
  sendHead(variables: RawVariables, bodyLength: number = 0): Promise<void> {
    const flat = isList(variables) ? variables : Object.entries(variables).flat();
    const name = flat.findIndex((text, index) => index % 2 === 0 && text === 'REQUEST_METHOD');
    if (name !== -1) this.#method ??= flat[name + 1];
    return this.send(encodeRequest(flat, bodyLength));
  }

  /** Sends the pieces one by one: the next leaves when the kernel has this one and a server has had time to read it. */
  async send(...pieces: readonly RawBytes[]): Promise<void> {
    for (const piece of pieces) {
      if (this.socket.destroyed) return;
      await new Promise<void>((resolve) => this.socket.write(toBytes(piece), () => resolve()));
      await turns(TURNS_BETWEEN_PIECES);
    }
  }

  /** Everything received so far, as latin1. */
  received(): string {
    return this.#text;
  }

  /** Resolves when what was received contains `text`, or is that many bytes. */
  sees(text: string | number): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const watch = (): void => {
        const received = this.received();
        if (typeof text === 'number' ? received.length < text : !received.includes(text)) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
    return this.#within(seen, typeof text === 'number' ? `sent no ${text} bytes` : `sent no ${JSON.stringify(text)}`);
  }

  /** Reads no more until `resume`, but for what is being read. */
  pause(): void {
    this.socket.pauseReading();
  }

  resume(): void {
    this.socket.resumeReading();
  }

  /** Ends our side; the answer can still come. */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection. A Unix socket is closed: its peer sees a reset only if we have left something unread. */
  reset(): void {
    if (this.socket.remoteAddress === undefined) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Closes both directions, late enough not to be taken for a half-close that came with the request. */
  async leave(): Promise<void> {
    await turns(TURNS_BEFORE_LEAVING);
    this.socket.destroy();
  }

  /** Resolves with all that came when the server has ended the connection. */
  async closed(): Promise<RawResponse> {
    const ended = await this.#within(this.#ended.promise, 'did not close');
    return readRawResponse(Buffer.concat(this.#chunks), ended, this.#method ?? 'GET');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }

  #end(by: 'fin' | 'reset'): void {
    this.#ended.resolve(by);
    this.socket.end();
  }

  #within<T>(promise: Promise<T>, failure: string): Promise<T> {
    return within(promise, this.#timeoutMs, () => {
      const text = this.received();
      const state = this.socket.pending ? '' : `; received ${text.length} bytes: ${JSON.stringify(text.slice(0, 200))}`;
      return `the SCGI server ${failure}${state}, within ${this.#timeoutMs} ms`;
    });
  }
}

/**
 * Connects, and sends nothing yet.
 *
 * @param target where the server listens: 4000, '127.0.0.1:4000', 'unix:/run/app.sock'
 * @throws {Error} when no connection is made
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export async function openRaw(target: BackendTarget, options: RawConnectionOptions = {}): Promise<RawConnection> {
  const connection = new RawConnection(options);
  try {
    await connection.connect(target);
  } catch (error) {
    connection.socket.destroy();
    throw error;
  }
  return connection;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function toBytes(piece: RawBytes): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}

function isList<Item>(value: readonly Item[] | object): value is readonly Item[] {
  return Array.isArray(value);
}
