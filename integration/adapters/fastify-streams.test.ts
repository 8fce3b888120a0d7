// Streams of a Fastify application over SCGI: events leave when they happen, and a client that leaves is noticed at once,
// by the handler, its signal and the hook for it; its streams are destroyed, and nothing stays open.

import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { serveScgi } from '@scgi/adapter-fastify';
import { createFront } from '@scgi/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { until, within } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { eventsOfLeaving, stages, type Visit } from './support/leaving-client.js';
import { frontOf } from './support/two-ways.js';

let unhandled: ReturnType<typeof collectUnhandled>;
let before: string[];
beforeAll(() => {
  unhandled = collectUnhandled();
  before = openDescriptors();
});
afterAll(async () => {
  unhandled.stop();
  expect(unhandled.errors).toEqual([]);
  await expectNoLeaks(before);
});

test('sends events of a stream when they happen, and destroys it when the client leaves', async () => {
  const app = Fastify();
  const streams: PassThrough[] = [];
  app.get('/', (_request, reply) => {
    const stream = new PassThrough();
    streams.push(stream);
    return reply.type('text/event-stream').send(stream);
  });
  const origin = await frontOf(await serveScgi(app, { bind: 0 }));
  const opening = openRequest({ origin });
  await until(() => streams.length === 1, 5_000, 'the stream');
  streams[0]?.write('data: one\n\n');
  const { response, abort } = await opening;
  const events = new EventStream(response);
  expect((await events.next()).data).toBe('one');
  streams[0]?.write('data: two\n\n');
  expect((await events.next()).data).toBe('two');
  expect(response.headers['x-accel-buffering']).toBe('no');
  abort();
  await until(() => streams[0]?.destroyed === true, 1_000, 'the end of the stream');
});

test('destroys an endless stream when the client leaves while it is written', async () => {
  const app = Fastify();
  const stream = new Readable({ read: () => void stream.push(Buffer.alloc(64 * 1024)) });
  app.get('/', (_request, reply) => reply.send(stream));
  const running = await serveScgi(app, { bind: 0 });
  const { response, abort } = await openRequest({ origin: await frontOf(running) });
  response.on('error', () => {}); // It is this test that breaks it.
  await within(new Promise((resolve) => response.once('data', resolve)), 5_000, 'the beginning');
  abort();
  await until(() => stream.destroyed, 1_000, 'the end of the stream');
  await until(() => running.server.connectionCount === 0, 1_000, 'the end of the connection');
});

describe('tells as over HTTP of a client that leaves', () => {
  /** What the handler does not see of itself: what Fastify tells it. */
  const build = ({ stage, arrived }: Visit, told: string[]): FastifyInstance => {
    const app = Fastify();
    onTestFinished(() => app.close());
    // The body is for the handler to read, or to leave.
    app.addContentTypeParser('application/x-test', (_request, payload, done) => done(null, payload));
    app.addHook('onRequestAbort', async (_request) => void told.push('onRequestAbort'));
    app.addHook('onResponse', async () => void told.push('onResponse'));
    app.post('/x', ({ raw, signal }, reply) => {
      signal.addEventListener('abort', () => told.push('signal'));
      arrived(raw, reply.raw);
      if (stage !== 'in the body of the response') return new Promise(() => {}); // It thinks.
      const stream = new PassThrough();
      stream.write('half');
      return reply.send(stream);
    });
    return app;
  };

  test.each(stages)('%s', async (stage) => {
    const told: Record<'http' | 'scgi', string[]> = { http: [], scgi: [] };
    const http = await eventsOfLeaving(stage, 'http', async (visit) => {
      const app = build(visit, told.http);
      await app.listen({ host: '127.0.0.1', port: 0 });
      const address: AddressInfo | string | null = app.server.address();
      return typeof address === 'object' ? (address?.port ?? 0) : 0;
    });
    let connections = (): number => 0;
    const scgi = await eventsOfLeaving(stage, 'scgi', async (visit) => {
      const running = await serveScgi(build(visit, told.scgi), { bind: 0 });
      connections = () => running.server.connectionCount;
      return running.endpoints[0]?.port ?? 0;
    });
    await until(() => connections() === 0, 1_000, 'the end of the connection');
    await until(
      () => told.scgi.length >= told.http.length,
      1_000,
      () => `${told.http.join()} ≠ ${told.scgi.join()}`,
    );
    expect(scgi.toSorted()).toEqual(http.toSorted());
    expect(scgi).toContain('response close');
    expect(scgi).not.toContain('response finish');
    expect(told.scgi.toSorted()).toEqual(told.http.toSorted());
    expect(told.scgi).toContain('signal');
  });
});

test('answers supertest through the embedded front', async () => {
  const app = Fastify();
  onTestFinished(() => app.close());
  app.get('/', ({ ip, query }, reply) => reply.header('X-Client', ip).send({ query }));
  await app.ready();
  const front = await createFront(app.routing);
  onTestFinished(() => front.close());
  await request(front.server)
    .get('/?a=1')
    .expect('X-Client', '127.0.0.1')
    .expect(200, { query: { a: '1' } });
});
