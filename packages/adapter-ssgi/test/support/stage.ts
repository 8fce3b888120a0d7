// An SSGI application that is served for one test, and ways to talk to it over raw SCGI.

import { encodeRequest } from '@scgi/core/protocol';
import { openRaw, rawRequest, type RawConnection, type RawResponse } from '@scgi/testing';
import { onTestFinished } from 'vitest';
import {
  serveScgi,
  type FailedRequest,
  type GetHeader,
  type RunningServer,
  type SsgiApp,
  type SsgiFramework,
  type SsgiHttpResponse,
  type SsgiServeOptions,
  type SsgiWebSocket,
} from '../../src/index.js';

export interface Served extends RunningServer {
  readonly address: string;
  /** What went to `onError`. */
  readonly errors: unknown[];
  /** The requests that went with it. */
  readonly failed: FailedRequest[];
}

/** Serves until the test ends. */
export async function serve(app: SsgiApp | SsgiFramework, options: SsgiServeOptions = {}): Promise<Served> {
  const errors: unknown[] = [];
  const failed: FailedRequest[] = [];
  const onError = (error: unknown, request: FailedRequest): void => {
    errors.push(error);
    failed.push(request);
  };
  const running = await serveScgi(app, { bind: 0, onError, ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  return { ...running, address: running.endpoints[0]?.address ?? '', errors, failed };
}

/** An application that serves HTTP only. */
export function http(handler: (res: SsgiHttpResponse, getHeader: GetHeader, path: string) => unknown): SsgiApp {
  return (type, _server, _remote, _method, path, _query, getHeader, res) => {
    if (type !== 'http') throw new Error('not asked for');
    return handler(res, getHeader, path);
  };
}

/** An application that serves WebSockets only. */
export function webSocket(handler: (socket: SsgiWebSocket, getHeader: GetHeader) => unknown): SsgiApp {
  return (type, _server, _remote, _method, _path, _query, getHeader, res) => {
    if (type !== 'websocket') throw new Error('not asked for');
    return handler(res, getHeader);
  };
}

export interface Question {
  readonly method?: string;
  readonly target?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export function variablesOf({ method = 'GET', target = '/', variables = {} }: Question): Record<string, string> {
  return {
    REQUEST_METHOD: method,
    REQUEST_URI: target,
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'server.test',
    SERVER_PORT: '80',
    REMOTE_ADDR: '192.0.2.7',
    ...variables,
  };
}

export interface Answer extends RawResponse {
  readonly text: string;
  /** By lower-case names; of several the last. */
  readonly headers: Readonly<Record<string, string>>;
}

export async function ask(address: string, question: Question = {}): Promise<Answer> {
  const response = await rawRequest(address, { variables: variablesOf(question), body: question.body });
  return { ...response, text: response.body.toString(), headers: toHeaders(response.fields) };
}

/** Serves an HTTP handler for one question. */
export async function askOnce(
  handler: (res: SsgiHttpResponse, getHeader: GetHeader, path: string) => unknown,
  question: Question = {},
  options: SsgiServeOptions = {},
): Promise<Answer & { readonly errors: readonly unknown[] }> {
  const { address, errors } = await serve(http(handler), options);
  return { ...(await ask(address, question)), errors };
}

/** Sends a request head that promises `length` bytes of body, and perhaps some of them. */
export async function open(
  address: string,
  question: Question = {},
  length = 0,
  first: string | Uint8Array = '',
): Promise<RawConnection> {
  const client = await openRaw(address);
  onTestFinished(() => void client.socket.destroy());
  const head = encodeRequest(Object.entries(variablesOf(question)).flat(), length);
  client.socket.write(Buffer.concat([head, Buffer.from(first)]));
  return client;
}

/** An event that a test waits for. */
export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((onResolve) => {
    resolve = onResolve;
  });
  return { promise, resolve };
}

/** Rejects if `promise` has not settled after a second, the time in which an application must hear of everything. */
export async function within<T>(promise: Promise<T>, what: string, ms = 1000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the promise did not reject');
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('the call did not throw');
}

function toHeaders(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < fields.length; index += 2) {
    headers[(fields[index] ?? '').toLowerCase()] = fields[index + 1] ?? '';
  }
  return headers;
}
