// A plain HTTP client for tests: targets go out as they are written, bodies can stream, every wait has a deadline.
// One connection per request, so that nothing is left over for the next one.

import { request as openHttpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as openHttpsRequest } from 'node:https';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { within } from './deadline.js';

/** Where a server is and what to ask it. */
export interface HttpRequestOptions {
  /** `http://127.0.0.1:8080`, `https://…` with any certificate, or `unix:/path` for HTTP over a Unix socket. */
  readonly origin: string;
  /** The request target, sent exactly as written. Default `/`. */
  readonly path?: string;
  /** Default GET, or POST with a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A string or bytes go out with a Content-Length; an iterable in chunks, unless the headers give a length. */
  readonly body?: string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** For the whole exchange. Default 10 s. */
  readonly deadlineMs?: number;
}

/** A response with its whole body. */
export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingMessage['headers'];
  /** Flat: name, value, name, value, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
}

/** A response whose body has not been read. Whoever opens one must read it or call `abort`. */
export interface OpenResponse {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
  /** Settles when the request body is out; rejects if the server would not take it. */
  readonly bodySent: Promise<void>;
  /** Breaks the connection. */
  abort(): void;
}

/** Sends a request and reads the whole response. Rejects if the response is cut short. */
export async function httpRequest(options: HttpRequestOptions): Promise<HttpResponse> {
  const opened = start(options);
  const exchange = opened.head.then(async (response) => ({ response, body: await readAll(response) }));
  try {
    const { response, body } = await within(exchange, deadlineOf(options), describe(options));
    return {
      status: response.statusCode ?? 0,
      reason: response.statusMessage ?? '',
      headers: response.headers,
      rawHeaders: response.rawHeaders,
      body,
      text: body.toString(),
    };
  } finally {
    opened.request.destroy();
  }
}

/** Sends a request and returns as soon as the response head is there, whether or not the request body is out. */
export async function openRequest(options: HttpRequestOptions): Promise<OpenResponse> {
  const { request, head, bodySent } = start(options);
  try {
    const response = await within(head, deadlineOf(options), `head of ${describe(options)}`);
    return { request, response, bodySent, abort: () => request.destroy() };
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/** How far a request gets before its client leaves. */
export type AbortStage =
  | 'request-head' // the head is out, of the body nothing
  | 'request-body' // part of the body is out
  | 'request-sent' // the request is whole, no response yet
  | 'response-head' // the response head is in
  | 'response-body'; // part of the response body is in

/**
 * Sends a POST of 100,000 bytes (from `request-sent` on) or a part of it, and breaks the connection at the stage.
 * `reached`, if given, is awaited before leaving: until the backend has seen the request, for example.
 */
export async function abortRequest(
  options: Omit<HttpRequestOptions, 'body'>,
  stage: AbortStage,
  reached: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  const size = 100_000;
  const sentBytes = stage === 'request-head' ? 0 : stage === 'request-body' ? size / 2 : size;
  const headers = { ...options.headers, 'Content-Length': `${size}` };
  const request = openHttpRequest({ ...addressOf(options), method: 'POST', ...options, headers, agent: false });
  request.on('error', () => {}); // We break it ourselves.
  const head = new Promise<IncomingMessage>((resolve) => request.once('response', resolve));
  const limit = deadlineOf(options);
  try {
    request.flushHeaders();
    const sent = new Promise<void>((resolve) => request.write(Buffer.alloc(sentBytes, 'x'), () => resolve()));
    if (sentBytes > 0) await within(sent, limit, `sending of ${describe(options)}`);
    if (stage === 'response-head' || stage === 'response-body') {
      const response = await within(head, limit, `head of ${describe(options)}`);
      if (stage === 'response-body') await within(firstChunk(response), limit, `body of ${describe(options)}`);
    }
    await within(reached, limit, `${describe(options)} reaching ${stage}`);
  } finally {
    request.destroy();
  }
}

/** Sends bytes as they are over a new connection and returns all that comes back until it closes. */
export async function rawExchange(
  address: string,
  bytes: string | Uint8Array,
  { deadlineMs = 10_000, halfClose = false }: { deadlineMs?: number; halfClose?: boolean } = {},
): Promise<Buffer> {
  const socket = connect(address.startsWith('unix:') ? { path: address.slice(5) } : tcpTarget(address));
  try {
    if (halfClose) socket.end(bytes);
    else socket.write(bytes);
    return await within(readAll(socket), deadlineMs, `an answer from ${address} and its end`);
  } finally {
    socket.destroy();
  }
}

interface StartedRequest {
  readonly request: ClientRequest;
  readonly head: Promise<IncomingMessage>;
  readonly bodySent: Promise<void>;
}

function start(options: HttpRequestOptions): StartedRequest {
  const { path = '/', headers = {}, body } = options;
  const method = options.method ?? (body === undefined ? 'GET' : 'POST');
  const length = typeof body === 'string' || body instanceof Uint8Array ? { 'Content-Length': byteLength(body) } : {};
  const open = options.origin.startsWith('https:') ? openHttpsRequest : openHttpRequest;
  const request = open({
    ...addressOf(options),
    path,
    method,
    headers: { ...length, ...headers },
    agent: false,
    rejectUnauthorized: false,
  });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Later errors show on the response, which is what the caller reads then.
    request.on('error', reject);
  });
  const bodySent = sendBody(request, body);
  bodySent.catch(() => {}); // A server may answer before it has the whole body; who cares awaits bodySent.
  return { request, head, bodySent };
}

async function sendBody(request: ClientRequest, body: HttpRequestOptions['body']): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    await new Promise<void>((resolve, reject) => {
      request.once('error', reject).once('close', resolve);
      request.end(body, resolve);
    });
  } else {
    await pipeline(Readable.from(body, { objectMode: true }), request);
  }
}

function addressOf({ origin }: Pick<HttpRequestOptions, 'origin'>): { socketPath: string } | Address {
  return origin.startsWith('unix:') ? { socketPath: origin.slice('unix:'.length) } : tcpTarget(origin);
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Host and port of `127.0.0.1:80`, `[::1]:80` or `http://…:80`. */
function tcpTarget(address: string): Address {
  const url = new URL(address.includes('://') ? address : `http://${address}`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function firstChunk(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => response.once('data', () => resolve()));
}

function byteLength(body: string | Uint8Array): string {
  return `${typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength}`;
}

function deadlineOf({ deadlineMs = 10_000 }: Pick<HttpRequestOptions, 'deadlineMs'>): number {
  return deadlineMs;
}

function describe({ origin, path = '/', method = '' }: Omit<HttpRequestOptions, 'body'>): string {
  return `${method} ${origin}${path}`.trim();
}
