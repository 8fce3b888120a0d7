// One TLS connection of the front: reads the request line, lets the handler answer, ends the connection so that the
// client can tell a whole response from one that was broken off. Owns the socket.

import type { TLSSocket } from 'node:tls';
import { AbortError, ScgiError } from '@scgi/core';
import { plainAddress } from '@scgi/core/env';
import { Delivery } from '../delivery.js';
import type { DeliveryOwner } from '../delivery.js';
import type { GeminiHandler } from '../handler.js';
import { Departure, GeminiRequest } from '../request.js';
import { GeminiResponse } from '../response.js';
import { parseGeminiUrl } from '../url.js';
import type { GeminiUrl, UrlRefusal } from '../url.js';
import { clientCertificate, tlsFacts } from './client-certificate.js';
import type { FrontSettings } from './options.js';
import { RequestLine } from './request-line.js';

/** What the connections of a front share. */
export interface FrontHost {
  readonly settings: FrontSettings;
  readonly handler: GeminiHandler;
  /** The port in this server's URLs. */
  readonly port: number;
}

/** Bytes behind the request line that are read and forgotten, so that closing does not reset the response away. */
const MAX_IGNORED_BYTES = 64 * 1024;

export class FrontConnection implements DeliveryOwner {
  readonly failure: GeminiResponse = GeminiResponse.temporaryFailure();
  readonly handlerTimeout: number;
  readonly #socket: TLSSocket;
  readonly #host: FrontHost;
  readonly #line: RequestLine = new RequestLine();
  readonly #departure: Departure = new Departure();
  readonly #delivery: Delivery = new Delivery(this, this.#departure);
  readonly #requestTimer: NodeJS.Timeout | undefined;
  #request: GeminiRequest | undefined = undefined;
  /** When the line was read; 0 until then. */
  #askedAt: number = 0;
  #ignoredBytes: number = 0;
  /** The client has ended its side, and may have left for all we know. */
  #halfClosed: boolean = false;

  constructor(socket: TLSSocket, host: FrontHost) {
    const { requestTimeout, handlerTimeout } = host.settings;
    this.handlerTimeout = handlerTimeout;
    this.#socket = socket;
    this.#host = host;
    this.#requestTimer = requestTimeout === 0 ? undefined : setTimeout(() => this.#refuseSlowness(), requestTimeout);
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    socket.on('end', () => this.#receiveEnd());
    socket.on('drain', () => this.#drain());
    socket.on('timeout', () => socket.destroy());
    // What follows is `close`; a client that resets the connection is nothing to report.
    socket.on('error', () => {});
    socket.on('close', () => this.#close());
  }

  /** Nothing of a request has come: closing now loses nothing. */
  get isIdle(): boolean {
    return this.#askedAt === 0 && this.#line.isEmpty;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // For the delivery.

  write(chunk: string | Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    const more = socket.write(chunk);
    if (!more) socket.setTimeout(this.#host.settings.idleTimeout);
    return more;
  }

  finish(): void {
    const socket = this.#socket;
    const { idleTimeout, lingerTimeout } = this.#host.settings;
    socket.setTimeout(idleTimeout);
    // The TLS alert close_notify, then FIN: the response is whole.
    socket.end(() => socket.setTimeout(lingerTimeout));
  }

  breakOff(): void {
    // FIN without close_notify: RFC 8446 §6.1 calls what came before it truncated.
    this.#socket.destroy();
  }

  report(error: unknown): void {
    this.#host.settings.onError(error, this.#request);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#askedAt !== 0) {
      this.#ignoredBytes += chunk.length;
      if (this.#ignoredBytes > MAX_IGNORED_BYTES) this.#socket.destroy();
      return;
    }
    try {
      const line = this.#line.take(chunk);
      if (line !== null) this.#ask(line);
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      this.#refuse(59, 'Bad request');
    }
  }

  #ask(line: string): void {
    const url = parseGeminiUrl(line);
    if (isRefusal(url)) return this.#refuse(url.status, url.status === 53 ? 'Proxy request refused' : 'Bad request');
    const { settings, port, handler } = this.#host;
    if (url.port !== port || !settings.isOurs(url.host)) return this.#refuse(53, 'Proxy request refused');
    this.#stopReading();
    const socket = this.#socket;
    const request = new GeminiRequest({
      url,
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort,
      certificate: clientCertificate(socket),
      tls: tlsFacts(socket),
      env: undefined,
      departure: this.#departure,
    });
    this.#request = request;
    this.#delivery.run(handler, request);
  }

  #refuse(status: number, meta: string): void {
    this.#stopReading();
    this.#delivery.send(new GeminiResponse(status, meta));
  }

  #refuseSlowness(): void {
    if (!this.#line.isEmpty) return this.#refuse(59, 'Request timeout');
    this.#stopReading();
    this.finish();
  }

  #stopReading(): void {
    clearTimeout(this.#requestTimer);
    this.#askedAt = performance.now();
  }

  #receiveEnd(): void {
    if (this.#askedAt === 0) {
      // A probe, or half a request: nobody waits for an answer.
      this.#stopReading();
      this.finish();
    } else if (!this.#delivery.over) {
      const { halfCloseTime, idleTimeout } = this.#host.settings;
      if (performance.now() - this.#askedAt > halfCloseTime) return void this.#socket.destroy();
      this.#halfClosed = true;
      this.#socket.setTimeout(idleTimeout);
    }
  }

  #drain(): void {
    if (!this.#delivery.over && !this.#halfClosed) this.#socket.setTimeout(0);
    this.#delivery.resume();
  }

  #close(): void {
    clearTimeout(this.#requestTimer);
    this.#delivery.abort(new AbortError('ERR_SCGI_CLIENT_GONE'));
  }
}

function isRefusal(url: GeminiUrl | UrlRefusal): url is UrlRefusal {
  return 'fault' in url;
}
