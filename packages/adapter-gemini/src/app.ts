// An application: routes, mounts and backends behind middleware, state, and what to do at start and stop. A handler like
// any other, so it can be listened with, served over SCGI, or mounted in another application.

import type { BackendTarget } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core';
import { scgiBackend } from './backend/backend.js';
import type { GeminiBackend } from './backend/backend.js';
import type { ScgiBackendOptions } from './backend/options.js';
import { listenGemini } from './front/listen.js';
import type { GeminiListenOptions, GeminiServer } from './front/listen.js';
import { callHandler, toResponse } from './handler.js';
import type { GeminiHandler, GeminiHandlerObject, GeminiMiddleware } from './handler.js';
import type { GeminiRequest, GeminiState } from './request.js';
import { GeminiResponse } from './response.js';
import { Router } from './router.js';

/** Runs at the start, or at the end, of what serves the application. */
export type LifespanHook = () => void | Promise<void>;

export class GeminiApp implements GeminiHandlerObject {
  /** What handlers find as `request.state`, and backends get as variables if `appStateKeys` names it. */
  readonly state: GeminiState = {};
  readonly #router: Router = new Router();
  readonly #middleware: GeminiMiddleware[] = [];
  readonly #startup: LifespanHook[] = [];
  readonly #shutdown: LifespanHook[] = [];

  /** Wraps everything in `middleware`, the first one outermost. */
  use(middleware: GeminiMiddleware): this {
    this.#middleware.push(middleware);
    return this;
  }

  /** Answers one path. @throws {LocalProtocolError} ERR_SCGI_OPTION for what is no path, or is taken */
  route(path: string, handler: GeminiHandler): this {
    this.#router.addRoute(path, handler);
    return this;
  }

  /**
   * Answers everything below a prefix, before any route; of several prefixes the longest.
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for what is no path, or is taken
   */
  mount(prefix: string, handler: GeminiHandler): this {
    this.#router.addMount(prefix, handler);
    return this;
  }

  /**
   * Mounts an SCGI backend.
   * @returns the backend, for its `close`
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible target or option
   */
  scgi(
    prefix: string,
    target: BackendTarget | readonly BackendTarget[],
    options: ScgiBackendOptions = {},
  ): GeminiBackend {
    const backend = scgiBackend(target, options);
    this.mount(prefix, backend);
    return backend;
  }

  /** Runs before the first request. */
  onStartup(hook: LifespanHook): this {
    this.#startup.push(hook);
    return this;
  }

  /** Runs after the last request, the latest hook first. */
  onShutdown(hook: LifespanHook): this {
    this.#shutdown.unshift(hook);
    return this;
  }

  /** The response to a request. Rejects with what a handler throws, if no middleware catches it. */
  handle(request: GeminiRequest): Promise<GeminiResponse> {
    return this.#pass(0, request.withState(this.state));
  }

  /** Serves the application over TLS. See `listenGemini`. */
  listen(options: GeminiListenOptions): Promise<GeminiServer> {
    return listenGemini(this, options);
  }

  /** For what serves the application. */
  async start(): Promise<void> {
    for (const hook of this.#startup) await hook();
  }

  /** For what serves the application: every hook runs; the first error is thrown behind the last. */
  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (const hook of this.#shutdown) {
      try {
        await hook();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  async #pass(index: number, request: GeminiRequest): Promise<GeminiResponse> {
    const middleware = this.#middleware[index];
    if (middleware === undefined) return this.#dispatch(request);
    let called = false;
    const next = (): Promise<GeminiResponse> => {
      if (called) return Promise.reject(new LocalProtocolError('ERR_SCGI_STATE', { fault: 'next() was called twice' }));
      called = true;
      return this.#pass(index + 1, request);
    };
    return toResponse(await middleware(request, next));
  }

  async #dispatch(request: GeminiRequest): Promise<GeminiResponse> {
    const found = this.#router.find(request.segments);
    if (found === undefined) return GeminiResponse.notFound();
    return callHandler(found.handler, found.depth === 0 ? request : request.mounted(found.depth));
  }
}

/** Makes an application. */
export function createGeminiApp(): GeminiApp {
  return new GeminiApp();
}
