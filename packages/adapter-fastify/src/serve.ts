// Fastify over SCGI: requests go to `app.routing`, and the application and its server end together, whichever of the two
// is closed. Knows Fastify by its shape: it imports none.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { cgiVariant, serveScgi as serveListener } from '@scgi/core';
import type { RunningServer, ServeCgi, ServeOptions } from '@scgi/core';

/** A Fastify 5 application, as far as it matters here. */
export interface FastifyApp {
  readonly server: { close(callback?: (error?: Error) => void): unknown };
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
  routing(request: IncomingMessage, response: ServerResponse): void;
  after(listener: () => void): unknown;
  addHook(name: 'onClose', hook: () => Promise<void>): unknown;
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: { getter(this: { readonly raw: IncomingMessage }): unknown }): unknown;
}

/**
 * Loads a Fastify application (`app.ready()`) and serves it over SCGI; resolves when it listens.
 * `request.ip`, `request.protocol` and `request.host` are what the front end vouches for: leave `trustProxy` off.
 * The variables are in `request.scgi.env`, unless the application has a decorator of that name, and in any case in
 * `request.raw.scgi.env`.
 * `app.close()` stops the server too, and `close()` of the server closes the application. Both let requests in flight
 * finish, and the `onClose` hooks run after these. `close()` waits for the hooks as well, unless they run already; do not
 * wait for it in a `preClose` hook.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core; and what `app.ready()` rejects with
 */
export async function serveScgi(app: FastifyApp, options: ServeOptions = {}): Promise<RunningServer> {
  let running: RunningServer | undefined;
  let drained: Promise<void> | undefined;
  let appClosed: PromiseLike<unknown> | undefined;
  let appIsClosing = false;
  joinApp(app, async () => {
    appIsClosing = true;
    // A close() of the server that is under way waits as long as it was told to.
    await (drained ??= running?.close());
  });
  await app.ready();
  running = await serveListener((request, response) => app.routing(request, response), options);
  const { server, endpoints, close: closeServer } = running;
  if (appIsClosing) await closeServer({ timeout: 0 }); // It was closed before there was anything to stop.

  const close: RunningServer['close'] = async (closeOptions) => {
    const closed = closeServer(closeOptions);
    drained ??= closed;
    // First nobody can connect any more: from its close() on, Fastify answers new requests with 503.
    while (server.listening) await setImmediate();
    if (!appIsClosing) await (appClosed ??= app.close());
    await closed;
  };
  return { server, endpoints, close, [Symbol.asyncDispose]: close };
}

/**
 * Serves a Fastify application as a CGI program, where a web server has started this process for one request; else as
 * `serveScgi`. What the application prints goes to the standard error then.
 */
export const serveCgi: ServeCgi<FastifyApp, ServeOptions> = cgiVariant(serveScgi);

/**
 * Calls `stop` when Fastify stops its own server: behind the `preClose` hooks, which end streams, and before all `onClose`
 * hooks, which take away what requests in flight need.
 */
function joinApp(app: FastifyApp, stop: () => Promise<void>): void {
  const lastOfAll = (): void => {
    // The hook that was added last runs first.
    app.addHook('onClose', stop);
    if (!app.hasRequestDecorator('scgi')) app.decorateRequest('scgi', { getter: scgiOf });
  };
  try {
    app.after(lastOfAll);
  } catch {
    // All that it can mean: the application is loaded already, and takes neither hooks nor decorators. But Fastify
    // closes its own server even if that has never listened.
    const { server } = app;
    const close = server.close.bind(server);
    server.close = (callback) => {
      stop().then(() => close(callback), callback);
      return server;
    };
  }
}

function scgiOf(this: { readonly raw: IncomingMessage }): unknown {
  return this.raw.scgi;
}
