// One request of Node's on its way through a program: finds it, runs it, feeds it the body and writes its answer. Owns
// local redirects, and what happens when either side ends early.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest } from 'node:http2';
import type { Writable } from 'node:stream';
import { getScgiEnv } from '@scgi/core';
import type { ResponseHead } from '@scgi/core/protocol';
import {
  BackendError,
  LocalProtocolError,
  parseContentLength,
  RemoteProtocolError,
  ScgiError,
} from '@scgi/core/protocol';
import { Answer, findField, headersOf, type MountedTarget, requestFacts, withoutBodyFields } from '@scgi/core/relay';
import type { CgiSettings } from '../options.js';
import { LocalRedirects } from '../runner/local-redirects.js';
import type { Run, RunHandler } from '../runner/runner.js';

/** How long to read on when the answer is sent and the client still uploads, as nginx. */
const LINGER_TIMEOUT_MS = 30_000;

export class CgiPassage implements RunHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #settings: CgiSettings;
  readonly #answer: Answer;
  readonly #onMissing: () => void;
  #mounted: MountedTarget;
  #run: Run | undefined;
  #input: Writable | undefined;
  readonly #redirects: LocalRedirects;
  /** The head of a local redirect: when its program has ended, the next one is asked. */
  #redirect: ResponseHead | undefined;
  #listensForDrain: boolean;

  /** @param onMissing there is no such program: somebody else may answer */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    settings: CgiSettings,
    mounted: MountedTarget,
    onMissing: (() => void) | undefined,
  ) {
    this.#request = request;
    this.#response = response;
    this.#settings = settings;
    this.#answer = new Answer(request, response, settings.timeout, LINGER_TIMEOUT_MS);
    this.#onMissing = onMissing ?? (() => this.onError(new BackendError('ERR_SCGI_PROGRAM_NOT_FOUND')));
    this.#mounted = mounted;
    this.#run = undefined;
    this.#input = undefined;
    this.#redirects = new LocalRedirects(settings.maxLocalRedirects);
    this.#redirect = undefined;
    this.#listensForDrain = false;
  }

  async start(): Promise<void> {
    try {
      const contentLength = bodyLengthOf(this.#request);
      const run = await this.#prepare(contentLength);
      if (run === undefined) {
        this.#onMissing();
        return;
      }
      const response = this.#response;
      // A client that has left is reported by `close`, in the same turn or the next.
      response.on('error', ignore);
      response.on('close', () => this.#leave());
      if (response.destroyed || this.#answer.taken) return;
      run.start();
    } catch (error) {
      this.#failWith(error);
    }
  }

  async #prepare(contentLength: number | undefined): Promise<Run | undefined> {
    const settings = this.#settings;
    const request = this.#request;
    const facts = requestFacts(
      request,
      this.#mounted,
      { serverName: settings.serverName, underscoreFields: false },
      false,
    );
    const { origin } = this.#redirects;
    const asked = {
      facts: origin === undefined ? facts : asGet(facts.method, facts, headersOf(request)),
      mounted: this.#mounted,
      scgiEnv: getScgiEnv(request),
      contentLength: origin === undefined ? contentLength : undefined,
      redirectedFrom: origin,
      incoming: request,
    };
    this.#run = await settings.runner.prepare(asked, this);
    return this.#run;
  }

  /** The client is gone, or has its answer. */
  #leave(): void {
    this.#run?.destroy();
  }

  onInput(input: Writable | undefined): void {
    if (input === undefined) return;
    const request = this.#request;
    this.#input = input;
    request.on('data', (chunk: Uint8Array) => this.#feed(chunk));
    request.on('end', () => this.#input?.end());
    input.on('drain', () => {
      this.#run?.noteInput();
      request.resume();
    });
    // The program reads no more, or has ended: the rest goes by.
    input.on('close', () => {
      this.#input = undefined;
      request.resume();
    });
  }

  #feed(chunk: Uint8Array): void {
    this.#run?.noteInput();
    if (this.#input?.writable && !this.#input.write(chunk)) this.#request.pause();
  }

  onHead(head: ResponseHead): void {
    if (this.#answer.taken) {
      this.#leave();
    } else if (head.kind === 'upgrade') {
      this.#run?.destroy();
      this.onError(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'CGI has no tunnels' }));
    } else if (head.kind === 'local-redirect') {
      this.#redirect = head;
    } else {
      this.#answer.begin(head);
    }
  }

  onBody(data: Uint8Array): boolean {
    if (this.#redirect !== undefined || this.#answer.write(data)) return true;
    if (!this.#listensForDrain) this.#response.on('drain', () => this.#run?.resume());
    this.#listensForDrain = true;
    return false;
  }

  onEnd(): void {
    if (this.#redirect === undefined) this.#answer.end();
    else void this.#follow(this.#redirect);
  }

  onError(error: ScgiError): void {
    // Of a client that has left there is nothing to say.
    if (this.#response.destroyed) return;
    this.#answer.fail(error);
    this.#settings.onError(error, this.#request);
  }

  #failWith(error: unknown): void {
    if (!(error instanceof ScgiError)) throw error;
    this.onError(error);
  }

  /** RFC 3875 §6.2.2: the answer is what a GET of that path is answered with. A HEAD stays one. */
  async #follow(head: ResponseHead): Promise<void> {
    const location = findField(head.fields, 'location') ?? '';
    this.#redirect = undefined;
    try {
      const mounted = this.#redirects.follow(this.#mounted, this.#request.method ?? 'GET', location);
      // Not ours: the client, or the web server before us, knows who answers there.
      if (mounted === undefined) return this.#passOn(head);
      this.#input = undefined;
      this.#answer.readOn();
      this.#mounted = mounted;
      const run = await this.#prepare(undefined);
      if (this.#response.destroyed || this.#answer.taken) return;
      if (run === undefined) throw new BackendError('ERR_SCGI_PROGRAM_NOT_FOUND', { location });
      run.start();
    } catch (error) {
      this.#failWith(error);
    }
  }

  #passOn(head: ResponseHead): void {
    this.#answer.begin(head);
    this.#answer.end();
  }
}

/** What Content-Length says; undefined without one. @throws {ScgiError} for a body that no program could be given */
function bodyLengthOf(request: IncomingMessage): number | undefined {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined || isOpenHttp2(request)) {
    // CGI has CONTENT_LENGTH only. Behind SCGI this cannot occur: the front end has counted.
    throw new BackendError('ERR_SCGI_LENGTH_REQUIRED');
  }
  const length = headers['content-length'] === undefined ? undefined : parseContentLength(headers['content-length']);
  if (length !== undefined && length > 0 && request.readableDidRead) {
    throw new LocalProtocolError('ERR_SCGI_BODY_USED', { remedy: 'mount CGI programs before body parsers' });
  }
  return length;
}

function asGet(
  method: string,
  facts: ReturnType<typeof requestFacts>,
  headers: ReturnType<typeof headersOf>,
): ReturnType<typeof requestFacts> {
  return { ...facts, method: method === 'HEAD' ? 'HEAD' : 'GET', headers: withoutBodyFields(headers) };
}

/** HTTP/2 frames its bodies by itself: one may follow though nothing announces it. */
function isOpenHttp2(request: IncomingMessage): boolean {
  if (!(request instanceof Http2ServerRequest)) return false;
  return request.headers['content-length'] === undefined && !request.stream.endAfterHeaders;
}

function ignore(): void {}
