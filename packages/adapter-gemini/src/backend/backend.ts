// SCGI backends as Gemini handlers, to be mounted: by any target, by host and port, by the path of a Unix socket.

import type { BackendTarget } from '@scgi/client/exchange';
import { Backend } from '@scgi/client/exchange';
import { logError } from '../handler.js';
import type { GeminiHandlerObject } from '../handler.js';
import type { GeminiRequest } from '../request.js';
import type { GeminiResponse } from '../response.js';
import { BackendExchange } from './exchange.js';
import type { BackendErrorHook } from './exchange.js';
import { backendOptions, resolveVariableSettings } from './options.js';
import type { ScgiBackendOptions, VariableSettings } from './options.js';
import { requestVariables } from './variables.js';

/** Passes requests to an SCGI backend. Its answers are Gemini responses. */
export class GeminiBackend implements GeminiHandlerObject {
  readonly #backend: Backend;
  readonly #variables: VariableSettings;
  readonly #onError: BackendErrorHook;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible target or option; the message shows what is accepted */
  constructor(target: BackendTarget | readonly BackendTarget[], options: ScgiBackendOptions = {}) {
    this.#backend = new Backend(target, backendOptions(options));
    this.#variables = resolveVariableSettings(options);
    this.#onError = options.onError ?? logError;
  }

  /** Connections that are open or being opened. */
  get connections(): number {
    return this.#backend.connections;
  }

  /** What the backend answers, or 43. Whoever drops the response destroys its body. */
  handle(request: GeminiRequest): Promise<GeminiResponse> {
    return new BackendExchange(request, this.#onError).start(this.#backend, requestVariables(request, this.#variables));
  }

  /** No more requests; those under way go on. */
  close(): void {
    this.#backend.close();
  }
}

/** A backend at a TCP address, to `mount`. */
export class ScgiHandler extends GeminiBackend {
  /** @throws {LocalProtocolError} ERR_SCGI_OPTION */
  constructor(host: string, port: number, options: ScgiBackendOptions = {}) {
    super({ host, port }, options);
  }
}

/** A backend at a Unix socket, to `mount`. */
export class ScgiApp extends GeminiBackend {
  /** @throws {LocalProtocolError} ERR_SCGI_OPTION */
  constructor(socketPath: string, options: ScgiBackendOptions = {}) {
    super({ socketPath }, options);
  }
}

/**
 * A backend at one target or several, to `mount`.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function scgiBackend(
  target: BackendTarget | readonly BackendTarget[],
  options: ScgiBackendOptions = {},
): GeminiBackend {
  return new GeminiBackend(target, options);
}
