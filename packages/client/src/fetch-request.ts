// The request of a fetch: what `new Request` makes of its arguments, but the body before it is a stream, so that its
// length stays known and it can be sent again after a redirect. https://fetch.spec.whatwg.org/

import { Readable } from 'node:stream';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ScgiBody } from './body/body-init.js';
import type { ScgiRequestOptions, ScgiVariableOptions } from './options.js';

/** A request to send, perhaps more than once. */
export interface FetchRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: ScgiBody | null;
  readonly redirect: RequestRedirect;
  readonly signal: AbortSignal | undefined;
}

type FetchInput = Parameters<typeof fetch>[0];
type FetchInit = Parameters<typeof fetch>[1];
type RequestRedirect = Request['redirect'];

/** @throws {TypeError} as `new Request` */
export function readFetchRequest(input: FetchInput, init: FetchInit, origin: string): FetchRequest {
  const resource = typeof input === 'string' ? new URL(input, origin) : input;
  const body = resource instanceof Request ? undefined : ownBody(init);
  // Without the signal, which each Request would listen to until it is collected: a transfer listens by itself.
  const request = new Request(resource, { ...init, ...(body !== undefined && { body: null }), signal: null });
  if (body !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  }
  const url = new URL(request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw failed(new Error('unknown scheme'));
  return {
    url,
    method: request.method,
    headers: request.headers,
    body: body ?? request.body,
    redirect: request.redirect,
    signal: signalOf(input, init),
  };
}

/** What is no stream. A stream is Request's to check: it has to be unused, and `duplex: 'half'` to be there. */
function ownBody(init: FetchInit): ScgiBody | undefined {
  const body = init?.body;
  if (body == null) return undefined;
  return isWhole(body) ? body : undefined;
}

/** Whether it can be sent again. */
function isWhole(
  body: unknown,
): body is string | Uint8Array | ArrayBuffer | ArrayBufferView | URLSearchParams | Blob | FormData {
  return (
    typeof body === 'string' ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof FormData
  );
}

/** The caller's own: the one of a Request is another object for the same. */
function signalOf(input: FetchInput, init: FetchInit): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined;
  return input instanceof Request ? input.signal : undefined;
}

/**
 * The request as a client sends it.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an URL outside `scriptName`
 */
export function clientRequest(request: FetchRequest, options: ScgiVariableOptions): ScgiRequestOptions {
  const { url, method, body, signal } = request;
  const { scriptName = '' } = options;
  if (!isBelow(url, scriptName)) {
    const problem = 'the URL is not below scriptName';
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'scriptName', value: scriptName, problem });
  }
  const headers = new Headers(request.headers);
  if (!headers.has('host')) headers.set('host', url.host);
  const https = url.protocol === 'https:';
  return {
    method,
    headers,
    body,
    signal,
    scriptName: options.scriptName,
    remoteAddress: options.remoteAddress,
    env: options.env,
    path: url.pathname.slice(scriptName.length) + url.search,
    scheme: options.scheme ?? (https ? 'https' : 'http'),
    serverName: options.serverName ?? url.hostname,
    serverPort: options.serverPort ?? (url.port === '' ? (https ? 443 : 80) : Number(url.port)),
    // What it leads to is fetched as every other redirect.
    onLocalRedirect: 'return',
  };
}

/** Whether a backend that is mounted there would get the request. */
export function isBelow(url: URL, scriptName = ''): boolean {
  return scriptName === '' || url.pathname.startsWith(`${scriptName}/`);
}

const describesBody = ['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type'];

/**
 * The request that follows a redirect, HTTP-redirect fetch steps 11 and 12 of the standard.
 * @throws {TypeError} for a body that is gone
 */
export function redirectedRequest(request: FetchRequest, status: number, url: URL): FetchRequest {
  const { method, body } = request;
  const isPost = method === 'POST' && (status === 301 || status === 302);
  if (isPost || (status === 303 && method !== 'GET' && method !== 'HEAD')) {
    const headers = new Headers(request.headers);
    for (const name of describesBody) headers.delete(name);
    return { ...request, url, method: 'GET', headers, body: null };
  }
  if (body === null || isWhole(body)) return { ...request, url };
  if (body instanceof Readable) body.destroy();
  throw failed(new Error('the body is a stream, and cannot be sent again'));
}

/** As undici fails. */
export function failed(cause: unknown): TypeError {
  return new TypeError('fetch failed', { cause });
}
