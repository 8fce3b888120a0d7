// Every private field of Node's http and net classes that the bridge touches, and the only file with `as`.
// Each piece is asserted by behaviour in test/node/internals.test.ts on every Node line; a missing one throws
// here, at import, and not at request 1,000,000.

import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import type { Socket } from 'node:net';
import type { ConnectionSocket } from '../server/connection-socket.js';

/** Fields in any form that `writeHead` takes. */
export type ResponseFields = Record<string, unknown> | readonly unknown[] | undefined | null;

/** What `ServerResponse` takes beside the request. */
export interface ResponseOptions {
  readonly highWaterMark?: number | undefined;
  readonly rejectNonStandardBodyWrites: boolean;
}

/** `response.end` in all its forms: chunk, encoding, callback. */
export type EndMethod = (this: ServerResponse, ...args: readonly unknown[]) => ServerResponse;

/** The private side of an outgoing message. `_header` is the formatted head. */
interface ResponseInternals {
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  _removedContLen: boolean;
  chunkedEncoding: boolean;
  useChunkedEncodingByDefault: boolean;
  _storeHeader(firstLine: string, headers: ResponseFields): void;
  _writeRaw(data: string, encoding: BufferEncoding, callback?: () => void): boolean;
  _closed: boolean;
  destroyed: boolean;
}

interface RequestInternals {
  _addHeaderLines(headers: readonly string[], count: number): void;
  _consuming: boolean;
  _dumped: boolean;
  _readableState: Record<'ended' | 'endEmitted' | 'destroyed' | 'closed' | 'closeEmitted', boolean>;
  _dump(): void;
}

interface SocketInternals {
  _handle?: { reset?: unknown; writeQueueSize?: number } | null;
  bytesWritten?: number;
  resetAndClosing: boolean;
  _getpeername: (this: Socket) => EndpointName;
  _getsockname: (this: Socket) => EndpointName;
}

// The casts are this file's purpose: Node's types leave the private side out.
const responsePrototype = http.ServerResponse.prototype as unknown as ResponseInternals & Record<string, unknown>;
const requestPrototype = http.IncomingMessage.prototype as unknown as RequestInternals & Record<symbol, unknown>;
const internalsOf = (response: ServerResponse): ResponseInternals & Record<symbol, unknown> =>
  response as unknown as ResponseInternals & Record<symbol, unknown>;

const kNeedDrain = findSymbol(new http.OutgoingMessage(), 'kNeedDrain');
const kUniqueHeaders = findSymbol(new http.Server(), 'kUniqueHeaders');
/** Node 24 and later: forgets `req.signal` when the exchange ended well. */
const kDetachAbortSignal = Object.getOwnPropertySymbols(requestPrototype).find(
  (symbol) => symbol.description === 'kDetachAbortSignal',
);

assertMethods(http.ServerResponse, ['_storeHeader', '_writeRaw', 'assignSocket', 'detachSocket']);
assertMethods(http.IncomingMessage, ['_addHeaderLines', '_dump']);
assertMethods(net.Socket, ['_getpeername', '_getsockname']);

function assertMethods(owner: { readonly name: string; readonly prototype: object }, names: readonly string[]): void {
  const absent = names.find((name) => typeof Reflect.get(owner.prototype, name) !== 'function');
  if (absent !== undefined) throw missing(`${owner.name}.prototype.${absent}`);
}

function missing(what: string): Error {
  return new Error(
    `@scgi/core does not know Node.js ${process.version}, which has no ${what}: please update @scgi/core`,
  );
}

/** A symbol by its description: Node does not export these. */
function findSymbol(owner: object, description: string): symbol {
  const found = Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === description);
  if (found === undefined) throw missing(`the symbol ${description} of ${owner.constructor.name}`);
  return found;
}

/**
 * Gives a fresh response the overrides and the framing flags of a CGI response: own properties, since Express replaces
 * the prototype. `storeHeader` takes the place of `_storeHeader`.
 */
