// One request of the web server, passed on to the SCGI server, and its answer, copied back: bodies both ways at their
// pace, tried again while the server restarts. Decides what a failure means; the exchange of the client does the rest.

import type { Call, ExchangeHandler } from '@scgi/client/exchange';
import { Backend } from '@scgi/client/exchange';
import { RemoteProtocolError, type ScgiError } from '@scgi/core/protocol';
import { CopiedAnswer } from './copied-answer.js';
import type { CgiRequest } from './request.js';
import { ServerStart } from './server-start.js';
import type { Cgi2ScgiSettings } from './settings.js';
import type { WebServer } from './web-server.js';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

/** What connecting meets where nobody listens, or there is no file. */
const absenceReasons: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOENT']);
/** And what else it meets while a server restarts: a full queue, a queue that is closed. */
const passingReasons: ReadonlySet<unknown> = new Set([...absenceReasons, 'EAGAIN', 'ECONNRESET', 'EPIPE']);
/** RFC 9110 §9.2.1. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Passes one request on. */
export class Relay implements ExchangeHandler<Uint8Array> {
  readonly #webServer: WebServer;
  readonly #request: CgiRequest;
  readonly #backend: Backend;
  readonly #serverStart: ServerStart | undefined;
  readonly #giveUpAt: number;
  #call: Call<Uint8Array> | undefined;
  #answer: CopiedAnswer;
  #pause: number;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION */
  constructor(webServer: WebServer, request: CgiRequest, settings: Cgi2ScgiSettings) {
    const { target, connectTimeout, firstByteTimeout, idleTimeout, start } = settings;
    this.#webServer = webServer;
    this.#request = request;
    this.#backend = new Backend(target, { connectTimeout, firstByteTimeout, idleTimeout });
    this.#serverStart = start === undefined ? undefined : new ServerStart(start);
    this.#giveUpAt = performance.now() + settings.retryFor;
    this.#call = undefined;
    this.#answer = new CopiedAnswer(request.method);
    this.#pause = FIRST_PAUSE_MS;
    webServer.onDrain = () => this.#call?.resume();
  }

  /**
   * Connects, for the first time or once more.
   * @throws {LocalProtocolError} ERR_SCGI_VARIABLE
   */
  attempt(): void {
    this.#answer = new CopiedAnswer(this.#request.method);
    this.#call = this.#backend.openWith(this.#answer, this.#request, this);
  }

  onConnect(): void {
    this.#webServer.input.start(
      (chunk) => this.#send(chunk),
      () => this.#giveUp(),
    );
  }

  onDrain(): void {
    this.#webServer.input.resume();
  }

  onHead(head: Uint8Array): void {
    this.#webServer.write(head);
  }

  onBody(data: Uint8Array): boolean {
    return this.#webServer.write(data);
  }

  onEnd(): void {
    this.#webServer.end();
  }

  onError(error: ScgiError): void {
    const startFailure = isAbsence(error) ? this.#serverStart?.attempt() : undefined;
    const timeLeft = this.#giveUpAt - performance.now();
    if (startFailure !== undefined || timeLeft <= 0 || !this.#mayRetry(error)) {
      this.#webServer.fail(startFailure ?? error);
      return;
    }
    this.#webServer.input.pause();
    setTimeout(() => this.attempt(), Math.min(this.#pause, timeLeft));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  /** The web server has not sent what it has announced: its client has left. */
  #giveUp(): void {
    this.#call?.destroy();
    this.#webServer.fail(new RemoteProtocolError('ERR_SCGI_PREMATURE_EOF'));
  }

  #send(chunk: Uint8Array): boolean {
    // A server that reads no more may have answered: that is worth more than what it did not read.
    return this.#call?.takesBody === true && this.#call.write(chunk);
  }

  /** What was not sent can be sent again; what may have been read, only if that does no harm. */
  #mayRetry({ code, details }: ScgiError): boolean {
    const connectFailed = code === 'ERR_SCGI_BACKEND_UNREACHABLE' || code === 'ERR_SCGI_BACKEND_BUSY';
    if (connectFailed) return passingReasons.has(details['reason']);
    const untouched = !this.#answer.started && !this.#webServer.input.touched;
    return code === 'ERR_SCGI_BACKEND_RESET' && untouched && safeMethods.has(this.#request.method);
  }
}

/** Whether nobody listens. */
function isAbsence({ code, details }: ScgiError): boolean {
  return code === 'ERR_SCGI_BACKEND_UNREACHABLE' && absenceReasons.has(details['reason']);
}
