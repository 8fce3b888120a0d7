// A backend: one SCGI service at one address or several, with what all requests to it share. Where client, gateway and
// Gemini front meet: each opens calls and gives them a handler.

import { AbortError, ResponseDecoder } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import type { AnswerDecoder } from './answer.js';
import type { CallHost, CallRequest } from './call.js';
import { Call } from './call.js';
import type { ExchangeHandler } from './exchange.js';
import { Peers } from './peers.js';
import { ReadBlocks } from './read-blocks.js';
import type { BackendOptions, BackendSettings } from './settings.js';
import { resolveBackendSettings } from './settings.js';
import { Slots } from './slots.js';
import type { BackendAddress, BackendTarget } from './target.js';
import { parseTargets } from './target.js';

/** One SCGI service. */
export class Backend {
  /** For logs: its addresses. */
  readonly text: string;
  readonly settings: BackendSettings;
  readonly #host: CallHost;
  #closed: boolean;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for a target or an option that is impossible */
  constructor(target: BackendTarget | readonly BackendTarget[], options: BackendOptions = {}) {
    const addresses: readonly BackendAddress[] = parseTargets(target);
    const settings = resolveBackendSettings(options);
    this.text = addresses.map(({ text }) => text).join(', ');
    this.settings = settings;
    this.#host = {
      slots: new Slots(settings),
      peers: new Peers(addresses, settings),
      blocks: new ReadBlocks(settings.bufferSize),
    };
    this.#closed = false;
  }

  /** Connections that are open or being opened. */
  get connections(): number {
    return this.#host.slots.taken;
  }

  /** Requests that wait for a connection. */
  get queued(): number {
    return this.#host.slots.queued;
  }

  /**
   * Sends a request whose answer is a CGI response. No handler is called before this returns.
   * @param settings in place of the backend's, for this call
   * @throws {ScgiError} ERR_SCGI_VARIABLE, ERR_SCGI_BACKEND_BUSY, ERR_SCGI_CLIENT_CLOSED
   */
  open(
    request: CallRequest,
    handler: ExchangeHandler<ResponseHead>,
    settings: BackendSettings = this.settings,
  ): Call<ResponseHead> {
    const { maxHeadBytes, maxLineBytes } = settings;
    const decoder = new ResponseDecoder({ requestMethod: request.method, maxHeadBytes, maxLineBytes });
    return this.openWith(decoder, request, handler, settings);
  }

  /** As `open`, for an answer of another kind. */
  openWith<Head>(
    decoder: AnswerDecoder<Head>,
    request: CallRequest,
    handler: ExchangeHandler<Head>,
    settings: BackendSettings = this.settings,
  ): Call<Head> {
    if (this.#closed) throw new AbortError('ERR_SCGI_CLIENT_CLOSED');
    const call = new Call(this.#host, request, decoder, settings, handler);
    call.start();
    return call;
  }

  /** No more requests; those that wait for a connection fail with ERR_SCGI_CLIENT_CLOSED, those that have one go on. */
  close(): void {
    this.#closed = true;
    this.#host.slots.close();
  }
}
