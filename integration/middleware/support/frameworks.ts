// Koa and Fastify applications both ways: over node:http as their own documentation says, over SCGI by their adapters.

import type { FastifyInstance } from 'fastify';
import type Koa from 'koa';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { joinWays, listen, serveFront, type BothWays } from './both-ways.js';

/** Each way gets a Koa application of its own. Both end with the test. */
export async function serveKoaBothWays(create: () => Koa): Promise<BothWays> {
  return joinWays(await listen(createServer(create().callback())), await serveFront(create().callback()));
}

/** Each way gets a Fastify application of its own. Both end with the test. */
export async function serveFastifyBothWays(
  create: () => FastifyInstance | Promise<FastifyInstance>,
): Promise<BothWays> {
  const [http, scgi] = [await create(), await create()];
  onTestFinished(async () => {
    await Promise.all([http.close(), scgi.close()]);
  });
  await http.listen({ port: 0, host: '127.0.0.1' });
  await scgi.ready();
  return joinWays(http.server, await serveFront(scgi.routing));
}
