// A Fastify application answers over SCGI as it does over its own HTTP server, whether the adapter serves it or it
// listens by itself on a server of the adapter.

import { rmSync } from 'node:fs';
import { scgiServerFactory, serveScgi } from '@scgi/adapter-fastify';
import { createFront } from '@scgi/testing';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { collectUnhandled } from '../support/leaks.js';
import { behaviours, folder, type Behaviour } from './support/fastify-behaviours.js';
import { plugins } from './support/fastify-plugins.js';
import { ask, asOverScgi, frontOf, type Answer } from './support/two-ways.js';

/** How an application is served: the options it is made with, and how it comes to an HTTP origin. */
interface Way {
  readonly options?: FastifyServerOptions;
  serve(app: FastifyInstance): Promise<string>;
}

const overHttp: Way = { serve: (app) => app.listen({ host: '127.0.0.1', port: 0 }) };

const ways: Readonly<Record<string, Way>> = {
  'served by serveScgi': { serve: async (app) => frontOf(await serveScgi(app, { bind: 0 })) },
  'that listens with scgiServerFactory': {
    options: { serverFactory: scgiServerFactory() },
    async serve(app) {
      const address = await app.listen({ host: '127.0.0.1', port: 0 });
      const front = await createFront(address.replace('http://', ''), { http: { onError: () => {} } });
      onTestFinished(() => front.close());
      return front.url;
    },
  },
};

describe.each(Object.entries(ways))('an application %s answers as over HTTP', (_name, way) => {
  let unhandled: ReturnType<typeof collectUnhandled>;
  beforeAll(() => {
    unhandled = collectUnhandled();
  });
  afterAll(() => {
    unhandled.stop();
    expect(unhandled.errors).toEqual([]);
  });

  describe.each(Object.entries({ ...behaviours, plugins }))('%s', (_kind, list) => {
    test.each(list)('$what', async (behaviour) => {
      const http = await observe(behaviour, overHttp);
      const scgi = await observe(behaviour, way);
      expect(scgi.answer).toEqual(asOverScgi(http.answer, scgi.answer));
      expect(scgi.answer).toMatchObject(behaviour.expected);
      expect(scgi.log).toEqual(http.log);
    });
  });
});

/** The answer, and what the application wrote down until it was closed. */
async function observe(
  { build, handler, question = {}, options }: Behaviour,
  way: Way,
): Promise<{ answer: Answer; log: unknown }> {
  const app = Fastify({ ...options, ...way.options });
  onTestFinished(() => app.close());
  const built = await build?.(app);
  if (handler !== undefined) app.all('/*', handler);
  const answer = await ask(await way.serve(app), question);
  await app.close();
  return { answer, log: Array.isArray(built) ? built : undefined };
}

afterAll(() => rmSync(folder, { recursive: true }));
