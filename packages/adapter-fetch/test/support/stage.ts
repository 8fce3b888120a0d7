// A Fetch handler that is served for one test, and ways to talk to it over raw SCGI.

import { encodeRequest } from '@scgi/core/protocol';
import { openRaw, rawRequest, type RawConnection, type RawResponse } from '@scgi/testing';
import { onTestFinished } from 'vitest';
import { serveScgi, type FetchApp, type FetchHandler, type RunningServer, type ServeOptions } from '../../src/index.js';

export interface Served extends RunningServer {
  readonly address: string;
  /** What went to `onError`. */
  readonly errors: unknown[];
}

/** Serves until the test ends. */
export async function serve(app: FetchHandler | FetchApp, options: ServeOptions = {}): Promise<Served> {
  const errors: unknown[] = [];
  const running = await serveScgi(app, { bind: 0, onError: (error) => void errors.push(error), ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  return { ...running, address: running.endpoints[0]?.address ?? '', errors };
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
  readonly headers: Readonly<Record<string, string>>;
}

export async function ask(address: string, question: Question = {}): Promise<Answer> {
  const response = await rawRequest(address, { variables: variablesOf(question), body: question.body });
  return { ...response, text: response.body.toString('latin1'), headers: toHeaders(response.fields) };
}

/** Serves a handler for one question. */
export async function askOnce(handler: FetchHandler, question: Question = {}, options?: ServeOptions): Promise<Answer> {
  return ask((await serve(handler, options)).address, question);
}

/** What the handler makes of the request, by way of JSON. */
export async function observe(
  look: (request: Request) => unknown,
  question: Question = {},
  options?: ServeOptions,
): Promise<unknown> {
  const answer = await askOnce(async (request) => Response.json(await look(request)), question, options);
  return JSON.parse(answer.body.toString());
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
export function signal<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Rejects if `promise` has not settled after a second, the time in which an application must hear of everything. */
export async function within<T>(promise: Promise<T>, what: string, ms = 1000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

function toHeaders(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < fields.length; index += 2) {
    headers[(fields[index] ?? '').toLowerCase()] = fields[index + 1] ?? '';
  }
  return headers;
}
