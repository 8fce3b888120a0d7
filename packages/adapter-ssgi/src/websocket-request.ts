// A request for a WebSocket on the connection driver: once it is complete the application decides, and the socket goes to
// ws or back to the driver.

import { Duplex } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';
import { ResponseWriter } from '@scgi/core/server';
import type { BridgedRequest, RequestHandler } from '@scgi/core/server';
import { formatAddress } from './addresses.js';
import { RequestExtensions } from './extensions.js';
import { createGetHeader } from './header-lookup.js';
import type { SsgiHost } from './host.js';
import type { GetHeader, SsgiExtensions, SsgiWebSocketHandler } from './types.js';
import { WebSocketSession } from './websocket.js';
import type { Handshake } from './websocket.js';

const nothing = Buffer.alloc(0);

export class WebSocketRequest implements RequestHandler, Handshake {
  readonly bufferedBytes = 0;
  readonly #request: BridgedRequest;
  readonly #handler: SsgiWebSocketHandler;
  readonly #writer: ResponseWriter;
  readonly #session: WebSocketSession;
  readonly #getHeader: GetHeader;
  #extensions: SsgiExtensions | undefined = undefined;

  constructor(request: BridgedRequest, handler: SsgiWebSocketHandler, host: SsgiHost) {
    this.#request = request;
    this.#handler = handler;
    this.#writer = new ResponseWriter(request);
    this.#session = new WebSocketSession(this, host);
    this.#getHeader = createGetHeader(request.head.text, request.facts);
  }

  get responseStarted(): boolean {
    return this.#writer.headSent;
  }

  get responseEnded(): boolean {
    return this.#writer.ended;
  }

  // The socket can be given away only behind the request, which has no body: `onEnd` follows at once.
  start(): void {}

  onEnd(): void {
    const { facts, url } = this.#request;
    const handler = this.#handler;
    const query = url.indexOf('?');
    this.#session.start(() =>
      handler(
        'websocket',
        formatAddress(facts.localAddress ?? facts.serverName, facts.localPort),
        formatAddress(facts.remoteAddress, facts.remotePort),
        facts.method,
        query === -1 ? url : url.slice(0, query),
        query === -1 ? '' : url.slice(query + 1),
        this.#getHeader,
        this.#session,
      ),
    );
  }

  /** Never called: a request with a body asks for no WebSocket. */
  onBody(): boolean {
    return true;
  }

  discardBody(): boolean {
    return true;
  }

  onDrain(): void {}

  onClose(): void {
    this.#session.gone();
  }

  get method(): string {
    return this.#request.facts.method;
  }

  get url(): string {
    return this.#request.url;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#getHeader();
  }

  get extensions(): SsgiExtensions {
    return (this.#extensions ??= new RequestExtensions(this.#request));
  }

  takeSocket(): { readonly socket: Duplex; readonly head: Buffer } {
    const { connection } = this.#request;
    const { socket } = connection;
    if (!(socket instanceof Duplex))
      throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the socket is no stream' });
    const trailing = connection.handOver();
    const head = trailing === null ? nothing : Buffer.from(trailing.buffer, trailing.byteOffset, trailing.byteLength);
    return { socket, head };
  }

  refuse(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    body: string | Uint8Array | null,
  ): void {
    this.#writer.send(status, reason, fields, body, true);
  }
}
