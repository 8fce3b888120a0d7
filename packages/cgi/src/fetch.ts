// CGI programs as a handler of the Fetch standard: `(request, context?) => Promise<Response>`. Owns the way of one request
// through a program there; needs no request and no response of Node's.

import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ResponseHead } from '@scgi/core/protocol';
import { BackendError, LocalProtocolError, RemoteProtocolError, ScgiError } from '@scgi/core/protocol';
import type { FetchGatewayContext, Mount, MountedTarget } from '@scgi/core/relay';
import { bodyLengthOf, fetchFacts, findField, responseOf, statusResponse, withoutBodyFields } from '@scgi/core/relay';
import type { CgiSettings } from './options.js';
import { LocalRedirects } from './runner/local-redirects.js';
import type { Run, RunHandler, RunRequest } from './runner/runner.js';

/**
 * Answers a request with what a program answers; 404 where there is none. Rejects only with the reason of the request's
 * signal.
 */
export type CgiFetchHandler = (request: Request, context?: FetchGatewayContext) => Promise<Response>;

/** @param mount below which requests are taken */
export function createFetchHandler(settings: CgiSettings<Request>, mount: Mount): CgiFetchHandler {
  return async (request, context = {}) => {
    const url = new URL(request.url);
    const { basePath = '' } = context;
    const length = mount.locate({ url: url.pathname })?.scriptNameLength;
    if (length === undefined) return statusResponse(404);
    const target = `${basePath}${url.pathname}${url.search}`;
    const passage = new FetchPassage(settings, request, context, {
      target,
      scriptNameLength: basePath.length + length,
    });
    return passage.respond();
  };
}

class FetchPassage {
  readonly #settings: CgiSettings<Request>;
  readonly #request: Request;
  readonly #context: FetchGatewayContext;
  readonly #redirects: LocalRedirects;
  #mounted: MountedTarget;

  constructor(settings: CgiSettings<Request>, request: Request, context: FetchGatewayContext, mounted: MountedTarget) {
    this.#settings = settings;
    this.#request = request;
    this.#context = context;
    this.#mounted = mounted;
    this.#redirects = new LocalRedirects(settings.maxLocalRedirects);
  }

  async respond(): Promise<Response> {
    const { signal } = this.#request;
    try {
      signal.throwIfAborted();
      return await this.#answer();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof ScgiError)) throw error;
      this.#report(error);
      return statusResponse(error.statusHint);
    }
  }

  async #answer(): Promise<Response> {
    const request = this.#request;
    const contentLength = bodyLength(request);
    for (;;) {
      const asked = this.#ask(contentLength);
      const { method } = asked.facts;
      const body = this.#redirects.origin === undefined ? request.body : null;
      const answering = new FetchAnswer(body, request.signal, (error) => this.#report(error));
      const run = await this.#settings.runner.prepare(asked, answering);
      if (run === undefined) throw new BackendError('ERR_SCGI_PROGRAM_NOT_FOUND');
      const answer = await answering.headOf(run);
      if (answer.kind !== 'local-redirect') return responseOf(answer, method);
      // What was printed behind it is nobody's.
      await answering.drained();
      const location = findField(answer.fields, 'location') ?? '';
      const mounted = this.#redirects.follow(this.#mounted, request.method, location);
      if (mounted === undefined) return responseOf({ ...answer, body: Readable.from([]) }, method);
      this.#mounted = mounted;
    }
  }

