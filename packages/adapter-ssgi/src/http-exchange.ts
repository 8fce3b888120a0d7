// One HTTP request and its response as SSGI has them, on the connection driver. This is the object that the application
// gets, and the one that the driver calls; how bytes are framed, and when a connection may end, is @scgi/core's.

import { LocalProtocolError, RemoteProtocolError } from '@scgi/core';
import { ResponseWriter } from '@scgi/core/server';
import type { BridgedRequest, RequestHandler } from '@scgi/core/server';
import { formatAddress } from './addresses.js';
import { BodyReader } from './body-reader.js';
import { clientGone, Departure } from './departure.js';
import { RequestExtensions } from './extensions.js';
import { createGetHeader } from './header-lookup.js';
import type { SsgiHost } from './host.js';
import { addFields, contentLengthOf, parseStatus, plainAnswer } from './response-head.js';
import type { SsgiExtensions, SsgiHeaders, SsgiHttpHandler, SsgiHttpResponse } from './types.js';
import { isThenable, statusOf } from './work.js';

const noFields: string[] = [];

export class HttpExchange implements RequestHandler, SsgiHttpResponse {
  readonly #request: BridgedRequest;
  readonly #handler: SsgiHttpHandler;
  readonly #host: SsgiHost;
  readonly #writer: ResponseWriter;
  #status: number = 200;
  #reason: string | undefined = undefined;
  #fields: string[] = noFields;
  #reader: BodyReader | undefined = undefined;
  /** Bytes of the body that were given, and that the head promises. */
  #given: number = 0;
  #promised: number | undefined = undefined;
  #bodyAsked: boolean = false;
  #failed: boolean = false;
  #running: number = 0;
  readonly #departure: Departure = new Departure();
  #drainWaiters: (() => void)[] | undefined = undefined;
  #extensions: SsgiExtensions | undefined = undefined;

  constructor(request: BridgedRequest, handler: SsgiHttpHandler, host: SsgiHost) {
    this.#request = request;
    this.#handler = handler;
    this.#host = host;
    this.#writer = new ResponseWriter(request);
  }

  // For the driver.

  get responseStarted(): boolean {
    return this.#writer.headSent;
  }

  get responseEnded(): boolean {
    return this.#writer.ended;
  }

  get bufferedBytes(): number {
    return this.#reader?.bufferedBytes ?? 0;
  }

