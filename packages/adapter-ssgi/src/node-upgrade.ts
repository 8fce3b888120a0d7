// An SSGI WebSocket on an `upgrade` event of core's server: for frameworks that serve HTTP through Node's interface.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CgiEnv } from '@scgi/core';
import { formatResponseHead } from '@scgi/core/protocol';
import { formatAddress } from './addresses.js';
import type { SsgiHost } from './host.js';
import type { GetHeader, SsgiExtensions, SsgiWebSocketHandler } from './types.js';
import { WebSocketSession } from './websocket.js';
import type { Handshake } from './websocket.js';

/** Runs `handler` for one request. */
export function serveNodeUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  handler: SsgiWebSocketHandler,
  host: SsgiHost,
): void {
  const handshake = new UpgradedRequest(request, socket, head);
  const session = new WebSocketSession(handshake, host);
  const { url } = handshake;
  const query = url.indexOf('?');
  const { remoteAddress, remotePort, localAddress, localPort } = request.socket;
  // Whoever takes the socket listens too; until then nobody would.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => session.gone());
  session.start(() =>
    handler(
      'websocket',
      formatAddress(localAddress ?? request.scgi.env.SERVER_NAME, localPort),
      formatAddress(remoteAddress, remotePort),
      handshake.method,
      query === -1 ? url : url.slice(0, query),
      query === -1 ? '' : url.slice(query + 1),
      createGetHeader(handshake.headers),
      session,
    ),
  );
}

class UpgradedRequest implements Handshake {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    this.method = request.method ?? '';
    this.url = request.url ?? '';
    this.headers = joinFields(request.headers);
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
  }

  get extensions(): SsgiExtensions {
    const request = this.#request;
    const original: unknown = Reflect.get(request, 'originalUrl');
    return {
      scgi: {
        basePath: request.scgi.basePath,
        target: typeof original === 'string' ? original : this.url,
        encrypted: Reflect.get(request.socket, 'encrypted') === true,
        serverName: request.scgi.env.SERVER_NAME,
      },
      get env(): CgiEnv {
        return request.scgi.env;
      },
    };
  }

  takeSocket(): { readonly socket: Duplex; readonly head: Buffer } {
    return { socket: this.#socket, head: this.#head };
  }

  refuse(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    body: string | Uint8Array | null,
  ): void {
    const bytes = Buffer.from(body ?? '');
    const head = formatResponseHead(status, reason, [...fields, 'Content-Length', String(bytes.length)]);
    this.#socket.write(head, 'latin1');
    this.#socket.end(bytes, () => this.#socket.destroy());
  }
}

function createGetHeader(headers: Readonly<Record<string, string>>): GetHeader {
  function getHeader(name: string): string | undefined;
  function getHeader(): Readonly<Record<string, string>>;
  function getHeader(name?: string | null): string | undefined | Readonly<Record<string, string>> {
    return name === undefined || name === null ? headers : headers[name.toLowerCase()];
  }
  return getHeader;
}

/** Only `set-cookie` is a list in Node, and no request has it. */
function joinFields(fields: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const joined: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}
