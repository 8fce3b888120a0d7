// One request and its response as Fetch knows them, on one connection: runs the handler, sends what it returns, and tells
// it when the client leaves. No object of `node:http` is made.

import { AbortError } from '@scgi/core';
import type { BridgedRequest, RequestHandler } from '@scgi/core/server';
import { RequestBody, ResponseWriter } from '@scgi/core/server';
import { bodySource } from './body-source.js';
import type { FetchBridge } from './bridge.js';
import { RequestContext } from './context.js';
import { createRequest } from './create-request.js';
import { IncomingBody } from './incoming-body.js';
import { ScgiRequestSource } from './request-source.js';
import { LightResponse } from './light-response.js';
import type { ResponseLike, ResponseOwner } from './response.js';
import { bodyOf, cancelBody, fieldsOf, isResponseLike, ResponseStream } from './response.js';
import type { WebSocketListeners } from './websocket.js';
import { acceptedBy } from './websocket.js';

const failureText = 'Internal Server Error\n';
const plainText = ['content-type', 'text/plain'];

/** Methods that no Request can have. */
const impossible = /^(?:connect|trace|track)$/i;

export class FetchExchange implements RequestHandler, ResponseOwner {
  readonly writer: ResponseWriter;
  readonly context: RequestContext;
  readonly source: ScgiRequestSource;
  readonly #bridge: FetchBridge;
  readonly #bridged: BridgedRequest;
  readonly #body: RequestBody | null;
  readonly #incoming: IncomingBody | null;
  #request: Request | undefined;
  #stream: ResponseStream | undefined;
  #isClosed: boolean;
  /** The connection is a WebSocket's, who hears of its end. */
  #isUpgraded: boolean;

  constructor(bridge: FetchBridge, bridged: BridgedRequest) {
    this.#bridge = bridge;
    this.#bridged = bridged;
    this.#body = bridged.head.bodyLength === 0 ? null : new RequestBody(bridged.connection);
    this.#incoming = this.#body === null ? null : new IncomingBody(this.#body);
    this.writer = new ResponseWriter(bridged);
    this.source = new ScgiRequestSource(bridged, this.#incoming);
    this.context = new RequestContext(bridged, this.source, (promise) => {
      bridge.work.add(promise, (error) => bridge.onError(error, this.request));
    });
    this.#request = undefined;
    this.#stream = undefined;
    this.#isClosed = false;
    this.#isUpgraded = false;
  }

  get request(): Request {
    return (this.#request ??= createRequest(this.source));
  }

  get responseStarted(): boolean {
    return this.writer.headSent;
  }

  get responseEnded(): boolean {
    return this.writer.ended;
  }

  get bufferedBytes(): number {
    return this.#body?.bufferedBytes ?? 0;
  }

  start(): void {
    if (impossible.test(this.#bridged.facts.method)) {
      this.writer.send(501, undefined, plainText, 'Not Implemented\n', this.discardsRest());
      return;
    }
    try {
      const result = this.#bridge.handler(this.request, this.context, this.context);
      if (!isThenable(result)) this.#respond(result);
      else
        result.then(
          (response) => this.#respond(response),
          (error: unknown) => this.fail(error),
        );
    } catch (error) {
      this.fail(error);
    }
  }

  onBody(chunk: Uint8Array): boolean {
    return this.#body?.push(chunk) ?? true;
  }

  discardBody(): boolean {
    return this.#incoming?.drop() ?? true;
  }

  onEnd(): void {
    this.#body?.end();
  }

  onDrain(): void {
    this.#stream?.resume();
  }

  onClose(): void {
    this.#isClosed = true;
    if (this.#isUpgraded) return;
    if (this.writer.ended && (this.#body?.isComplete ?? true)) return;
    const reason = new AbortError('ERR_SCGI_CLIENT_GONE');
    this.#body?.fail(reason);
    if (this.writer.ended) return;
    this.source.abort(reason);
    this.#stream?.cancel(reason);
  }

  discardsRest(): boolean {
    return this.discardBody();
  }

  /** Answers for a handler that fails: 500 before the head, a broken connection behind it. */
  fail(error: unknown): void {
    const { writer } = this;
    if (!writer.ended) {
      if (writer.headSent) writer.breakOff();
      else writer.send(500, undefined, plainText, failureText, this.discardsRest());
    }
    // What the hook throws is the application's own: it ends the process as any uncaught error does.
    this.#bridge.onError(error, this.request);
  }

  #respond(response: unknown): void {
    if (!isResponseLike(response)) {
      this.fail(new TypeError('the handler returned no Response'));
    } else if (this.#isClosed) {
      cancelBody(response, this.source.signal.reason);
    } else {
      try {
        this.#send(response);
      } catch (error) {
        cancelBody(response, error);
        this.fail(error);
      }
    }
  }

  #upgrade(response: ResponseLike, listeners: WebSocketListeners): void {
    const { webSockets, onError } = this.#bridge;
    const { connection } = this.#bridged;
    // Not before the next turn, so the request, which has no body, is complete by then.
    webSockets
      .accept(connection, this.request, fieldsOf(response), listeners, (error) => onError(error, this.request))
      .then(
        () => (this.#isUpgraded = true),
        (error: unknown) => this.fail(error),
      );
  }

  #send(response: ResponseLike): void {
    const { status, statusText } = response;
    const webSocket = acceptedBy(this.source, status, response.headers);
    if (webSocket !== undefined) {
      this.#upgrade(response, webSocket);
      return;
    }
    const light = LightResponse.partsOf(response);
    if (light !== undefined) {
      this.writer.send(status, undefined, light.fields, light.body, this.discardsRest());
      return;
    }
    const isBodyless = this.#bridged.facts.method === 'HEAD' || status === 204 || status === 304;
    const source = isBodyless ? undefined : bodySource(response);
    if (source !== undefined) {
      this.writer.send(status, statusText, fieldsOf(response), source, this.discardsRest());
      return;
    }
    const body = isBodyless ? null : bodyOf(response);
    if (body === null) {
      this.writer.send(status, statusText, fieldsOf(response), null, this.discardsRest());
      cancelBody(response);
    } else {
      this.#stream = new ResponseStream(this, response, body);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