  #ask(contentLength: number | undefined): RunRequest<Request> {
    const { origin } = this.#redirects;
    const { target, scriptNameLength } = this.#mounted;
    const request = this.#request;
    const { basePath = '' } = this.#context;
    const given = fetchFacts(request, new URL(request.url), scriptNameLength - basePath.length, this.#context);
    const asked = { ...given, serverName: this.#settings.serverName };
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const headers = asked.headers ?? {};
    return {
      facts: origin === undefined ? asked : { ...asked, target, method, headers: withoutBodyFields(headers) },
      mounted: this.#mounted,
      scgiEnv: envOf(this.#context),
      contentLength: origin === undefined ? contentLength : undefined,
      redirectedFrom: origin,
      incoming: request,
    };
  }

  #report(error: ScgiError): void {
    // A client that has left is nobody's failure.
    if (!this.#request.signal.aborted) this.#settings.onError(error, this.#request);
  }
}

/** One run whose answer becomes a head and a stream. */
class FetchAnswer implements RunHandler {
  #run: Run | undefined;
  readonly #requestBody: ReadableStream<Uint8Array> | null;
  readonly #body: Readable;
  readonly #signal: AbortSignal;
  readonly #onBroken: (error: ScgiError) => void;
  readonly #begun: Promise<ResponseHead>;
  #begin: (head: ResponseHead) => void;
  #refuse: (error: unknown) => void;
  /** What came of the answer before anybody could read it, though its head was there: a short program prints all at once. */
  #failure: ScgiError | undefined;
  #isRead: boolean;

  /** @param onBroken hears of an answer that breaks off behind its head */
  constructor(
    requestBody: ReadableStream<Uint8Array> | null,
    signal: AbortSignal,
    onBroken: (error: ScgiError) => void,
  ) {
    this.#run = undefined;
    this.#requestBody = requestBody;
    this.#signal = signal;
    this.#onBroken = onBroken;
    this.#failure = undefined;
    this.#isRead = false;
    this.#begin = this.#refuse = () => {};
    this.#begun = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#refuse = reject;
    });
    this.#body = new Readable({
      read: () => this.#run?.resume(),
      destroy: (error, done) => {
        this.#run?.destroy();
        done(error);
      },
    });
  }

  /** Starts the program; resolves with the head of its answer. @throws {ScgiError} where it gives none */
  async headOf(run: Run): Promise<ResponseHead & { readonly body: Readable }> {
    const signal = this.#signal;
    signal.throwIfAborted();
    const leave = (): void => {
      this.#refuse(signal.reason);
      this.#body.destroy();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#body.once('close', () => signal.removeEventListener('abort', leave));
    this.#run = run;
    run.start();
    const head = await this.#begun;
    if (this.#failure !== undefined) throw this.#failure;
    this.#isRead = true;
    return { ...head, body: this.#body };
  }

  /** Resolves when the program has answered to the end, which nobody reads. */
  async drained(): Promise<void> {
    this.#body.resume();
    for await (const _chunk of this.#body);
  }

  onInput(input: Writable | undefined): void {
    const body = this.#requestBody;
    if (input === undefined || body === null) return;
    const source = Readable.fromWeb(body);
    source.on('data', () => this.#run?.noteInput());
    // A program need not read its input, and the end of a client shows in the signal.
    pipeline(source, input).catch(() => {});
  }

  onHead(head: ResponseHead): void {
    if (head.kind === 'upgrade') {
      this.#run?.destroy();
      this.onError(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'CGI has no tunnels' }));
      return;
    }
    this.#begin(head);
  }

  onBody(data: Uint8Array): boolean {
    return this.#body.push(data);
  }

  onEnd(): void {
    this.#body.push(null);
  }

  onError(error: ScgiError): void {
    this.#failure = error;
    this.#refuse(error);
    this.#body.destroy(this.#isRead ? error : undefined);
    if (this.#isRead && !this.#signal.aborted) this.#onBroken(error);
  }
}

/** @throws {ScgiError} for a body that no program could be given */
function bodyLength(request: Request): number | undefined {
  if (request.bodyUsed) throw new LocalProtocolError('ERR_SCGI_BODY_USED', { body: 'of the request' });
  if (request.body === null && !request.headers.has('content-length')) return undefined;
  const length = bodyLengthOf(request);
  if (length === undefined) throw new BackendError('ERR_SCGI_LENGTH_REQUIRED');
  return length;
}

/** `c.env` of Hono may be anything at all. */
function envOf({ env }: FetchGatewayContext): Readonly<Record<string, string | undefined>> | undefined {
  return typeof env === 'object' && env !== null ? env : undefined;
}
