// What an SSGI application sees: the call, the two response objects, and the interfaces a framework chooses from.
// Types only: who implements them is not known here.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CgiEnv, ScgiListener, ServeOptions } from '@scgi/core';

/** One header field by its name, in any case; all of them, by lower-case names, without one. */
export interface GetHeader {
  (name: string): string | undefined;
  (): Readonly<Record<string, string>>;
}

/** What SCGI says beyond SSGI. */
export interface SsgiExtensions {
  /** All variables of the request (RFC 3875 §4.1): REMOTE_USER, client certificates. Built on first use. */
  readonly env: CgiEnv;
  readonly scgi: SsgiScgiInfo;
}

/** What the front end vouches for. */
export interface SsgiScgiInfo {
  /** The part of the path that the option `basePath` has cut off; empty if none was. */
  readonly basePath: string;
  /** Path and query as the client sent them, `basePath` included. */
  readonly target: string;
  /** Whether the client spoke TLS to the front end. */
  readonly encrypted: boolean;
  readonly serverName: string | undefined;
}

/** Names and values. */
export type SsgiHeaders = Iterable<readonly [name: string, value: string | number]>;

/** The request body and the response of an HTTP request. */
export interface SsgiHttpResponse {
  /** The client left before the response was given. */
  readonly aborted: boolean;
  /** Aborts when the client leaves before the response was given. Made on first use. */
  readonly signal: AbortSignal;
  readonly extensions: SsgiExtensions;
  /**
   * 404 or '404 Not Found'. Default 200.
   * @throws {LocalProtocolError} ERR_SCGI_STATE once the head is sent; ERR_SCGI_STATUS_CODE unless it is 200 to 999
   */
  sendStatus(status: number | string): void;
  /** Adds fields; several of one name stay several. @throws {LocalProtocolError} ERR_SCGI_STATE once the head is sent */
  sendHeaders(headers: SsgiHeaders): void;
  /**
   * Sends the payload, strings as UTF-8; null for none. Without `hasMore` the response ends here, and a response that is
   * one payload gets its Content-Length. Returns false if the client takes less than it is given, see `drained`, or is gone.
   * @throws {LocalProtocolError} ERR_SCGI_STATE behind the end; ERR_SCGI_RESPONSE_FIELD; ERR_SCGI_BODY_LENGTH_MISMATCH
   */
  send(payload?: string | Uint8Array | null, hasMore?: boolean): boolean;
  /** Resolves when the client takes more, or is gone. */
  drained(): Promise<void>;
  /**
   * Sends a part of a body of `totalSize` bytes; resolves when the client takes more. The first call sets Content-Length
   * if nobody has; the one that reaches `totalSize` ends the response.
   * @returns whether the chunk was sent, and whether the response has ended: [false, true] once the client is gone
   */
  sendChunk(chunk: string | Uint8Array, totalSize: number): Promise<readonly [ok: boolean, done: boolean]>;
  /**
   * The whole request body; null if there is none.
   * @throws {RemoteProtocolError} ERR_SCGI_BODY_TOO_LARGE over `maxDataBytes`: whoever lets it pass answers 413
   * @throws {AbortError} ERR_SCGI_CLIENT_GONE if the client leaves within it
   */
  getData(): Promise<Buffer | null>;
  /** The next bytes of the request body; null at its end. Nothing is read far ahead. @throws as `getData`, but for its limit */
  getChunk(): Promise<Buffer | null>;
  /** Calls `task` now; `close()` of the server waits for it, and what it throws or rejects with is answered 500. */
  runAsync<Arguments extends readonly unknown[]>(task: (...args: Arguments) => unknown, ...args: Arguments): void;
  /** Calls `listener` when the client leaves before the response was given; at once if it has left. */
  onAborted<Arguments extends readonly unknown[]>(listener: (...args: Arguments) => unknown, ...args: Arguments): void;
}

