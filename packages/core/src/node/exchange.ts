// One request and its response as real `http.IncomingMessage` and `http.ServerResponse` on the connection's own
// socket. Node's code does the streaming; this feeds the body in, shapes the head and ends the exchange.

import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ScgiRequest } from '../env/index.js';
import type { RequestHead } from '../protocol/index.js';
import type { RequestHandler, ScgiConnection } from '../server/index.js';
import { watchHeadLength } from '../server/index.js';
import type { ResponseClass, ResponseFields } from './internals/response.js';
import { closeUnobserved, detachAbortSignal, dumpUnread } from './internals/request.js';
import {
  bodyLength,
  copyUniqueFields,
  extendResponse,
  emitClose,
  headLength,
  inheritedEnd,
  prepareResponse,
  promiseBody,
  replaceHead,
  storeHead,
  takeNeedDrain,
  unsentHead,
} from './internals/response.js';
import { socketOf } from './internals/socket.js';
import { interimWriters, silenceInformation } from './interim-responses.js';
import { carryExchange } from './peer-socket.js';
import { createRequest } from './request.js';
import { statusField, toCgiHead, withLength } from './response-head.js';
import type { ScgiHttpServer } from './http-server.js';

const requestStart = diagnostics.channel('http.server.request.start');
const responseFinish = diagnostics.channel('http.server.response.finish');

/** Where a response finds its exchange, whatever prototype a framework gives it. */
const kExchange: unique symbol = Symbol('scgi.exchange');

declare module 'http' {
  interface ServerResponse<Request extends IncomingMessage = IncomingMessage> {
    /** @internal */
    [kExchange]?: NodeExchange;
  }
}

/** Bridges one connection to one `request` event. */
export class NodeExchange implements RequestHandler {
  readonly facts: ScgiRequest;
  readonly #head: RequestHead;
  readonly #server: ScgiHttpServer;
  readonly #connection: ScgiConnection;
  readonly #socket: Socket;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #isOutside: boolean;
  #finished: boolean;
  #discarding: boolean;

