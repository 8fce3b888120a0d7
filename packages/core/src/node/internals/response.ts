// The private side of `http.ServerResponse`.
// Each piece is asserted by behaviour in test/node/internals.test.ts on every Node line.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { http } from '../http.js';
import { assertMethods, findSymbol } from './private.js';

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

// The casts are the purpose of this folder: Node's types leave the private side out.
const responsePrototype = http.ServerResponse.prototype as unknown as ResponseInternals & Record<string, unknown>;

const internalsOf = (response: ServerResponse): ResponseInternals & Record<symbol, unknown> =>
  response as unknown as ResponseInternals & Record<symbol, unknown>;

const kNeedDrain = findSymbol(new http.OutgoingMessage(), 'kNeedDrain');
const kUniqueHeaders = findSymbol(new http.Server(), 'kUniqueHeaders');

assertMethods(http.ServerResponse, ['_storeHeader', '_writeRaw', 'assignSocket', 'detachSocket']);

/** The constructor's second argument is left out by Node's types. */
export type ResponseClass = new (request: IncomingMessage, options: ResponseOptions) => ServerResponse;

export type ResponseMethod = (this: ServerResponse, ...args: readonly unknown[]) => unknown;

/** What a CGI response does in its own way. */
export interface ResponseOverrides {
  /** Takes the place of `_storeHeader`: formats the head and keeps it. */
  readonly storeHeader: (this: ServerResponse, statusLine: string, headers: ResponseFields) => void;
  readonly end: (this: ServerResponse, ...args: never[]) => ServerResponse;
  /** The writers of interim responses, by name. */
  readonly interim: Readonly<Record<'writeContinue' | 'writeProcessing' | 'writeEarlyHints', ResponseMethod>>;
  /** A further property, set later. */
  readonly key: symbol;
}

/**
 * A class with these overrides as properties of every response, since Express replaces the prototype. Properties that the
 * class declares lie in the object itself; as many set on a finished object would move it to a larger place each time.
 */
export function extendResponse(base: typeof ServerResponse, overrides: ResponseOverrides): ResponseClass {
  const Base = base as unknown as new (request: IncomingMessage, options: ResponseOptions) => object;
  const { storeHeader, end, interim, key } = overrides;
  const Extended = class extends Base {
    [key]: unknown = undefined;
    end = end;
    _storeHeader = storeHeader;
    writeContinue = interim.writeContinue;
    writeProcessing = interim.writeProcessing;
    writeEarlyHints = interim.writeEarlyHints;
  };
  // For whoever asks a response what it is.
  Object.defineProperty(Extended, 'name', { value: base.name });
  Object.defineProperty(Extended.prototype, 'constructor', { value: base });
  return Extended as unknown as ResponseClass;
}

/** Takes over the option `uniqueHeaders` that the server was created with. */
export function copyUniqueFields(server: Server, response: ServerResponse): void {
  const fields = (server as unknown as Record<symbol, unknown>)[kUniqueHeaders];
  if (fields) internalsOf(response)[kUniqueHeaders] = fields;
}

/** Gives a fresh response the framing flags of a CGI response. */
export function prepareResponse(response: ServerResponse): void {
  const internals = internalsOf(response);
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

/** The `close` of a response whose exchange is over; Node's own is tied to the socket, which may linger. */
export function emitClose(response: ServerResponse): void {
  const internals = internalsOf(response);
  if (internals._closed) return;
  internals.destroyed = true;
  internals._closed = true;
  response.emit('close');
}
