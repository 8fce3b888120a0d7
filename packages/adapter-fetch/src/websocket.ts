// WebSockets for Fetch handlers: a handler accepts one by returning what `upgradeWebSocket` gives it. Framing is done by
// the package `ws`, an optional peer that is loaded at first need; this hands the connection over to it.

import { Duplex } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';
import type { ScgiConnection } from '@scgi/core/server';
import type { WebSocketServer } from 'ws';
import type { RequestSource } from './request-source.js';
import { sourceOf } from './create-request.js';

/** An accepted WebSocket, as far as every library has it; behind it is a `WebSocket` of `ws`. */
export interface ServerWebSocket {
  /** The sub-protocol that was agreed on; empty for none. */
  readonly protocol: string;
  /** 0 to 3: connecting, open, closing, closed. */
  readonly readyState: number;
  /** Bytes that the client has not taken yet. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without a closing handshake. */
  terminate(): void;
}

/** What becomes of a WebSocket. What these throw or reject with goes to `onError`, and the socket is closed with 1011. */
export interface WebSocketListeners {
  /** The sub-protocol to agree on, one of those that the client offers. Default none. */
  readonly protocol?: string | undefined;
  open?(socket: ServerWebSocket): unknown;
  /** Text comes as a string, binary data as bytes. */
  message?(socket: ServerWebSocket, data: string | Uint8Array): unknown;
  /** Called last, in any case. 1006 is a connection that broke. */
  close?(socket: ServerWebSocket, code: number, reason: string): unknown;
  error?(socket: ServerWebSocket, error: Error): unknown;
}

/** Bounds of WebSockets. */
export interface WebSocketOptions {
  /** Largest message, bytes; a larger one closes the socket with 1009. Default 16 MiB. */
  readonly maxPayload?: number | undefined;
}

const DEFAULT_MAX_PAYLOAD = 16 * 1024 * 1024;
/** RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/** RFC 6455 §4.2.1: 16 octets in base64. */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;

const listenersOf = new WeakMap<RequestSource, WebSocketListeners>();

/**
 * Accepts a WebSocket: return the response from the handler. Until then nothing has happened, so that a middleware may
 * still answer something else. Fields that are added to the response, such as Set-Cookie, go out with the handshake.
 * A request that asks for no WebSocket gets a 426, a malformed one a 400.
 * @throws {TypeError} for a request that is not the one the handler was called with
 */
export function upgradeWebSocket(request: Request, listeners: WebSocketListeners): Response {
  const source = sourceOf(request);
  if (source === undefined) throw new TypeError('upgradeWebSocket needs the request that the handler was called with');
  const { headers } = request;
  if (source.method !== 'GET' || headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return new Response('Upgrade Required\n', { status: 426, headers: { upgrade: 'websocket' } });
  }
  if (!keyPattern.test(headers.get('sec-websocket-key') ?? '') || headers.get('sec-websocket-version') !== '13') {
    return new Response('Bad Request\n', { status: 400, headers: { 'sec-websocket-version': '13' } });
  }
  listenersOf.set(source, listeners);
  // No Response can have status 101. A copy of this one has the same field.
  return new Response(null, { headers: { upgrade: 'websocket' } });
}

/** The listeners that a handler's response is about; undefined if it is an ordinary one. */
export function acceptedBy(source: RequestSource, status: number, headers: object): WebSocketListeners | undefined {
  const listeners = listenersOf.get(source);
  if (listeners === undefined || status !== 200) return undefined;
  return headers instanceof Headers && headers.get('upgrade') === 'websocket' ? listeners : undefined;
}

/** Runs the WebSockets of one server. */
export class WebSockets {
  readonly #maxPayload: number;
  readonly #open = new Set<ServerWebSocket>();
  #server: Promise<WebSocketServer> | undefined;

  constructor(options: WebSocketOptions = {}) {
    this.#maxPayload = options.maxPayload ?? DEFAULT_MAX_PAYLOAD;
    this.#server = undefined;
  }

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION: the package `ws` is not installed */
  load(): Promise<WebSocketServer> {
    return (this.#server ??= loadServer(this.#maxPayload));
  }

  /**
   * Makes a WebSocket of a connection whose request is complete.
   * @param fields of the handler's response, for the handshake
   */
  async accept(
    connection: ScgiConnection,
    request: Request,
    fields: readonly string[],
    listeners: WebSocketListeners,
    onError: (error: unknown) => void,
  ): Promise<void> {
    const server = await this.load();
    const { socket } = connection;
    if (socket.destroyed) return;
    // A leaner transport would need a stream around it.
    if (!(socket instanceof Duplex)) throw new TypeError('this connection cannot carry a WebSocket');
    const handshake = { method: request.method, headers: handshakeFields(request, listeners.protocol), added: fields };
    const head = connection.handOver() ?? Buffer.alloc(0);
    const start = (webSocket: import('ws').WebSocket): void => {
      this.#open.add(webSocket);
      webSocket.on('close', () => this.#open.delete(webSocket));
      listen(webSocket, listeners, onError);
    };
    // It looks at the method and the fields of an IncomingMessage, and at nothing else.
    Reflect.apply(server.handleUpgrade, server, [handshake, socket, Buffer.from(head), start]);
  }

  /** Tells the clients that the server is going away. */
  closeAll(): void {
    for (const socket of this.#open) socket.close(GOING_AWAY);
  }
}

async function loadServer(maxPayload: number): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import('ws').catch((cause: unknown) => {
    const details = { feature: 'WebSocket', remedy: 'npm install ws' };
    throw new LocalProtocolError('ERR_SCGI_OPTION', details, { cause });
  });
  const server = new Server({ noServer: true, clientTracking: false, maxPayload });
  server.on('headers', (lines, handshake) => lines.push(...addedLines(handshake)));
  // Apache and lighttpd would not take the status line that ws answers with.
  server.on('wsClientError', (_error, socket) => socket.end('Status: 400 Bad Request\r\n\r\n'));
  return server;
}

function handshakeFields(request: Request, protocol: string | undefined): Record<string, string | undefined> {
  // ws agrees on the first one that is offered.
  return { ...Object.fromEntries(request.headers), upgrade: 'websocket', 'sec-websocket-protocol': protocol };
}

function addedLines(handshake: object): string[] {
  const fields: unknown = Reflect.get(handshake, 'added');
  if (!Array.isArray(fields)) return [];
  const lines: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (!/^(?:upgrade|connection|content-.*|sec-websocket-.*)$/.test(fields[index]))
      lines.push(`${fields[index]}: ${fields[index + 1]}`);
  }
  return lines;
}

function listen(
  socket: import('ws').WebSocket,
  listeners: WebSocketListeners,
  onError: (error: unknown) => void,
): void {
  const fail = (error: unknown): void => {
    if (socket.readyState === socket.OPEN) socket.close(INTERNAL_ERROR);
    onError(error);
  };
  const run = async (action: () => unknown): Promise<void> => {
    try {
      await action();
    } catch (error) {
      fail(error);
    }
  };
  socket.on('message', (data: Buffer, isBinary) => {
    void run(() => listeners.message?.(socket, isBinary ? data : data.toString()));
  });
  socket.on('close', (code, reason) => void run(() => listeners.close?.(socket, code, reason.toString())));
  // A peer that breaks the protocol; `close` follows.
  socket.on('error', (error) => void run(() => listeners.error?.(socket, error)));
  void run(() => listeners.open?.(socket));
}
