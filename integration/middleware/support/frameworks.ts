// Koa and Fastify applications both ways: over node:http as their own documentation says, over SCGI by their adapters.

import { createServer } from 'node:http';
import { serveScgi as serveFastify } from '@scgi/adapter-fastify';
import { serveScgi as serveKoa } from '@scgi/adapter-koa';
import type { RunningServer } from '@scgi/core';
import type { FastifyInstance } from 'fastify';
import type Koa from 'koa';
import { onTestFinished } from 'vitest';
import { joinWays, listen, serveFront, type BothWays } from './both-ways.js';

/** Each way gets a Koa application of its own. Both end with the test. */
export async function serveKoaBothWays(create: () => Koa): Promise<BothWays> {
  const overHttp = create();
  // Without keep-alive Node's client leaves with the last octet, before a piped file has ended. Koa logs that as a
  // premature close; over SCGI it does not happen, so there everything may be logged.
  overHttp.silent = true;
  const http = await listen(createServer(overHttp.callback()));
  return joinWays(http, await serveFront(adopt(await serveKoa(create(), { bind: 0 }))));
}

/** Each way gets a Fastify application of its own. Both end with the test. */
export async function serveFastifyBothWays(
  create: () => FastifyInstance | Promise<FastifyInstance>,
): Promise<BothWays> {
  const http = await create();
  onTestFinished(() => http.close());
  await http.listen({ port: 0, host: '127.0.0.1' });
  return joinWays(http.server, await serveFront(adopt(await serveFastify(await create(), { bind: 0 }))));
}

/** Ends a server with the test; returns its address. */
function adopt(running: RunningServer): string {
  onTestFinished(() => running.close({ timeout: 0 }));
  return running.endpoints[0]?.address ?? '';
}
