// One connection of a mock backend: what came is decoded and recorded, and nothing is read or sent unless the script
// asks for it. Knows no steps: play.ts does.

import type { Socket } from 'node:net';
import { RequestDecoder, ScgiError } from '@scgi/core/protocol';
import type { Deferred } from '../deadline.js';
import { defer, within } from '../deadline.js';

/** How a connection ended. */
export interface MockEnding {
  /** The client's FIN, its reset, or the mock itself, which broke it off first. */
  readonly by: 'fin' | 'reset' | 'mock';
  /** Milliseconds after it was accepted. */
  readonly afterMs: number;
  /** Bytes that had gone each way by then. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Bounds of what is recorded and waited for. */
export interface RecordSettings {
  readonly maxRecordedBody: number;
  readonly timeout: number;
}

/** One connection, and what the client has done with it so far. */
export class MockConnection {
  /** From 0, in the order of their acceptance. */
  readonly number: number;
  /** For what a script cannot say. */
  readonly socket: Socket;
  /** Flat, in wire order; empty until the head has come. */
  variables: readonly string[];
  /** By name; of a repeated one the last. */
  env: Readonly<Record<string, string>>;
  /** Bytes of the body that have come, and whether the request is whole. */
  bodyBytes: number;
  complete: boolean;
  /** What is wrong with the request, if anything is. */
  fault: ScgiError | undefined;
  bytesReceived: number;
  /** Bytes that the kernel has taken. */
  bytesSent: number;
  ended: MockEnding | undefined;
  readonly #settings: RecordSettings;
  readonly #acceptedAt: number;
  readonly #decoder: RequestDecoder;
  readonly #body: Buffer[];
  readonly #head: Deferred<void>;
  readonly #whole: Deferred<void>;
  readonly #ending: Deferred<MockEnding>;
  readonly #gone: Deferred<void>;
  #wanted: { isEnough(): boolean; done(): void; most(): number } | undefined;
  #pullScheduled: boolean;
  #listening: boolean;

  /** @param socket of a server with `pauseOnConnect`, `allowHalfOpen` and a high-water mark of 1 */
  constructor(socket: Socket, number: number, settings: RecordSettings) {
    this.number = number;
    this.socket = socket;
    this.variables = [];
    this.env = {};
    this.bodyBytes = 0;
    this.complete = false;
    this.fault = undefined;
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.ended = undefined;
    this.#settings = settings;
    this.#acceptedAt = performance.now();
    this.#decoder = new RequestDecoder();
    this.#body = [];
    this.#head = defer();
    this.#whole = defer();
    this.#ending = defer();
    this.#gone = defer();
    this.#wanted = undefined;
    this.#pullScheduled = false;
    this.#listening = false;
    socket.on('end', () => this.#end('fin'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code === 'EPIPE' ? 'fin' : 'reset'));
    socket.on('close', () => {
      this.#end('mock');
      this.#gone.resolve();
    });
  }

  /** The body, as far as it has come and up to `maxRecordedBody`. */
  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  /** Nothing more can be done with the socket. */
  get gone(): boolean {
    return this.socket.destroyed;
  }

  /** Resolves when the request head has come. */
  head(): Promise<void> {
    return this.#await(this.#head.promise, 'the head of the request');
  }

  /** Resolves with the body when the whole request has come. */
  async request(): Promise<Buffer> {
    await this.#await(this.#whole.promise, 'the whole request');
    return this.body;
  }

  /** Resolves when the client has ended its side or broken off. Only a script that reads can see that. */
  closed(): Promise<MockEnding> {
    return this.#await(this.#ending.promise, 'the end of the connection');
  }

  #await<T>(promise: Promise<T>, what: string): Promise<T> {
    const { timeout } = this.#settings;
    return within(promise, timeout, () => {
      return `waited ${timeout} ms for ${what} on connection ${this.number}; ${this.#describe()}`;
    });
  }

