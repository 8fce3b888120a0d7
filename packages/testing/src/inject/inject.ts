// A request to an application without a socket: through the encoder of the client, the decoder, driver and bridge of
// the server, and the decoder of the answer, as in production; only the kernel in between is left out.

import { Readable } from 'node:stream';
import type { ErrorHook, RunningServer, ScgiListener, ScgiServer, ServeOptions } from '@scgi/core';
import { createScgiServer, guardListener } from '@scgi/core';
import type { ResponseHead } from '@scgi/core/protocol';
import type { ScgiError } from '@scgi/core/protocol';
import type { ScgiBridge } from '@scgi/core/server';
import type { Deferred } from '../deadline.js';
import { defer } from '../deadline.js';
import type { AnswerHandler } from './client.js';
import { InjectedClient } from './client.js';
import type { InjectedRequest } from './request.js';
import { toWireRequest } from './request.js';
import type { InjectedResponse, StreamedResponse } from './response.js';
import { toInjectedHead } from './response.js';

/** What can be asked: a listener `(req, res)`, a bridge, or a server of any adapter, which need not listen. */
export type InjectableApp = ScgiListener | ScgiBridge | ScgiServer | Pick<RunningServer, 'server'>;

/** Options of `inject` and `injectStream`. */
export interface InjectOptions {
  /** For the server around a listener or a bridge: as `serveScgi`. */
  readonly scgi?: Omit<ServeOptions, 'bind'> | undefined;
  /** Until the answer is whole and the connection closed; for `injectStream` until the head is there. 0: none. Default 5,000 ms. */
  readonly timeout?: number | undefined;
  /** Lets the client leave. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one request and waits for the whole answer and the end of the connection.
 *
 * @throws {ScgiError} where no answer came: ERR_SCGI_RESPONSE_EMPTY, ERR_SCGI_RESPONSE_HEAD, ERR_SCGI_BACKEND_RESET …
 * @throws {Error} after `timeout`; the reason of `signal`; what the request body throws
 */
export async function inject(
  app: InjectableApp,
  request: InjectedRequest = {},
  options: InjectOptions = {},
): Promise<InjectedResponse> {
  const chunks: Uint8Array[] = [];
  const injection = new Injection(app, options, (data) => chunks.push(data) > 0);
  try {
    const head = toInjectedHead(await injection.start(request));
    const fault = await injection.ended;
    const body = Buffer.concat(chunks);
    const text = body.toString();
    const { errors } = injection;
    return { ...head, body, text, json: () => JSON.parse(text), broken: fault !== undefined, fault, errors };
  } finally {
    injection.stop();
  }
}

/**
 * Sends one request and resolves with the head of the answer.
 * @throws as `inject`
 */
export async function injectStream(
  app: InjectableApp,
  request: InjectedRequest = {},
  options: InjectOptions = {},
): Promise<StreamedResponse> {
  const injection = new Injection(app, options, (data) => body.push(data));
  const body = new Readable({
    read: () => injection.client.resume(),
    destroy(error, done) {
      injection.stop();
      done(error);
    },
  });
  try {
    const head = toInjectedHead(await injection.start(request));
    injection.stopClock();
    injection.answered.then(
      (fault) => (fault === undefined ? body.push(null) : body.destroy(fault)),
      (reason: unknown) => body.destroy(toError(reason)),
    );
    return { ...head, body, errors: injection.errors };
  } catch (error) {
    injection.stop();
    throw error;
  }
}

/** One request on its way. */
class Injection implements AnswerHandler {
  readonly client: InjectedClient;
  readonly errors: unknown[];
  /** The fault of the answer, if it has one. Rejects if the client left before it was whole. */
  readonly answered: Promise<ScgiError | undefined>;
  /** The same, when the server has closed the connection. */
  readonly ended: Promise<ScgiError | undefined>;
  readonly onBody: (data: Uint8Array) => boolean;
  readonly #head: Deferred<ResponseHead>;
  readonly #answered: Deferred<ScgiError | undefined>;
  readonly #closed: Deferred<void>;
  readonly #server: ScgiServer;
  readonly #options: InjectOptions;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(app: InjectableApp, options: InjectOptions, onBody: (data: Uint8Array) => boolean) {
    this.client = new InjectedClient(this);
    this.errors = [];
    this.onBody = onBody;
    this.#head = defer();
    this.#answered = defer();
    this.#closed = defer();
    this.answered = this.#answered.promise;
    this.ended = this.answered.then(async (fault) => {
      await this.#closed.promise;
      return fault;
    });
    // Not everybody waits for all of these; somebody waits for one.
    for (const promise of [this.#head.promise, this.#closed.promise, this.ended]) promise.catch(() => {});
    this.#server = serverFor(app, options.scgi ?? {}, this.errors);
    this.#options = options;
    this.#onAbort = () => this.client.leave(options.signal?.reason);
    this.#timer = undefined;
  }

  async start(request: InjectedRequest): Promise<ResponseHead> {
    const { signal, timeout = 5000 } = this.#options;
    signal?.throwIfAborted();
    const wire = await toWireRequest(request);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeout > 0) this.#timer = setTimeout(() => this.#giveUp(timeout), timeout);
    this.client.socket.once('close', () => this.#closed.resolve());
    this.#server.emit('connection', this.client.socket);
    this.client.send(wire).catch((error: unknown) => this.client.leave(error));
    return this.#head.promise;
  }

  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Leaves nothing behind. */
  stop(): void {
    this.stopClock();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.client.leave(undefined);
  }

  onHead(head: ResponseHead): void {
    // A tunnel is for the application to close.
    if (head.status === 101) this.#closed.resolve();
    this.#head.resolve(head);
  }

  onWhole(): void {
    this.#answered.resolve(undefined);
  }

  onFault(error: ScgiError): void {
    this.#head.reject(error);
    this.#answered.resolve(error);
  }

  onLeft(reason: unknown): void {
    this.#head.reject(reason);
    this.#answered.reject(reason);
  }

  #giveUp(timeoutMs: number): void {
    const { socket, bytesReceived } = this.client;
    const state = `${socket.bytesRead} bytes of the request were taken, ${bytesReceived} of the answer have come`;
    const late = new Error(`the application has not finished within ${timeoutMs} ms: ${state}`);
    this.#closed.reject(late);
    this.client.leave(late);
  }
}

function serverFor(app: InjectableApp, options: Omit<ServeOptions, 'bind'>, errors: unknown[]): ScgiServer {
  if ('server' in app) return app.server;
  if ('emit' in app && 'connectionCount' in app) return app;
  if (typeof app !== 'function') return createScgiServer(options, app);
  const onError: ErrorHook = (error, request) => {
    errors.push(error);
    options.onError?.(error, request);
  };
  return createScgiServer(options, guardListener(app, onError));
}

function toError(reason: unknown): Error | undefined {
  return reason instanceof Error || reason === undefined ? reason : new Error(String(reason));
}