export function prepareResponse(
  response: ServerResponse,
  storeHeader: (this: ServerResponse, statusLine: string, headers: ResponseFields) => void,
  end: (this: ServerResponse, ...args: never[]) => ServerResponse,
): void {
  const internals = internalsOf(response);
  response.end = end as ServerResponse['end'];
  internals._storeHeader = storeHeader as unknown as ResponseInternals['_storeHeader'];
  // False for HTTP/1.0, and then `end(body)` would lose its automatic Content-Length.
  internals.useChunkedEncodingByDefault = true;
  response.shouldKeepAlive = false;
  // The front end adds Date; the connection is not the application's to keep alive.
  response.sendDate = false;
  response.removeHeader('connection');
}

/** Formats the head as Node would over HTTP, with all its validation, after `firstLine`. */
export function storeHead(response: ServerResponse, firstLine: string, headers: ResponseFields): string {
  const internals = internalsOf(response);
  responsePrototype._storeHeader.call(internals, firstLine, headers);
  return internals._header ?? '';
}

/** Replaces the formatted head and switches chunk framing off. */
export function replaceHead(response: ServerResponse, head: string): void {
  const internals = internalsOf(response);
  internals._header = head;
  internals.chunkedEncoding = false;
}

/**
 * What the head says of the body: its length; `open` where it ends with the connection only because nobody knew better;
 * `unstated` where there is none or the application wants no length.
 */
export function bodyLength(response: ServerResponse): number | 'open' | 'unstated' {
  const { _hasBody, _removedContLen, _contentLength } = internalsOf(response);
  return !_hasBody || _removedContLen ? 'unstated' : (_contentLength ?? 'open');
}

/** The head, as long as it is formatted and not yet sent; else undefined. */
export function unsentHead(response: ServerResponse): string | undefined {
  const internals = internalsOf(response);
  return internals._headerSent ? undefined : (internals._header ?? undefined);
}

/** Replaces an unsent head by one that promises `length` body bytes. */
export function promiseBody(response: ServerResponse, head: string, length: number): void {
  const internals = internalsOf(response);
  internals._header = head;
  internals._contentLength = length;
}

/** The `end` behind an own property of that name. */
export function inheritedEnd(response: ServerResponse): EndMethod {
  return (Object.getPrototypeOf(response) as { end: EndMethod }).end;
}

/** Length of the formatted head in bytes; 0 while there is none. */
export function headLength(response: ServerResponse): number {
  return internalsOf(response)._header?.length ?? 0;
}

/** Says whether the response waits for `drain`, and clears the flag: a later pipe() would wait for ever on it. */
export function takeNeedDrain(response: ServerResponse): boolean {
  const internals = internalsOf(response);
  const needed = internals[kNeedDrain] === true;
  internals[kNeedDrain] = false;
  return needed;
}

/** Calls a method of `ServerResponse` by name while everything it writes is swallowed and its callback is called. */
export function callSwallowed(response: ServerResponse, method: string, args: readonly unknown[]): unknown {
  const internals = internalsOf(response);
  internals._writeRaw = swallow;
  try {
    return Reflect.apply(Reflect.get(responsePrototype, method) as () => unknown, response, args);
  } finally {
    Reflect.deleteProperty(internals, '_writeRaw');
  }
}

const swallow: ResponseInternals['_writeRaw'] = (_data, _encoding, callback) => {
  if (typeof callback === 'function') process.nextTick(callback);
  return true;
};

/** Fills `rawHeaders` so that `headers` and `headersDistinct` stay lazy and follow Node's duplicate rules. */
export function setRequestFields(request: IncomingMessage, fields: readonly string[]): void {
  (request as unknown as RequestInternals)._addHeaderLines(fields, fields.length);
}

/** Discards a body nobody reads, as Node does when a response is finished. Returns false if somebody reads it. */
export function dumpUnread(request: IncomingMessage): boolean {
  const internals = request as unknown as RequestInternals;
  // A listener for `data` starts the flow one tick later; the flag alone would miss it.
  const isRead = internals._consuming || request.readableFlowing === true;
  if (isRead && !request.destroyed) return false;
  internals._dump();
  return true;
}

/**
 * Ends and closes a request without a body that nobody listens to, without the five ticks its events would take.
 * Node 24 does the same with `optimizeEmptyRequests`. Returns false, and does nothing, if somebody could tell.
 */
