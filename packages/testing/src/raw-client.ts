// A raw SCGI client: sends exactly the bytes it is given, in exactly these pieces, and reports exactly what came back.
// For tests of servers: nothing is corrected on the way out, nothing that fails to decode is hidden on the way in.

import { encodeRequest } from '@scgi/core/protocol';
import type { BackendTarget } from '@scgi/client/exchange';
import type { RawBytes, RawVariables } from './raw-connection.js';
import { openRaw } from './raw-connection.js';
import type { RawResponse } from './raw-response.js';

/** A request by its parts; CONTENT_LENGTH and SCGI are added. */
export interface RawRequestParts {
  readonly variables: RawVariables;
  readonly body?: Uint8Array | string | undefined;
}

/** Options of `rawRequest`. */
export interface RawRequestOptions {
  /** Ends our side once everything is sent, as some clients do. Default false. */
  readonly halfClose?: boolean | undefined;
  /** Until the server has closed the connection, milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Method of the request, which decides whether the answer has a body. Default: REQUEST_METHOD of the parts, else GET. */
  readonly method?: string | undefined;
}

/**
 * Sends one request and reads until the server closes.
 *
 * @param target where the server listens: 4000, '127.0.0.1:4000', 'unix:/run/app.sock'
 * @param request the parts of a request; or bytes, sent as they are; or a list of bytes, written one by one
 * @throws {Error} when no connection is made, or the server has not closed within `timeout`
 * @throws {LocalProtocolError} ERR_SCGI_OPTION, ERR_SCGI_VARIABLE
 */
export async function rawRequest(
  target: BackendTarget,
  request: RawRequestParts | RawBytes | readonly RawBytes[],
  options: RawRequestOptions = {},
): Promise<RawResponse> {
  const pieces = toPieces(request);
  const { timeout, method = methodOf(request) } = options;
  const connection = await openRaw(target, { timeout, method });
  try {
    // Not waited for: a server may answer and close before it has the whole request.
    void connection.send(...pieces).then(() => {
      if (options.halfClose === true) connection.end();
    });
    return await connection.closed();
  } finally {
    connection.socket.destroy();
  }
}

function toPieces(request: RawRequestParts | RawBytes | readonly RawBytes[]): readonly RawBytes[] {
  if (isBytes(request)) return [request];
  if (isList(request)) return request;
  const body = toBytes(request.body ?? '');
  const head = encodeRequest(flatVariables(request.variables), body.length);
  return body.length === 0 ? [head] : [Buffer.concat([head, body])];
}

function methodOf(request: RawRequestParts | RawBytes | readonly RawBytes[]): string {
  if (isBytes(request) || isList(request)) return 'GET';
  const flat = flatVariables(request.variables);
  const name = flat.findIndex((text, index) => index % 2 === 0 && text === 'REQUEST_METHOD');
  return (name === -1 ? undefined : flat[name + 1]) ?? 'GET';
}

function flatVariables(variables: RawRequestParts['variables']): readonly string[] {
  return isList(variables) ? variables : Object.entries(variables).flat();
}

function isBytes(request: unknown): request is RawBytes {
  return typeof request === 'string' || request instanceof Uint8Array;
}

function isList<Item>(value: readonly Item[] | object): value is readonly Item[] {
  return Array.isArray(value);
}

function toBytes(piece: RawBytes): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}
