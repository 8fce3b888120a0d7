// What a test may say of a request, and the variables and bytes that a front end would make of it.

import type { Readable } from 'node:stream';
import { variablesFromHttp } from '@scgi/core/env';

/** A body whose pieces come one after the other. */
export type StreamedBody = Iterable<Uint8Array> | AsyncIterable<Uint8Array> | Readable;

/** A request as an HTTP client would send it to the front end. */
export interface InjectedRequest {
  /** Default GET, or POST with a body. */
  readonly method?: string | undefined;
  /** The request target, as it is: path and query. Default `/`. */
  readonly url?: string | undefined;
  /** By name, or flat: name, value, name, value … Default: only `Host: localhost`, which is added where it is missing. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly string[] | undefined;
  /** Text is UTF-8. A stream without `contentLength` is read to its end first, since SCGI says the length before the body. */
  readonly body?: string | Uint8Array | StreamedBody | undefined;
  /** In place of `body`: a value to send as JSON, with its Content-Type. */
  readonly json?: unknown;
  /** CONTENT_LENGTH. Default: the length of the body. What the body has beyond it is sent all the same. */
  readonly contentLength?: number | undefined;
  /** The client speaks TLS with the front end. Default false. */
  readonly https?: boolean | undefined;
  /** REMOTE_ADDR. Default `127.0.0.1`. */
  readonly remoteAddress?: string | undefined;
  /** Added to what a front end would send, or in its place; undefined removes. Values are latin1. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What goes over the connection. */
export interface WireRequest {
  readonly method: string;
  /** Flat, for `encodeRequest`. */
  readonly variables: readonly string[];
  readonly contentLength: number;
  readonly body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** @throws {ScgiError} as `variablesFromHttp`: ERR_SCGI_REQUEST_METHOD, ERR_SCGI_REQUEST_TARGET, ERR_SCGI_VARIABLE */
export async function toWireRequest(request: InjectedRequest): Promise<WireRequest> {
  const { url = '/', https = false, remoteAddress = '127.0.0.1' } = request;
  const given = request.json === undefined ? request.body : JSON.stringify(request.json);
  const method = request.method ?? (given === undefined ? 'GET' : 'POST');
  const body = await bodyOf(given, request.contentLength !== undefined);
  const fields = fieldsOf(request);
  const port = https ? 443 : 80;
  const server = { encrypted: https, localAddress: '127.0.0.1', localPort: port };
  const client = { remoteAddress, remotePort: 50_000 };
  const variables = variablesFromHttp({ method, target: url, fields, ...server, ...client });
  return {
    method,
    variables: merge(variables, request.variables ?? {}),
    contentLength: request.contentLength ?? lengthOf(body),
    body,
  };
}

function fieldsOf({ headers = {}, json }: InjectedRequest): string[] {
  const fields = isList(headers)
    ? [...headers]
    : Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]));
  const has = (wanted: string): boolean =>
    fields.some((text, index) => index % 2 === 0 && text.toLowerCase() === wanted);
  if (!has('host')) fields.push('Host', 'localhost');
  if (json !== undefined && !has('content-type')) fields.push('Content-Type', 'application/json');
  return fields;
}

async function bodyOf(
  body: InjectedRequest['body'],
  lengthKnown: boolean,
): Promise<readonly Uint8Array[] | StreamedBody> {
  if (body === undefined) return [];
  if (typeof body === 'string') return [Buffer.from(body)];
  if (body instanceof Uint8Array) return [body];
  if (lengthKnown) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(toPiece(piece));
  return pieces;
}

/** A Readable may give anything. */
function toPiece(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === 'string') return Buffer.from(piece);
  throw new TypeError('a body is made of bytes or text');
}

function lengthOf(body: readonly Uint8Array[] | StreamedBody): number {
  return isList(body) ? body.reduce((sum, { length }) => sum + length, 0) : 0;
}

function merge(variables: readonly string[], changes: Readonly<Record<string, string | undefined>>): string[] {
  const merged: string[] = [];
  for (let index = 0; index < variables.length; index += 2) {
    const name = variables[index] ?? '';
    if (!Object.hasOwn(changes, name)) merged.push(name, variables[index + 1] ?? '');
  }
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) merged.push(name, value);
  return merged;
}

function isList<Item>(value: readonly Item[] | object): value is readonly Item[] {
  return Array.isArray(value);
}