  constructor(server: ScgiHttpServer, connection: ScgiConnection, head: RequestHead, facts: ScgiRequest) {
    const socket = socketOf(connection.socket);
    this.facts = facts;
    this.#head = head;
    this.#server = server;
    this.#connection = connection;
    this.#socket = socket;
    this.#finished = false;
    this.#discarding = false;
    // First: the constructors below may look at the socket's addresses.
    carryExchange(socket, this);
    const mount = server.mountOf(facts);
    this.#isOutside = mount === undefined;
    const request = createRequest(server, socket, head, facts, mount);
    this.#request = request;
    this.#response = new server.responseClass(request, server.responseOptions);
    this.#response[kExchange] = this;
    copyUniqueFields(server, this.#response);
    prepareResponse(this.#response);
    silenceInformation(this.#response);
    this.#response.assignSocket(socket);
    this.#response.on('finish', onResponseFinish);
  }

  get responseStarted(): boolean {
    return this.#response.headersSent;
  }

  get responseEnded(): boolean {
    return this.#response.writableEnded;
  }

  /** A head was sent and bytes behind it are missing: the connection must not end as if it were whole. */
  get responseIsPartial(): boolean {
    const response = this.#response;
    if (this.#finished || !response.headersSent) return false;
    return !response.writableEnded || this.#socket.writableLength > 0 || this.#isShort();
  }

  get unbufferedEvents(): boolean {
    return this.#server.unbufferedEvents;
  }

  watchHead(responseHead: string): void {
    watchHeadLength(this.#head, responseHead);
  }

  get bufferedBytes(): number {
    return this.#request.readableLength;
  }

  start(): void {
    const request = this.#request;
    const response = this.#response;
    if (requestStart.hasSubscribers) {
      requestStart.publish({ request, response, socket: this.#socket, server: this.#server });
    }
    if (this.#isOutside) response.writeHead(404).end();
    else this.#server.emit('request', request, response);
  }

  onBody(chunk: Uint8Array): boolean {
    return this.#request.push(chunk);
  }

  discardBody(): boolean {
    this.#discarding ||= dumpUnread(this.#request);
    return this.#discarding;
  }

  onEnd(): void {
    // Before the EOF: listeners of `end` look at it.
    this.#request.complete = true;
    if (this.#response.writableEnded && closeUnobserved(this.#request)) return;
    this.#request.push(null);
  }

  onDrain(): void {
    const response = this.#response;
    if (!response.writableEnded && takeNeedDrain(response)) response.emit('drain');
  }

  onClose(): void {
    if (!this.#finished) this.#request.destroy(connectionReset());
  }

  /** Passes a socket time-out on, as Node's server does. Returns false if nobody listens. */
  emitTimeout(): boolean {
    if (this.#finished) return false;
    const byRequest = !this.#request.complete && this.#request.emit('timeout', this.#socket);
    const byResponse = this.#response.emit('timeout', this.#socket);
    return byRequest || byResponse;
  }

  /** The response is in the kernel: what Node's server does at this point, then the end of the connection. */
  finish(): void {
    const request = this.#request;
    const response = this.#response;
    const socket = this.#socket;
    if (responseFinish.hasSubscribers) {
      responseFinish.publish({ request, response, socket, server: this.#server });
    }
    // The application gave fewer bytes than it promised: `destroy` breaks the connection off while that is so.
    if (this.responseIsPartial) socket.destroy();
    this.#finished = true;
    detachAbortSignal(request);
    const discard = this.discardBody();
    response.detachSocket(socket);
    // Both one tick later: Node emits `close` then, and a socket must not be destroyed inside a write's callback.
    process.nextTick(endExchange, response, this.#connection, discard);
  }

  #isShort(): boolean {
    const promised = bodyLength(this.#response);
    return typeof promised === 'number' && this.#socket.bytesWritten < headLength(this.#response) + promised;
  }
}

/** The class of a server's responses: `base`, Node's own or the one of the option `ServerResponse`, and what is CGI's. */
export function responseClass(base: typeof ServerResponse): ResponseClass {
  return extendResponse(base, {
    storeHeader: storeCgiHead,
    end: endWithLength,
    interim: interimWriters,
    key: kExchange,
  });
}

function endExchange(response: ServerResponse, connection: ScgiConnection, discard: boolean): void {
  emitClose(response);
  connection.finish(discard);
}

function onResponseFinish(this: ServerResponse): void {
  this[kExchange]?.finish();
}

/** Replaces `ServerResponse.prototype._storeHeader`: Node's head, as CGI wants it. */
function storeCgiHead(this: ServerResponse, statusLine: string, headers: ResponseFields): void {
  const exchange = this[kExchange];
  const head = toCgiHead(storeHead(this, statusField(statusLine), headers), exchange?.unbufferedEvents ?? true);
  replaceHead(this, head);
  exchange?.watchHead(head);
}

/**
 * Shadows `response.end`. After `writeHead(200)` and `end(body)` Node knows the length and frames the body in chunks all the
 * same; CGI has no chunks, and a length is the only thing that shows a broken response on a Unix socket.
 */
function endWithLength(this: ServerResponse, chunk?: unknown, encoding?: unknown, callback?: unknown): ServerResponse {
  const head = unsentHead(this);
  if (head !== undefined && !this.writableEnded && bodyLength(this) === 'open') {
    const length = byteLengthOf(chunk, encoding);
    if (length !== undefined) promiseBody(this, withLength(head, length), length);
  }
  return inheritedEnd(this).call(this, chunk, encoding, callback);
}

function byteLengthOf(chunk: unknown, encoding: unknown): number | undefined {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : 'utf8');
  if (chunk instanceof Uint8Array) return chunk.byteLength;
  // No chunk, or the callback in its place; anything else is for Node to refuse.
  return chunk === undefined || chunk === null || typeof chunk === 'function' ? 0 : undefined;
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value);
}

/** The error an aborted request carries over HTTP: applications test for its code. */
function connectionReset(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}