/** A WebSocket, or the wish for one. */
export interface SsgiWebSocket {
  /** 0 pending, 1 rejected, 2 closed, 3 accepted. */
  readonly status: 0 | 1 | 2 | 3;
  readonly extensions: SsgiExtensions;
  /** Bytes that were sent and not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Accepts, with one of the subprotocols that the client offers: `protocol`, by default its first.
   * @returns whether the WebSocket is open: false if the handshake is malformed or the client is gone
   * @throws {LocalProtocolError} ERR_SCGI_OPTION if the package ws is not installed
   */
  accept(protocol?: string): Promise<boolean>;
  /** Answers an ordinary response instead, by default 403. Resolves to false if it is too late for that. */
  reject(status?: number | string, payload?: string | Uint8Array | null, headers?: SsgiHeaders): Promise<boolean>;
  /**
   * Sends a message: strings as text, bytes as binary. Returns false if the client takes less than it is given, see
   * `drained`, or is gone.
   * @throws {LocalProtocolError} ERR_SCGI_STATE before `accept`
   */
  send(payload: string | Uint8Array): boolean;
  /** Resolves when the client takes more, or is gone. */
  drained(): Promise<void>;
  /** @throws {LocalProtocolError} ERR_SCGI_STATE before `accept`, and what ws throws for an impossible code or reason */
  close(code?: number, reason?: string): void;
  /** Calls `listener` with each message. */
  onReceive<Arguments extends readonly unknown[]>(
    listener: (socket: SsgiWebSocket, message: string | Buffer, ...args: Arguments) => unknown,
    ...args: Arguments
  ): void;
  /** Calls `listener` when the WebSocket is closed, or the client left before it was accepted (1006). */
  onClose<Arguments extends readonly unknown[]>(
    listener: (socket: SsgiWebSocket, code: number, reason: string, ...args: Arguments) => unknown,
    ...args: Arguments
  ): void;
  /** As that of `SsgiHttpResponse`; an accepted WebSocket is closed with 1011. */
  runAsync<Arguments extends readonly unknown[]>(task: (...args: Arguments) => unknown, ...args: Arguments): void;
}

/** The arguments of an application. Addresses are `1.2.3.4:80`, `[::1]:80`, without a port if it is unknown, or ''. */
export type SsgiCall<Type extends 'http' | 'websocket', Response> = [
  type: Type,
  serverAddress: string,
  remoteAddress: string,
  method: string,
  path: string,
  queryString: string,
  getHeader: GetHeader,
  res: Response,
];

export type SsgiHttpHandler = (...call: SsgiCall<'http', SsgiHttpResponse>) => unknown;
export type SsgiWebSocketHandler = (...call: SsgiCall<'websocket', SsgiWebSocket>) => unknown;

/** An SSGI application, sync or async. */
export type SsgiApp = (...call: SsgiCall<'http', SsgiHttpResponse> | SsgiCall<'websocket', SsgiWebSocket>) => unknown;

/** As a listener of `upgrade` at Node's http.Server. */
export type NodeUpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/** What serves HTTP: the name of an interface, and the handler in its form. */
export type SsgiHttpPick =
  | readonly [name: 'ssgi', handler: SsgiHttpHandler]
  | readonly [name: 'node', handler: ScgiListener]
  | readonly [name: 'fetch', handler: unknown];

/** What serves WebSockets. */
export type SsgiWebSocketPick =
  | readonly [name: 'ssgi', handler: SsgiWebSocketHandler]
  | readonly [name: 'node', handler: NodeUpgradeHandler]
  | readonly [name: 'fetch', handler: unknown];

/** What `getSupported` returns; null or nothing for a protocol that is not served. */
export interface SsgiSupported {
  readonly http?: SsgiHttpPick | null | undefined;
  readonly websocket?: SsgiWebSocketPick | null | undefined;
  /** The other spelling of `websocket`. */
  readonly websockets?: SsgiWebSocketPick | null | undefined;
}

/** A framework that picks its interfaces. */
export interface SsgiFramework {
  getSupported(interfaces: Readonly<Record<string, string>>): SsgiSupported;
}

/** A request whose handler failed; `aborted` if its client had left by then. */
export interface FailedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly aborted: boolean;
}

/** Hears of a handler that threw or rejected. */
export type SsgiErrorHook = (error: unknown, request: FailedRequest) => void;

/** Options of `serveScgi`: those of @scgi/core, and SSGI's. */
export interface SsgiServeOptions extends Omit<ServeOptions, 'onError'> {
  /** Hears of a handler that threw or rejected; the peer hears only the status. Default: console.error. */
  onError?: SsgiErrorHook | undefined;
  /** Largest request body that `getData` collects, in bytes. Default 16 MiB. */
  maxDataBytes?: number | undefined;
  /** Largest WebSocket message, in bytes; a larger one closes the WebSocket with 1009. Default 16 MiB. */
  maxPayload?: number | undefined;
}
