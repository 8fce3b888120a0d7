// Express over SCGI. An Express app is a listener, so core serves it as it is; what is left for the adapter is the
// mount point, which Express keeps in `req.baseUrl`.

import { cgiVariant, serveScgi as serveListener } from '@scgi/core';
import type { RunningServer, ScgiListener, ServeCgi, ServeOptions } from '@scgi/core';

/** An Express 4 or 5 application, as far as it matters here. */
export type ExpressApp = ScgiListener;

/**
 * Serves an Express application over SCGI; resolves when it listens.
 * `req.ip`, `req.protocol`, `req.secure` and `req.hostname` are what the front end vouches for: leave `trust proxy` off.
 * Below `basePath`, `req.baseUrl` holds the prefix and `req.originalUrl` the whole, as under `app.use(prefix, …)`.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core
 */
export function serveScgi(app: ExpressApp, options: ServeOptions = {}): Promise<RunningServer> {
  if (options.basePath === undefined) return serveListener(app, options);
  return serveListener((request, response) => {
    Object.assign(request, { baseUrl: request.scgi.basePath });
    return app(request, response);
  }, options);
}

/**
 * Serves an Express application as a CGI program, where a web server has started this process for one request; else as
 * `serveScgi`. What the application prints goes to the standard error then.
 */
export const serveCgi: ServeCgi<ExpressApp, ServeOptions> = cgiVariant(serveScgi);