export function closeUnobserved(request: IncomingMessage): boolean {
  if (request.readableFlowing !== null || request.readableLength > 0 || request.eventNames().length > 0) return false;
  const internals = request as unknown as RequestInternals;
  internals._dumped = true;
  const state = internals._readableState;
  state.ended = state.endEmitted = state.destroyed = state.closed = state.closeEmitted = true;
  return true;
}

/** Keeps `req.signal` from aborting when the connection closes after a complete response. */
export function detachAbortSignal(request: IncomingMessage): void {
  if (kDetachAbortSignal === undefined) return;
  (request as unknown as Record<symbol, () => void>)[kDetachAbortSignal]?.();
}

/** Makes the coming `destroy` send a reset. Returns false where there is none: on Unix sockets. */
export function resetOnDestroy(socket: Socket): boolean {
  const internals = socket as unknown as SocketInternals;
  if (typeof internals._handle?.reset !== 'function') return false;
  internals.resetAndClosing = true;
  return true;
}

/** The `close` of a response whose exchange is over; Node's own is tied to the socket, which may linger. */
export function emitClose(response: ServerResponse): void {
  const internals = internalsOf(response);
  if (internals._closed) return;
  internals.destroyed = true;
  internals._closed = true;
  response.emit('close');
}

/** Bytes that the kernel has taken, those of a large write in progress included. */
export function takenBytes(socket: ConnectionSocket): number {
  const internals = socket as unknown as SocketInternals;
  return (internals.bytesWritten ?? 0) - (internals._handle?.writeQueueSize || socket.writableLength);
}

/** `socket.server`, which applications reach through `req.socket`. */
export function setSocketServer(socket: Socket, server: http.Server): void {
  (socket as unknown as { server: http.Server }).server = server;
}

/** The socket that this server accepted and gave to the driver. */
export function socketOf(socket: ConnectionSocket): Socket {
  return socket as unknown as Socket;
}

export function serverOf(socket: Socket): http.Server | undefined {
  return (socket as unknown as { server?: http.Server }).server;
}

/** One end of a connection, as `_getpeername` and `_getsockname` tell it to the getters of `net.Socket`. */
export interface EndpointName {
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly family: 'IPv4' | 'IPv6' | undefined;
}

/** Decides what `remoteAddress`, `localPort` and the other four say. */
export function overlayEndpoints(
  socket: Socket,
  remote: (this: Socket) => EndpointName,
  local: (this: Socket) => EndpointName,
): void {
  const internals = socket as unknown as Pick<SocketInternals, '_getpeername' | '_getsockname'>;
  internals._getpeername = remote;
  internals._getsockname = local;
}

/** The method behind an own property of that name. */
export function inherited<K extends 'destroy' | 'setTimeout'>(socket: Socket, name: K): Socket[K] {
  return (Object.getPrototypeOf(socket) as Socket)[name];
}

type ResponseConstructor = new (request: IncomingMessage, options: ResponseOptions) => ServerResponse;

/** The constructor's second argument, which Node's types leave out. */
export function createResponse(
  responseClass: typeof ServerResponse,
  request: IncomingMessage,
  options: ResponseOptions,
): ServerResponse {
  const Constructor = responseClass as unknown as ResponseConstructor;
  return new Constructor(request, options);
}

/** Takes over the option `uniqueHeaders` that the server was created with. */
export function copyUniqueFields(server: http.Server, response: ServerResponse): void {
  const fields = (server as unknown as Record<symbol, unknown>)[kUniqueHeaders];
  if (fields) internalsOf(response)[kUniqueHeaders] = fields;
}

/** Says, as Node's parser does, that the request is none to upgrade the connection. */
export function markPlain(request: IncomingMessage): void {
  (request as unknown as { upgrade: boolean }).upgrade = false;
}

/** Takes over the option `joinDuplicateHeaders` of the server. */
export function setJoinRule(request: IncomingMessage, join: boolean): void {
  (request as unknown as { joinDuplicateHeaders: boolean }).joinDuplicateHeaders = join;
}
