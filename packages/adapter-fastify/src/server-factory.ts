// The other way to serve Fastify: `app.listen()` stays the application's, and the server that listens speaks SCGI.

import type { RequestListener } from 'node:http';
import { createScgiServer } from '@scgi/core';
import type { ScgiServer, ScgiServerOptions } from '@scgi/core';

/** What Fastify's option `serverFactory` takes. Fastify calls it again for each further address of `localhost`. */
export type ScgiServerFactory = (handler: RequestListener) => ScgiServer;

/**
 * For `Fastify({ serverFactory: scgiServerFactory(options) })`. Limits and time-outs are those of `options`: Fastify's own
 * (`connectionTimeout`, `requestTimeout`, `http`) are for servers that it makes itself.
 * The factory throws a LocalProtocolError, ERR_SCGI_OPTION, for an impossible option.
 */
export function scgiServerFactory(options: ScgiServerOptions = {}): ScgiServerFactory {
  return (handler) => createScgiServer(options, handler);
}