  start(): void {
    const { facts, head, url } = this.#request;
    const query = url.indexOf('?');
    let result: unknown;
    try {
      // A call of the bare function: the exchange is no `this` of its.
      const handler = this.#handler;
      result = handler(
        'http',
        formatAddress(facts.localAddress ?? facts.serverName, facts.localPort),
        formatAddress(facts.remoteAddress, facts.remotePort),
        facts.method,
        query === -1 ? url : url.slice(0, query),
        query === -1 ? '' : url.slice(query + 1),
        createGetHeader(head.text, facts),
        this,
      );
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (isThenable(result)) this.#follow(result);
    else if (!this.#writer.headSent && !this.#bodyAsked) this.#checkAnswered();
  }

  onBody(chunk: Uint8Array): boolean {
    return this.#body().push(chunk);
  }

  discardBody(): boolean {
    return this.#body().decline();
  }

  onEnd(): void {
    this.#reader?.end();
  }

  onDrain(): void {
    this.#wakeWriters();
  }

  onClose(): void {
    this.#reader?.fail(clientGone());
    if (!this.#writer.ended) this.#departure.announce();
    this.#wakeWriters();
  }

  // For the application.

  get aborted(): boolean {
    return this.#departure.happened;
  }

  get signal(): AbortSignal {
    return this.#departure.signal;
  }

  get extensions(): SsgiExtensions {
    return (this.#extensions ??= new RequestExtensions(this.#request));
  }

  sendStatus(given: number | string): void {
    this.#assertOpenHead('sendStatus');
    const { status, reason } = parseStatus(given);
    this.#status = status;
    this.#reason = reason;
  }

  sendHeaders(headers: SsgiHeaders): void {
    this.#assertOpenHead('sendHeaders');
    if (this.#fields === noFields) this.#fields = [];
    addFields(this.#fields, headers);
  }

  send(payload: string | Uint8Array | null = null, hasMore: boolean = false): boolean {
    if (!this.#mayWrite()) return false;
    const writer = this.#writer;
    if (!writer.headSent && !hasMore) {
      writer.send(this.#status, this.#reason, this.#fields, payload, this.#declineBody());
      return !writer.isBlocked;
    }
    if (!writer.headSent) this.#writeHead();
    try {
      if (payload !== null && payload.length > 0) this.#write(payload);
    } catch (error) {
      // Content-Length is fulfilled, so what the client has is whole; the application hears that there was more.
      this.#end();
      throw error;
    }
    if (!hasMore) this.#end();
    return !writer.isBlocked;
  }

  async drained(): Promise<void> {
    if (this.aborted || !this.#writer.isBlocked) return;
    await new Promise<void>((resolve) => (this.#drainWaiters ??= []).push(resolve));
  }

  async sendChunk(chunk: string | Uint8Array, totalSize: number): Promise<readonly [ok: boolean, done: boolean]> {
    if (!Number.isSafeInteger(totalSize) || totalSize < 0) {
      throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'totalSize', value: totalSize });
    }
    if (!this.#mayWrite()) return [false, true];
    if (!this.#writer.headSent) {
      if (contentLengthOf(this.#fields) === undefined) {
        this.#fields = [...this.#fields, 'Content-Length', String(totalSize)];
      }
      this.#writeHead();
    }
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const excess = this.#given + bytes.length - totalSize;
    this.send(excess > 0 ? bytes.subarray(0, bytes.length - excess) : bytes, this.#given + bytes.length < totalSize);
    if (excess > 0) {
      this.#report(new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { totalSize, excess }));
      return [false, true];
    }
    if (this.#writer.ended) return [true, true];
    await this.drained();
    return this.#mayWrite() ? [true, false] : [false, true];
  }

  async getData(): Promise<Buffer | null> {
    this.#bodyAsked = true;
    const { bodyLength } = this.#request.head;
    if (bodyLength === 0) return null;
    const { maxDataBytes } = this.#host;
    if (bodyLength > maxDataBytes) {
      throw new RemoteProtocolError('ERR_SCGI_BODY_TOO_LARGE', { bodyLength, maxDataBytes });
    }
    return this.#body().takeAll();
  }

  async getChunk(): Promise<Buffer | null> {
    this.#bodyAsked = true;
    return this.#request.head.bodyLength === 0 ? null : this.#body().take();
  }

  runAsync<Arguments extends readonly unknown[]>(task: (...args: Arguments) => unknown, ...args: Arguments): void {
    this.#run(() => task(...args));
  }

  onAborted<Arguments extends readonly unknown[]>(listener: (...args: Arguments) => unknown, ...args: Arguments): void {
    this.#departure.listen(() => this.#run(() => listener(...args)));
  }

  #body(): BodyReader {
    return (this.#reader ??= new BodyReader(this.#request.connection));
  }

  /** Whether the connection may drop the rest of the request: nobody has asked for it. */
  #declineBody(): boolean {
    return this.#request.head.bodyLength === 0 || this.#body().decline();
  }

  #mayWrite(): boolean {
    if (this.aborted || this.#failed) return false;
    if (this.#writer.ended) throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the response has ended' });
    return true;
  }

  #assertOpenHead(call: string): void {
    if (this.#writer.headSent) throw new LocalProtocolError('ERR_SCGI_STATE', { call, fault: 'the head is sent' });
  }

  #writeHead(): void {
    this.#writer.writeHead(this.#status, this.#reason, this.#fields);
    this.#promised = contentLengthOf(this.#fields);
  }

  #write(payload: string | Uint8Array): void {
    this.#given += typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
    this.#writer.write(payload);
  }

  #end(): void {
    const isShort = this.#promised !== undefined && this.#given < this.#promised && this.#writer.hasBody;
    this.#writer.end(this.#declineBody());
    if (!isShort) return;
    const details = { stated: this.#promised, length: this.#given };
    this.#report(new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', details));
  }

  #wakeWriters(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = undefined;
    for (const resolve of waiters ?? []) resolve();
  }

  #run(task: () => unknown): void {
    const goesOn = this.#host.work.run(
      task,
      (error) => this.#fail(error),
      () => this.#settle(),
    );
    if (goesOn) this.#running += 1;
  }

  #follow(promise: PromiseLike<unknown>): void {
    this.#running += 1;
    this.#host.work.follow(
      promise,
      (error) => this.#fail(error),
      () => this.#settle(),
    );
  }

  #settle(): void {
    this.#running -= 1;
    this.#checkAnswered();
  }

  /** Nobody is left who could answer: the client would wait for ever. */
  #checkAnswered(): void {
    if (this.#running > 0 || this.#writer.headSent || this.aborted || this.#departure.isAwaited) return;
    const remedy = 'send a response, return a promise, or call runAsync or onAborted';
    this.#fail(new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the handler returned without a response', remedy }));
  }

  /** The handler is lost: the client gets a status, or a response that is visibly broken. */
  #fail(error: unknown): void {
    const writer = this.#writer;
    if (!this.aborted && !writer.ended) {
      this.#failed = true;
      const { status, fields, body } = plainAnswer(statusOf(error));
      if (writer.headSent) writer.breakOff();
      else writer.send(status, undefined, fields, body, this.#declineBody());
    }
    this.#report(error);
  }

  #report(error: unknown): void {
    this.#host.onError(error, { method: this.#request.facts.method, url: this.#request.url, aborted: this.aborted });
  }
}
