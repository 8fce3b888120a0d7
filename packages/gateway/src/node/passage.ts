// One HTTP request on its way through the gateway: Node's request and response on one side, a Call on the other.
// Owns the flow between the two, what happens when either ends early, and nothing that outlives the request.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Backend, Call, ExchangeHandler } from '@scgi/client/exchange';
import type { HttpRequestFacts } from '@scgi/core/env';
import { variablesFromHttp } from '@scgi/core/env';
import { BackendError, parseContentLength, RemoteProtocolError, ScgiError } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import { breakOff, writeErrorResponse } from './error-response.js';
import { endToEndFields } from '../response-fields.js';

/** What applies to every request of a gateway. */
export interface PassageSettings {
  readonly backend: Backend;
  /** Without a byte moving, milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
  /** Bytes of a body of unknown length to keep in memory until its length is known. */
  readonly maxHeldBody: number;
  /** How long to read on, milliseconds, when the answer is sent and the client still uploads; 0 for no limit. */
  readonly lingerTimeout: number;
  readonly serverName: string | undefined;
  readonly onError: (error: ScgiError, request: IncomingMessage) => void;
}

/** Passes one request on and its answer back. */
export class Passage implements ExchangeHandler<ResponseHead> {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #settings: PassageSettings;
  #call: Call<ResponseHead> | null;
  /** The client sends its body only when told to (Expect: 100-continue), and was not told yet. */
  #owesContinue: boolean;
  /** A body of unknown length, as far as it has come. */
  #held: Uint8Array[];
  #heldBytes: number;
  #bodyStarted: boolean;
  #contentLength: number | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, settings: PassageSettings, expectsContinue: boolean) {
    this.#request = request;
    this.#response = response;
    this.#settings = settings;
    this.#call = null;
    this.#owesContinue = expectsContinue;
    this.#held = [];
    this.#heldBytes = 0;
    this.#bodyStarted = false;
    this.#contentLength = undefined;
  }

  start(): void {
    const request = this.#request;
    const response = this.#response;
    // A client that has left is reported by `close`, in the same turn or the next.
    response.on('error', () => {});
    response.on('close', () => {
      if (!response.writableFinished) this.#call?.destroy();
    });
    if (request.headers['transfer-encoding'] === undefined) {
      this.#open(parseContentLength(request.headers['content-length'] ?? '0') ?? 0);
    } else {
      this.#hold();
    }
  }

  /** SCGI states the length before the body: one of unknown length has to be here before anything can be sent. */
  #hold(): void {
    const request = this.#request;
    const { maxHeldBody } = this.#settings;
    const hold = (chunk: Uint8Array): void => {
      this.#heldBytes += chunk.length;
      if (this.#heldBytes <= maxHeldBody) {
        this.#held.push(chunk);
        return;
      }
      request.off('data', hold).off('end', open);
      this.#held = [];
      this.onError(new BackendError('ERR_SCGI_LENGTH_REQUIRED', { maxHeldBody }));
    };
    const open = (): void => this.#open(this.#heldBytes);
    request.on('data', hold).on('end', open);
    this.#sendContinue();
  }

  #open(bodyLength: number): void {
    const { backend, serverName } = this.#settings;
    const request = this.#request;
    const method = request.method ?? '';
    try {
      const variables = variablesFromHttp(requestFacts(request, serverName));
      this.#call = backend.open({ method, variables, bodyLength }, this);
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      this.onError(error);
    }
  }

  #sendContinue(): void {
    if (this.#owesContinue) this.#response.writeContinue();
    this.#owesContinue = false;
  }

  /** Only now, so that a client is not asked to upload to a backend that is down. */
  onConnect(): void {
    this.#sendContinue();
    for (const chunk of this.#held) this.#call?.write(chunk);
    this.#held = [];
    if (this.#heldBytes === 0) this.#request.on('data', (chunk: Uint8Array) => this.#send(chunk));
  }

  #send(chunk: Uint8Array): void {
    if (this.#call?.write(chunk) === false) this.#request.pause();
  }

  onDrain(): void {
    this.#request.resume();
  }

  onHead(head: ResponseHead): void {
    if (head.kind === 'upgrade') {
      this.#call?.destroy();
      this.onError(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'no upgrade was asked' }));
      return;
    }
    // A local redirect, too: the client follows it as it follows any 302, which is what nginx makes of it.
    const response = this.#response;
    this.#contentLength = head.contentLength;
    response.writeHead(head.status, head.reason, endToEndFields(head));
    response.on('drain', () => this.#call?.resume());
    process.nextTick(flushHead, this);
  }

  /** A head that came without body bytes must not wait for them: the first event may be minutes away. */
  flushHead(): void {
    if (!this.#bodyStarted && !this.#response.writableEnded) this.#response.flushHeaders();
  }

  onBody(data: Uint8Array): boolean {
    this.#bodyStarted = true;
    return this.#response.write(data);
  }

  onEnd(): void {
    this.#finish();
  }

  onError(error: ScgiError): void {
    const response = this.#response;
    if (response.headersSent) {
      breakOff(response, !response.chunkedEncoding && this.#contentLength === undefined);
    } else if (!response.destroyed) {
      writeErrorResponse(response, error);
      this.#finish();
    }
    this.#settings.onError(error, this.#request);
  }

  #finish(): void {
    const request = this.#request;
    const response = this.#response;
    const { idleTimeout } = this.#settings;
    if (idleTimeout > 0) response.setTimeout(idleTimeout, () => response.destroy());
    if (request.complete) {
      response.end();
      return;
    }
    // An early answer. Closing with unread input would reset the connection under it, so read on for a while.
    this.#limitLinger();
    request.resume();
    if (staysOpen(request, response)) response.end();
    else request.once('end', () => response.end());
  }

  #limitLinger(): void {
    const { lingerTimeout } = this.#settings;
    if (lingerTimeout === 0) return;
    const request = this.#request;
    const timer = setTimeout(() => request.socket.destroy(), lingerTimeout);
    request.once('close', () => clearTimeout(timer));
  }
}

function flushHead(passage: Passage): void {
  passage.flushHead();
}

/**
 * Node reads the rest of the body on such a connection; others it closes with the end of the response. Among these is
 * one whose client was not told to continue: whether its body will follow, nobody knows.
 */
function staysOpen(request: IncomingMessage, response: ServerResponse): boolean {
  return response.shouldKeepAlive && request.httpVersionMinor === 1;
}

/** What the client said, and what the socket knows of it: REMOTE_ADDR and HTTPS never come from a field. */
function requestFacts(request: IncomingMessage, serverName: string | undefined): HttpRequestFacts {
  const { socket } = request;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    fields: request.rawHeaders,
    httpVersion: request.httpVersion,
    encrypted: 'encrypted' in socket && socket.encrypted === true,
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort,
    serverName,
  };
}

/** A dual-stack listener writes IPv4 peers as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
