// One SCGI service and what its requests have in common. Puts a request together from its options; sending it is a
// transfer's work.

import { LocalProtocolError } from '@scgi/core/protocol';
import { keepBody } from './body/kept-body.js';
import { type OutgoingBody, outgoingBody } from './body/outgoing-body.js';
import { callSettings } from './call-settings.js';
import { Backend, type BackendSettings, resolveBound, type SpoolOptions } from './exchange/index.js';
import { followLocalRedirects } from './local-redirects.js';
import type {
  RawRequestOptions,
  ScgiClientOptions,
  ScgiRequestOptions,
  ScgiSendOptions,
  ScgiTarget,
} from './options.js';
import { rawReceiver, cgiReceiver } from './receivers.js';
import { readFields } from './request-fields.js';
import { checkMethod, makeTarget } from './request-target.js';
import { requestVariables } from './request-variables.js';
import type { RawResponse, ScgiResponse } from './response.js';
import { type Receiver, transfer } from './transfer.js';

/** A request whose variables are complete. */
interface CompleteRequest {
  readonly method: string;
  readonly variables: readonly string[];
  readonly body: OutgoingBody;
  readonly signal: AbortSignal | undefined;
}

/** Calls one SCGI service. */
export class ScgiClient {
  /** Its addresses, and how busy they are. */
  readonly backend: Backend;
  /** The mount point of the application there. */
  readonly scriptName: string;
  readonly #options: ScgiClientOptions;
  readonly #maxLocalRedirects: number;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for a target or an option that is impossible */
  constructor(target: ScgiTarget, options: ScgiClientOptions = {}) {
    this.backend = new Backend(target, options);
    this.scriptName = options.scriptName ?? '';
    this.#options = options;
    this.#maxLocalRedirects = resolveBound('maxLocalRedirects', options.maxLocalRedirects, 10);
  }

  /**
   * Sends a request; the answer is there when its head is.
   * @throws {ScgiError} as a rejection; or the signal's reason
   */
  request(options: RawRequestOptions): Promise<RawResponse>;
  request(options?: ScgiRequestOptions): Promise<ScgiResponse>;
  /** For callers that pass options on. */
  request(options?: ScgiRequestOptions | RawRequestOptions): Promise<ScgiResponse | RawResponse>;
  async request(options: ScgiRequestOptions | RawRequestOptions = {}): Promise<ScgiResponse | RawResponse> {
    if (options.raw === true) return this.#ask(options, () => rawReceiver);
    const response = await this.#ask(options, cgiReceiver);
    return response.kind === 'local-redirect' ? this.#redirect(response, options) : response;
  }

  /**
   * Sends a request whose variables are complete.
   * @throws {ScgiError} as a rejection; or the signal's reason
   */
  async send(request: ScgiSendOptions): Promise<ScgiResponse> {
    const { method, variables, signal } = request;
    const body = outgoingBody(request.body, request.bodyLength);
    const { settings } = this.backend;
    return this.#transfer({ method, variables, body, signal }, cgiReceiver(method, settings), settings, this.#options);
  }

  /** No more requests; those that wait for a connection fail with ERR_SCGI_CLIENT_CLOSED, those that have one go on. */
  close(): void {
    this.backend.close();
  }

  #redirect(response: ScgiResponse, options: ScgiRequestOptions): Promise<ScgiResponse> {
    const onLocalRedirect = options.onLocalRedirect ?? this.#options.onLocalRedirect ?? 'return';
    const { maxLocalRedirects } = options;
    const rules = {
      onLocalRedirect,
      maxLocalRedirects:
        maxLocalRedirects === undefined
          ? this.#maxLocalRedirects
          : resolveBound('maxLocalRedirects', maxLocalRedirects, null),
      scriptName: options.scriptName ?? this.scriptName,
    };
    return followLocalRedirects(response, options, rules, (next) => this.#ask(next, cgiReceiver));
  }

  async #ask<Head, Answer>(
    options: ScgiRequestOptions | RawRequestOptions,
    receiverFor: (method: string, settings: BackendSettings) => Receiver<Head, Answer>,
  ): Promise<Answer> {
    const defaults = this.#options;
    const fields = readFields(options.headers);
    const body = outgoingBody(options.body, declaredLength(options.contentLength, fields.contentLength));
    try {
      const settings = callSettings(options, defaults, this.backend.settings);
      const method = checkMethod(options.method ?? (options.body == null ? 'GET' : 'POST'));
      if (body.type !== undefined && !fields.hasContentType) fields.flat.push('Content-Type', body.type);
      const scriptName = options.scriptName ?? this.scriptName;
      const target = makeTarget(scriptName, options.path ?? '/', options.query);
      const variables = requestVariables(method, target, fields.flat, options, defaults);
      const request = { method, variables, body, signal: options.signal };
      return await this.#transfer(request, receiverFor(method, settings), settings, spoolOptions(options, defaults));
    } catch (error) {
      body.source?.destroy();
      throw error;
    }
  }

  async #transfer<Head, Answer>(
    { method, variables, body, signal }: CompleteRequest,
    receiver: Receiver<Head, Answer>,
    settings: BackendSettings,
    spool: SpoolOptions,
  ): Promise<Answer> {
    const { backend } = this;
    if (body.source === undefined) {
      const bytes = body.bytes.length === 0 ? undefined : body.bytes;
      const request = { method, variables, settings, signal, body: bytes, bodyLength: 0, source: undefined };
      return transfer(backend, request, receiver);
    }
    const { source, length } = body;
    if (length !== undefined) {
      return transfer(backend, { method, variables, settings, signal, source, bodyLength: length }, receiver);
    }
    if (signal?.aborted === true) {
      source.destroy();
      throw signal.reason;
    }
    const { idleTimeout, totalTimeout } = settings;
    const start = performance.now();
    const kept = await keepBody(source, { spool, idleTimeout, totalTimeout, signal });
    const left = totalTimeout === 0 ? 0 : Math.max(1, Math.ceil(totalTimeout - (performance.now() - start)));
    const rest = { source: kept.source, bodyLength: kept.length, settings: { ...settings, totalTimeout: left } };
    return transfer(backend, { method, variables, signal, ...rest }, receiver);
  }
}

/** @throws {LocalProtocolError} ERR_SCGI_BODY_LENGTH_MISMATCH if a caller says two things */
function declaredLength(option: number | undefined, field: number | undefined): number | undefined {
  if (option !== undefined && field !== undefined && option !== field) {
    throw new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH', { contentLength: option, field });
  }
  return option ?? field;
}

function spoolOptions(given: SpoolOptions, defaults: SpoolOptions): SpoolOptions {
  return {
    maxHeldBody: given.maxHeldBody === undefined ? defaults.maxHeldBody : given.maxHeldBody,
    maxSpooledBody: given.maxSpooledBody === undefined ? defaults.maxSpooledBody : given.maxSpooledBody,
    spoolFolder: given.spoolFolder ?? defaults.spoolFolder,
  };
}
