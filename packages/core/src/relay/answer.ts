// The client's side of one request: writes the answer to Node's response, keeps to the client's pace, and ends so that
// the client gets all of it. Knows no backend; a response that middleware has wrapped works as well as a bare one.

import { type IncomingMessage, ServerResponse } from 'node:http';
import { constants, Http2ServerResponse } from 'node:http2';
import { reasonPhrase, type ResponseHead, type ScgiError } from '../protocol/index.js';
import { endToEndFields, findField } from './response-fields.js';

/** Writes one answer. */
export class Answer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #idleTimeout: number;
  readonly #lingerTimeout: number;
  /** Sends on what a compressing middleware holds back; events must not wait there. */
  #flush: (() => unknown) | undefined;
  #bodyStarted: boolean;
  #begun: boolean;
  /** Neither Content-Length nor chunks say where the body ends. */
  #endsWithConnection: boolean;

  /**
   * @param idleTimeout how long the client may take nothing once all is written, milliseconds; 0 for no limit
   * @param lingerTimeout how long to read on when the answer is sent and the client still uploads; 0 for no limit
   */
  constructor(request: IncomingMessage, response: ServerResponse, idleTimeout: number, lingerTimeout: number) {
    this.#request = request;
    this.#response = response;
    this.#idleTimeout = idleTimeout;
    this.#lingerTimeout = lingerTimeout;
    this.#flush = undefined;
    this.#bodyStarted = false;
    this.#begun = false;
    this.#endsWithConnection = false;
  }

  /** Somebody else has answered, such as a middleware with a deadline of its own, or the client has left. */
  get taken(): boolean {
    const response = this.#response;
    return !this.#begun && (response.headersSent || response.writableEnded || response.destroyed);
  }

  /** Writes the head; it goes out with the first bytes of the body, if there are any in this turn. */
  begin(head: ResponseHead): void {
    const response = this.#response;
    this.#begun = true;
    writeHead(response, head.status, head.reason, endToEndFields(head));
    this.#endsWithConnection = head.contentLength === undefined && !response.chunkedEncoding;
    if ('flush' in response && typeof response.flush === 'function' && isEventStream(head)) {
      this.#flush = response.flush.bind(response);
    }
    process.nextTick(flushHead, this);
  }

  /** A head that came without body bytes must not wait for them: the first event may be minutes away. */
  flushHead(): void {
    if (!this.#bodyStarted && !this.#response.writableEnded) this.#response.flushHeaders();
  }

  /** Returns false to ask for a pause until the response drains. */
  write(data: Uint8Array): boolean {
    this.#bodyStarted = true;
    const more = this.#response.write(data);
    this.#flush?.();
    return more;
  }

  /** The answer is whole. */
  end(): void {
    const request = this.#request;
    const response = this.#response;
    if (request.complete) {
      response.end();
      this.#limitFlush();
      return;
    }
    // An early answer. Closing with unread input would reset the connection under it, so read on for a while.
    this.#limitLinger();
    request.resume();
    if (staysOpen(request, response)) response.end();
    else request.once('end', () => response.end());
    this.#limitFlush();
  }

  /** The answer of a failure: its status and phrase, nothing of the cause; once a head has gone out, the connection breaks off. */
  fail(error: ScgiError): void {
    if (this.#begun) {
      breakOff(this.#response, this.#endsWithConnection);
    } else if (!this.taken) {
      this.#begun = true;
      writeStatus(this.#response, error.statusHint);
      this.end();
    }
  }

  /** Somebody else writes the answer, and what the client still uploads is not wanted. */
  readOn(): void {
    const request = this.#request;
    if (request.complete) return;
    request.resume();
    this.#response.once('finish', () => request.complete || this.#limitLinger());
  }

  /** Reads on for `lingerTimeout` while the client still uploads. */
  #limitLinger(): void {
    if (this.#lingerTimeout === 0) return;
    const request = this.#request;
    const timer = setTimeout(stopReading, this.#lingerTimeout, request);
    request.once('close', () => clearTimeout(timer));
  }

  /** A client that takes nothing more holds its connection for `idleTimeout`. Most have taken all at once. */
  #limitFlush(): void {
    if (this.#idleTimeout > 0) process.nextTick(limitFlush, this);
  }

  /** For the next tick only: by then the kernel has what it takes. */
  limitFlush(): void {
    const response = this.#response;
    const { socket } = response;
    if (response.writableFinished || response.destroyed) return;
    if (response.writableEnded && (socket?.writableLength ?? 0) === 0) return;
    const idleTimeout = this.#idleTimeout;
    response.setTimeout(idleTimeout, () => response.destroy());
    // Without a keepAliveTimeout Node leaves this one where it is, and it would end the next request.
    response.once('finish', () => socket?.timeout === idleTimeout && socket.setTimeout(0));
  }
}

function flushHead(answer: Answer): void {
  answer.flushHead();
}

function limitFlush(answer: Answer): void {
  answer.limitFlush();
}

/** The client uploads for too long. */
export function stopReading(request: IncomingMessage): void {
  // The connection is shared in HTTP/2.
  if (request.httpVersionMajor >= 2) request.destroy();
  else request.socket.destroy();
}

function isEventStream({ fields }: ResponseHead): boolean {
  return findField(fields, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Fields that earlier middleware has set stay, unless the backend has its own; of these two, both go out. */
const added: ReadonlySet<string> = new Set(['set-cookie', 'vary']);

/** Puts the fields of a backend beside those of earlier middleware, or in their place. */
export function setFields(response: ServerResponse, fields: readonly string[]): void {
  const taken = new Set(added);
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    const lowerCase = name.toLowerCase();
    if (taken.has(lowerCase)) response.appendHeader(name, value);
    else response.setHeader(name, value);
    taken.add(lowerCase);
  }
}

function writeHead(response: ServerResponse, status: number, reason: string, fields: string[]): void {
  // Middleware that wraps writeHead reads what was set before, or understands other lists than Node's flat one.
  if (response.writeHead === ServerResponse.prototype.writeHead && response.getHeaderNames().length === 0) {
    response.writeHead(status, reason, fields);
    return;
  }
  setFields(response, fields);
  if ('stream' in response) {
    // Node's HTTP/2 warns of a phrase, which it cannot send.
    response.writeHead(status);
    return;
  }
  response.statusMessage = reason;
  response.writeHead(status, reason);
}

/** Writes an answer that is a status and nothing else, without ending it. */
export function writeStatus(response: ServerResponse, status: number): void {
  const body = `${status} ${reasonPhrase(status)}\n`;
  writeHead(response, status, reasonPhrase(status), ['Content-Type', 'text/plain', 'Content-Length', `${body.length}`]);
  response.write(body);
}

/** Ends a response that cannot be completed: where nothing but the connection's end says that it is whole, by a reset. */
export function breakOff(response: ServerResponse, endsWithConnection: boolean): void {
  const { socket } = response;
  if (response instanceof Http2ServerResponse) {
    // Without a code of its own the reset of a stream says that all is well.
    response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  // Our own server resets by itself; there the address is the client's, and says nothing of the socket. Elsewhere a
  // Unix socket, which has no remote address, cannot be reset.
  const canReset = socket?.remoteAddress !== undefined && !cameOverScgi(response.req);
  if (endsWithConnection && canReset) socket.resetAndDestroy();
  else response.destroy();
}

/**
 * Node reads the rest of the body on such a connection; others it closes with the end of the response. Among these is
 * one whose client was not told to continue: whether its body will follow, nobody knows.
 */
export function staysOpen(request: IncomingMessage, response: ServerResponse): boolean {
  // Over SCGI the answer ends first and the rest is read then: nginx sends no more of a body once it has the head.
  if (request.httpVersionMajor >= 2 || cameOverScgi(request)) return true;
  return response.shouldKeepAlive && request.httpVersionMinor === 1;
}

function cameOverScgi(request: IncomingMessage): boolean {
  return 'scgi' in request;
}
