// The other way to serve Fastify: `app.listen()` stays the application's, and the server that listens speaks SCGI.

import type { RequestListener } from 'node:http';
import { createScgiServer } from '@scgi/core';
import type { ScgiServer, ScgiServerOptions } from '@scgi/core';

/** What Fastify's option `serverFactory` takes. Fastify calls it again for each further address of `localhost`. */
export type ScgiServerFactory = (handler: RequestListener) => ScgiServer;

/**
 * What Fastify answers to a request that cannot be read. It is HTTP, which Apache does not take from an SCGI server, and
 * 400 for every code that is not HTTP's. Without it core's own answer tells what is wrong.
 */
const defaultClientErrorHandler = 'bound defaultClientErrorHandler';

/**
 * For `Fastify({ serverFactory: scgiServerFactory(options) })`. Limits and time-outs are those of `options`: Fastify's own
 * (`connectionTimeout`, `requestTimeout`, `http`) are for servers that it makes itself.
 * The factory throws a LocalProtocolError, ERR_SCGI_OPTION, for an impossible option.
 */
export function scgiServerFactory(options: ScgiServerOptions = {}): ScgiServerFactory {
  return (handler) => {
    const server = createScgiServer(options, handler);
    server.on('newListener', (event: string, listener: () => void) => {
      if (event === 'clientError' && listener.name === defaultClientErrorHandler) {
        process.nextTick(() => server.off(event, listener));
      }
    });
    return server;
  };
}
