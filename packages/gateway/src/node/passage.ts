// One HTTP request on its way through the gateway: the request's body to a call, the call's answer to the response.
// Owns the order of things between the two, what happens when either ends early, and nothing that outlives the request.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Backend, Call, ExchangeHandler } from '@scgi/client/exchange';
import { RemoteProtocolError, ScgiError } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import {
  Answer,
  type MountedTarget,
  redirectVariables,
  requestVariables,
  type VariableSettings,
} from '@scgi/core/relay';
import { type BodySettings, RequestBody } from './request-body.js';
import { sendFile } from './send-file.js';
import { fileOrder, redirectTarget, type SpecialSettings } from './special-answers.js';

/** What applies to every request of a gateway. */
export interface PassageSettings extends BodySettings, VariableSettings, SpecialSettings {
  readonly backend: Backend;
  readonly lingerTimeout: number;
  readonly maxLocalRedirects: number;
  readonly onError: (error: ScgiError, request: IncomingMessage) => void;
}

/** What becomes of the answer that arrives. */
const Way = {
  /** It goes on to the client. */
  On: 0,
  /** It asked for a file; what else it says is of no use. */
  File: 1,
  /** It asked for another page: that is asked for at its end. */
  Redirect: 2,
} as const;
type Way = (typeof Way)[keyof typeof Way];

/** Passes one request on and its answer back. */
export class Passage implements ExchangeHandler<ResponseHead> {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #settings: PassageSettings;
  readonly #answer: Answer;
  readonly #body: RequestBody;
  #mounted: MountedTarget;
  #variables: readonly string[];
  #method: string;
  #call: Call<ResponseHead> | undefined;
  /** The client sends its body only when told to (Expect: 100-continue), and was not told yet. */
  #owesContinue: boolean;
  #way: Way;
  #redirect: ResponseHead | undefined;
  #redirects: number;
  #listensForDrain: boolean;

  /** @param expectsContinue the client waits for 100 Continue, and nobody has sent it */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    settings: PassageSettings,
    mounted: MountedTarget,
    expectsContinue: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.#settings = settings;
    this.#answer = new Answer(request, response, settings.backend.settings.idleTimeout, settings.lingerTimeout);
    this.#body = new RequestBody(request, this);
    this.#mounted = mounted;
    this.#variables = [];
    this.#method = request.method ?? '';
    this.#call = undefined;
    this.#owesContinue = expectsContinue;
    this.#way = Way.On;
    this.#redirect = undefined;
    this.#redirects = 0;
    this.#listensForDrain = false;
  }

  start(): void {
    const response = this.#response;
    // A client that has left is reported by `close`, in the same turn or the next.
    response.on('error', ignore);
    response.on('close', () => this.#leave());
    try {
      this.#variables = requestVariables(this.#request, this.#mounted, this.#settings, false);
    } catch (error) {
      this.#failWith(error);
      return;
    }
    this.#body.measure(this.#settings);
  }

  /** The client is gone, or has its answer: whatever is still under way is for nobody. */
  #leave(): void {
    this.#body.stop();
    this.#call?.destroy();
  }

  /** The body will be read before the backend is called, so the client must send it now. */
  onBodyWanted(): void {
    this.#sendContinue();
  }

  onLength(bodyLength: number): void {
    try {
      const request = { method: this.#method, variables: this.#variables, bodyLength };
      this.#call = this.#settings.backend.open(request, this);
    } catch (error) {
      this.#failWith(error);
    }
  }

  onBodyError(error: ScgiError): void {
    this.#call?.destroy();
    this.onError(error);
  }

  #sendContinue(): void {
    if (this.#owesContinue) this.#response.writeContinue();
    this.#owesContinue = false;
  }

  /** Only now, so that a client is not asked to upload to a backend that is down. */
  onConnect(): void {
    this.#sendContinue();
    if (this.#call !== undefined && this.#redirects === 0) this.#body.sendTo(this.#call);
  }

  onDrain(): void {
    this.#body.resume();
  }

  onHead(head: ResponseHead): void {
    const settings = this.#settings;
    if (this.#answer.taken) {
      this.#leave();
    } else if (head.kind === 'upgrade') {
      this.#call?.destroy();
      this.onError(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'no upgrade was asked' }));
    } else if (head.kind === 'local-redirect' && settings.localRedirect !== undefined) {
      this.#way = Way.Redirect;
      this.#redirect = head;
    } else if (!this.#sendsFile(head)) {
      this.#answer.begin(head);
    }
  }

  #sendsFile(head: ResponseHead): boolean {
    const order = fileOrder(head, this.#settings);
    if (order === undefined) return false;
    this.#way = Way.File;
    this.#body.stop();
    this.#answer.readOn();
    void sendFile(this.#request, this.#response, head, order, (error) => this.#fail(error));
    return true;
  }

  onBody(data: Uint8Array): boolean {
    if (this.#way !== Way.On || this.#answer.write(data)) return true;
    if (!this.#listensForDrain) this.#response.on('drain', () => this.#call?.resume());
    this.#listensForDrain = true;
    return false;
  }

  onEnd(): void {
    if (this.#way === Way.On) this.#answer.end();
    else if (this.#redirect !== undefined) void this.#follow(this.#redirect);
  }

  onError(error: ScgiError): void {
    // The file is on its way: how the rest of the backend's answer ends is of no interest.
    if (this.#way !== Way.File) this.#fail(error);
  }

  #fail(error: ScgiError): void {
    this.#body.stop();
    this.#answer.fail(error);
    this.#settings.onError(error, this.#request);
  }

  #failWith(error: unknown): void {
    if (!(error instanceof ScgiError)) throw error;
    this.#fail(error);
  }

  /** RFC 3875 §6.2.2: the answer is what a GET of that path is answered with. A HEAD stays one. */
  async #follow(head: ResponseHead): Promise<void> {
    const { localRedirect, maxLocalRedirects, backend } = this.#settings;
    const request = this.#request;
    this.#redirect = undefined;
    this.#way = Way.On;
    try {
      const mounted = localRedirect && (await redirectTarget(head, localRedirect, request, this.#mounted));
      if (this.#response.destroyed || this.#answer.taken) return;
      if (mounted === undefined) {
        this.#answer.begin(head);
        this.#answer.end();
        return;
      }
      this.#redirects += 1;
      if (this.#redirects > maxLocalRedirects) {
        throw new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { maxLocalRedirects });
      }
      this.#body.stop();
      this.#answer.readOn();
      const from = this.#mounted.target;
      const query = from.indexOf('?');
      this.#mounted = mounted;
      this.#method = request.method === 'HEAD' ? 'HEAD' : 'GET';
      const variables = redirectVariables(request, mounted, this.#settings, query === -1 ? from : from.slice(0, query));
      this.#call = backend.open({ method: this.#method, variables, bodyLength: 0 }, this);
    } catch (error) {
      this.#failWith(error);
    }
  }
}

function ignore(): void {}