  #describe(): string {
    const { bytesReceived, bodyBytes, bytesSent, fault } = this;
    return `so far ${bytesReceived} bytes came, ${bodyBytes} of them body, and ${bytesSent} went${fault === undefined ? '' : `; ${fault.message}`}`;
  }

  /** Reads until `isEnough`, or the request turns out to be none; at most `most` bytes at once. */
  read(isEnough: () => boolean, most: () => number = unlimited): Promise<void> {
    return this.unlessGone(
      new Promise<void>((done) => {
        this.#wanted = { isEnough, done, most };
        this.#schedulePull();
      }),
    );
  }

  /** Reads on without end and forgets what comes behind the request, to see the client leave. Does not wait. */
  watch(): void {
    void this.read(never);
  }

  /** Resolves when the kernel has the bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || this.gone) return;
    const written = new Promise<boolean>((resolve) => this.socket.write(bytes, (error) => resolve(error == null)));
    await this.unlessGone(written.then((taken) => void (this.bytesSent += taken ? bytes.length : 0)));
  }

  /** Resolves with `promise`, or when the socket is closed, whichever is first. */
  unlessGone(promise: Promise<void>): Promise<void> {
    return Promise.race([promise, this.#gone.promise]);
  }

  /** Resolves when the client has ended its side. */
  left(): Promise<void> {
    return this.unlessGone(this.#ending.promise.then(() => {}));
  }

  /**
   * One read per turn of the event loop: when bytes and a reset are found in one poll, libuv reports an end in place of the
   * reset unless reading has stopped in between.
   */
  #schedulePull(): void {
    if (this.#pullScheduled) return;
    this.#pullScheduled = true;
    setImmediate(() => {
      this.#pullScheduled = false;
      this.#pull();
    });
  }

  #pull(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || this.gone) return;
    if (wanted.isEnough() || (this.fault !== undefined && wanted.isEnough !== never)) {
      this.#wanted = undefined;
      wanted.done();
      return;
    }
    if (!this.#listening) this.socket.on('readable', () => this.#schedulePull());
    this.#listening = true;
    const most = wanted.most();
    if (most <= 0) return;
    const { readableLength } = this.socket;
    const chunk: unknown = this.socket.read(readableLength > most ? most : undefined);
    if (!(chunk instanceof Uint8Array)) return;
    this.#take(chunk);
    this.#schedulePull();
  }

  /** Called when `most` allows more than before. */
  readOn(): void {
    this.#schedulePull();
  }

  #take(chunk: Uint8Array): void {
    this.bytesReceived += chunk.length;
    if (this.fault !== undefined || this.complete) return;
    this.#decoder.receiveData(chunk);
    try {
      for (let event = this.#decoder.nextEvent(); event !== null; event = this.#decoder.nextEvent()) {
        if (event.type === 'head') this.#takeHead(event.head.variables);
        else if (event.type === 'body') this.#takeBody(event.data);
        else this.#takeEnd();
      }
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      this.fault = error;
    }
  }

  #takeHead(variables: readonly string[]): void {
    this.variables = variables;
    const env: Record<string, string> = {};
    for (let index = 0; index < variables.length; index += 2) env[variables[index] ?? ''] = variables[index + 1] ?? '';
    this.env = env;
    this.#head.resolve();
  }

  #takeBody(data: Uint8Array): void {
    const room = this.#settings.maxRecordedBody - this.bodyBytes;
    if (room > 0) this.#body.push(Buffer.from(data.subarray(0, room)));
    this.bodyBytes += data.length;
  }

  #takeEnd(): void {
    this.complete = true;
    this.#whole.resolve();
  }

  #end(by: MockEnding['by']): void {
    if (this.ended !== undefined) return;
    const { bytesReceived, bytesSent } = this;
    this.ended = { by, afterMs: performance.now() - this.#acceptedAt, bytesReceived, bytesSent };
    this.#ending.resolve(this.ended);
  }
}

function unlimited(): number {
  return Infinity;
}

function never(): boolean {
  return false;
}
