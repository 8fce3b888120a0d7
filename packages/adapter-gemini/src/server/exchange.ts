// One request from a Gemini server, on a connection of core's: builds the request, lets the handler answer, writes the
// response as it comes. Framing, deadlines and the end of the connection are core's.

import { AbortError } from '@scgi/core';
import type { CgiEnv } from '@scgi/core';
import type { RequestHandler, ScgiConnection } from '@scgi/core/server';
import { Delivery } from '../delivery.js';
import type { DeliveryOwner } from '../delivery.js';
import type { GeminiErrorHook, GeminiHandler } from '../handler.js';
import { Departure, GeminiRequest } from '../request.js';
import { GeminiResponse } from '../response.js';
import { readCertificate, readLocation, readPeer } from './read-request.js';

/** What all requests to a server share. */
export interface GeminiHost {
  readonly handler: GeminiHandler;
  readonly handlerTimeout: number;
  readonly onError: GeminiErrorHook;
}

export class GeminiExchange implements RequestHandler, DeliveryOwner {
  // What Gemini servers say of a CGI program that fails.
  readonly failure: GeminiResponse = new GeminiResponse(42, 'CGI error');
  readonly handlerTimeout: number;
  /** Gemini has no request body: what comes is dropped. */
  readonly bufferedBytes: number = 0;
  readonly #connection: ScgiConnection;
  readonly #host: GeminiHost;
  readonly #departure: Departure = new Departure();
  readonly #delivery: Delivery = new Delivery(this, this.#departure);
  readonly #request: GeminiRequest;

  /** @throws {RemoteProtocolError} ERR_SCGI_GEMINI_REQUEST */
  constructor(connection: ScgiConnection, env: CgiEnv, host: GeminiHost) {
    this.handlerTimeout = host.handlerTimeout;
    this.#connection = connection;
    this.#host = host;
    const { url, depth } = readLocation(env);
    const { TLS_VERSION: version, TLS_CIPHER: cipher } = env;
    const tls = version === undefined && cipher === undefined ? undefined : { version, cipher };
    const certificate = readCertificate(env);
    const facts = { url, ...readPeer(env), certificate, tls, env, departure: this.#departure };
    this.#request = new GeminiRequest(facts, depth);
  }

  // For the driver.

  get responseStarted(): boolean {
    return this.#delivery.started;
  }

  get responseEnded(): boolean {
    return this.#delivery.over;
  }

  start(): void {
    this.#delivery.run(this.#host.handler, this.#request);
  }

  onBody(): boolean {
    return true;
  }

  discardBody(): boolean {
    return true;
  }

  onEnd(): void {}

  onDrain(): void {
    this.#delivery.resume();
  }

  onClose(): void {
    this.#delivery.abort(new AbortError('ERR_SCGI_CLIENT_GONE'));
  }

  // For the delivery.

  write(chunk: string | Uint8Array): boolean {
    const { socket } = this.#connection;
    return socket.destroyed || socket.write(chunk);
  }

  finish(): void {
    this.#connection.finish(true);
  }

  breakOff(): void {
    this.#connection.breakOff();
  }

  report(error: unknown): void {
    this.#host.onError(error, this.#request);
  }
}
