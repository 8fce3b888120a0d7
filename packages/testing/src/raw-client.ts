// A raw SCGI client: sends exactly the bytes it is given, in exactly these pieces, and reports exactly what came back.
// For tests of servers: nothing is corrected on the way out, nothing that fails to decode is hidden on the way in.

import { encodeRequest } from '@scgi/core/protocol';
import type { BackendTarget } from '@scgi/client/exchange';
import { BackendSocket, parseTarget } from '@scgi/client/exchange';
import type { RawResponse } from './raw-response.js';
import { readRawResponse } from './raw-response.js';

/** A request by its parts; CONTENT_LENGTH and SCGI are added. */
export interface RawRequestParts {
  /** By name, or flat: name, value, name, value … */
  readonly variables: Readonly<Record<string, string>> | readonly string[];
  readonly body?: Uint8Array | string | undefined;
}

/** Bytes; text is latin1. */
export type RawBytes = Uint8Array | string;

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
  const address = parseTarget(target);
  const pieces = toPieces(request);
  const timeoutMs = options.timeout ?? 5000;
  const received: Uint8Array[] = [];
  const socket = new BackendSocket((bytes) => received.push(bytes));
  let timer: NodeJS.Timeout | undefined;
  try {
    const ended = await new Promise<'fin' | 'reset'>((resolve, reject) => {
      let connected = false;
      timer = setTimeout(() => reject(lateError(timeoutMs, connected, received)), timeoutMs);
      // A reset that met a write first shows itself to the reader as an end.
      socket.on('end', () => resolve(socket.writeError === undefined ? 'fin' : 'reset'));
      socket.on('error', (error) => (connected ? resolve('reset') : reject(error)));
      socket.connect(address.connect, () => {
        connected = true;
        sendPieces(socket, pieces, options.halfClose === true);
      });
    });
    return readRawResponse(Buffer.concat(received), ended, options.method ?? methodOf(request));
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Turns of the event loop between two pieces: enough for a server in this process to read each one alone. */
const TURNS_BETWEEN_PIECES = 5;

/** One piece at a time: the next leaves when the kernel has this one and a server has had time to read it. */
function sendPieces(socket: BackendSocket, pieces: readonly RawBytes[], halfClose: boolean, index = 0): void {
  const piece = pieces[index];
  if (piece === undefined) {
    if (halfClose) socket.end();
    return;
  }
  socket.write(toBytes(piece), () => {
    afterTurns(TURNS_BETWEEN_PIECES, () => {
      if (!socket.destroyed) sendPieces(socket, pieces, halfClose, index + 1);
    });
  });
}

function afterTurns(turns: number, action: () => void): void {
  if (turns === 0) action();
  else setImmediate(afterTurns, turns - 1, action);
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

function lateError(timeoutMs: number, connected: boolean, received: readonly Uint8Array[]): Error {
  const text = Buffer.concat(received).toString('latin1');
  const state = connected
    ? `did not close; received ${text.length} bytes: ${JSON.stringify(text.slice(0, 200))}`
    : 'did not accept';
  return new Error(`the SCGI server ${state}, within ${timeoutMs} ms`);
}
