// A WebSocket as SSGI has it: pending, then accepted or rejected, then closed. Where the request came from and how the
// answer gets back is the handshake's business; frames are those of ws.

import type { Duplex } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';
import type { SsgiHost } from './host.js';
import { addFields, parseStatus, plainAnswer } from './response-head.js';
import type { FailedRequest, SsgiExtensions, SsgiHeaders, SsgiWebSocket } from './types.js';
import type { FramedSocket } from './websocket-framing.js';
import { statusOf } from './work.js';

/** A request that may become a WebSocket. */
export interface Handshake {
  readonly method: string;
  readonly url: string;
  readonly extensions: SsgiExtensions;
  /** All fields, by lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Gives the socket away, with what came behind the request. Called once, while the client is there. */
  takeSocket(): { readonly socket: Duplex; readonly head: Buffer };
  /** Answers an ordinary response. */
  refuse(status: number, reason: string | undefined, fields: readonly string[], body: string | Uint8Array | null): void;
}

const Status = { pending: 0, rejected: 1, closed: 2, accepted: 3 } as const;

/** RFC 6455 §7.4.1: closed without a close frame; the server failed. */
const ABNORMAL = 1006;
const INTERNAL_ERROR = 1011;

export class WebSocketSession implements SsgiWebSocket {
  readonly #handshake: Handshake;
  readonly #host: SsgiHost;
  #status: 0 | 1 | 2 | 3 = Status.pending;
  /** `accept` was called; it may have to wait for ws to be loaded. */
  #accepting: boolean = false;
  #running: number = 0;
  #stream: Duplex | undefined = undefined;
  #framed: FramedSocket | undefined = undefined;
  #receivers: ((message: string | Buffer) => unknown)[] = [];
  #closeListeners: ((code: number, reason: string) => unknown)[] = [];

  constructor(handshake: Handshake, host: SsgiHost) {
    this.#handshake = handshake;
    this.#host = host;
  }

  get status(): 0 | 1 | 2 | 3 {
    return this.#status;
  }

  get extensions(): SsgiExtensions {
    return this.#handshake.extensions;
  }

  get bufferedAmount(): number {
    return this.#framed?.bufferedAmount ?? 0;
  }

  /** Runs the application. */
  start(handler: () => unknown): void {
    this.#run(handler);
    this.#checkAnswered();
  }

  /** The client left, or its socket closed in any other way. */
  gone(): void {
    // An accepted WebSocket hears it from ws, with the code.
    if (this.#status === Status.pending) this.#closed(ABNORMAL, '');
  }

  async accept(protocol?: string): Promise<boolean> {
    if (this.#status !== Status.pending || this.#accepting) return false;
    this.#accepting = true;
    const server = await this.#host.framing.load();
    if (!this.#isPending()) return false;
    const { method, headers } = this.#handshake;
    const { socket, head } = this.#handshake.takeSocket();
    // What ws does not find to be a handshake it answers 400 by itself, and never calls back.
    this.#status = Status.rejected;
    this.#stream = socket;
    server.handleUpgrade({ method, headers, protocol }, socket, head, (framed) => this.#open(framed));
    return !this.#isRejected();
  }

  async reject(
    status: number | string = 403,
    payload?: string | Uint8Array | null,
    headers?: SsgiHeaders,
  ): Promise<boolean> {
    if (this.#status !== Status.pending) return false;
    const line = parseStatus(status);
    if (payload === undefined && headers === undefined) {
      const { fields, body } = plainAnswer(line.status);
      this.#refuse(line.status, line.reason, fields, body);
    } else {
      const fields: string[] = [];
      addFields(fields, headers ?? []);
      this.#refuse(line.status, line.reason, fields, payload ?? null);
    }
    return true;
  }

  send(payload: string | Uint8Array): boolean {
    if (this.#status === Status.pending) throw notAccepted('send');
    if (this.#framed === undefined || this.#status !== Status.accepted) return false;
    this.#framed.send(payload);
    return this.#stream?.writableNeedDrain === false;
  }

  async drained(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed || !stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        stream.removeListener('drain', settle);
        stream.removeListener('close', settle);
        resolve();
      };
      stream.on('drain', settle);
      stream.on('close', settle);
    });
  }

  close(code: number = 1000, reason?: string): void {
    if (this.#status === Status.pending) throw notAccepted('close');
    this.#framed?.close(code, reason);
  }

  onReceive<Arguments extends readonly unknown[]>(
    listener: (socket: SsgiWebSocket, message: string | Buffer, ...args: Arguments) => unknown,
    ...args: Arguments
  ): void {
    this.#receivers.push((message) => listener(this, message, ...args));
  }

  onClose<Arguments extends readonly unknown[]>(
    listener: (socket: SsgiWebSocket, code: number, reason: string, ...args: Arguments) => unknown,
    ...args: Arguments
  ): void {
    this.#closeListeners.push((code, reason) => listener(this, code, reason, ...args));
  }

  runAsync<Arguments extends readonly unknown[]>(task: (...args: Arguments) => unknown, ...args: Arguments): void {
    this.#run(() => task(...args));
  }

  // A method each, because a comparison would make the compiler forget that a call in between may change it.
  #isPending(): boolean {
    return this.#status === Status.pending;
  }

  #isRejected(): boolean {
    return this.#status === Status.rejected;
  }

  #open(framed: FramedSocket): void {
    this.#status = Status.accepted;
    this.#framed = framed;
    framed.on('message', (data, isBinary) => this.#receive(isBinary ? data : data.toString()));
    framed.on('close', (code, reason) => this.#closed(code, reason.toString()));
    // `close` follows, and says as much.
    framed.on('error', () => {});
    this.#host.framing.track(framed);
    if (this.#receivers.length > 0) return;
    // The application that waits for `accept` sets its listeners behind it: a message may be here already.
    framed.pause();
    setImmediate(() => framed.resume());
  }

  #receive(message: string | Buffer): void {
    for (const receiver of this.#receivers) this.#run(() => receiver(message));
  }

  #closed(code: number, reason: string): void {
    this.#status = Status.closed;
    for (const listener of this.#closeListeners) this.#run(() => listener(code, reason));
  }

  #run(task: () => unknown): void {
    const goesOn = this.#host.work.run(
      task,
      (error) => this.#fail(error),
      () => {
        this.#running -= 1;
        this.#checkAnswered();
      },
    );
    if (goesOn) this.#running += 1;
  }

  /** Nobody is left who could answer: the client would wait for ever. */
  #checkAnswered(): void {
    const waits = this.#running > 0 || this.#accepting || this.#closeListeners.length > 0;
    if (waits || this.#status !== Status.pending) return;
    const remedy = 'accept, reject, return a promise, or call runAsync or onClose';
    this.#fail(new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the handler returned without an answer', remedy }));
  }

  #fail(error: unknown): void {
    const { method, url } = this.#handshake;
    const request: FailedRequest = { method, url, aborted: this.#status === Status.closed };
    if (this.#status === Status.pending) {
      const { status, fields, body } = plainAnswer(statusOf(error));
      this.#refuse(status, undefined, fields, body);
    } else if (this.#status === Status.accepted) {
      this.#framed?.close(INTERNAL_ERROR);
    }
    this.#host.onError(error, request);
  }

  #refuse(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    body: string | Uint8Array | null,
  ): void {
    this.#handshake.refuse(status, reason, fields, body);
    this.#status = Status.rejected;
  }
}

function notAccepted(call: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_STATE', { call, fault: 'the WebSocket is not accepted' });
}
