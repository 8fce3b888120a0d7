// Streams of a Koa application over SCGI: events leave when they happen, and a client that leaves is noticed at once,
// whatever the handler does then; its streams are destroyed, and nothing stays open.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { createRequire } from 'node:module';
import { serveScgi } from '@scgi/adapter-koa';
import { createFront } from '@scgi/testing';
import Koa from 'koa';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { until, within } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { eventsOfLeaving, stages, type Visit } from './support/leaving-client.js';
import { frontOf } from './support/two-ways.js';

const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

describe.each([
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
])('%s', (_name, Framework) => {
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

  const create = (): Koa => {
    const app = new Framework();
    app.silent = true;
    return app;
  };

  test('sends events of a PassThrough when they happen, and destroys it when the client leaves', async () => {
    const streams: PassThrough[] = [];
    const app = create().use((ctx) => {
      ctx.type = 'text/event-stream';
      streams.push((ctx.body = new PassThrough()));
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
    const stream = new Readable({ read: () => void stream.push(Buffer.alloc(64 * 1024)) });
    const running = await serveScgi(
      create().use((ctx) => void (ctx.body = stream)),
      { bind: 0 },
    );
    const { response, abort } = await openRequest({ origin: await frontOf(running) });
    response.on('error', () => {}); // It is this test that breaks it.
    await within(new Promise((resolve) => response.once('data', resolve)), 5_000, 'the beginning');
    abort();
    await until(() => stream.destroyed, 1_000, 'the end of the stream');
    await until(() => running.server.connectionCount === 0, 1_000, 'the end of the connection');
  });

  describe('tells a handler as over HTTP of a client that leaves', () => {
    const handle =
      ({ stage, arrived }: Visit): Koa.Middleware =>
      (ctx) => {
        arrived(ctx.req, ctx.res);
        if (stage !== 'in the body of the response') return new Promise(() => {}); // It thinks.
        const stream = new PassThrough();
        stream.write('half');
        ctx.body = stream;
        return undefined;
      };

    test.each(stages)('%s', async (stage) => {
      const http = await eventsOfLeaving(stage, 'http', (visit) => listen(create().use(handle(visit)).callback()));
      const scgi = await eventsOfLeaving(stage, 'scgi', async (visit) => {
        const running = await serveScgi(create().use(handle(visit)), { bind: 0 });
        onTestFinished(async () => {
          await until(() => running.server.connectionCount === 0, 1_000, 'the end of the connection');
          await running.close({ timeout: 0 });
        });
        return running.endpoints[0]?.port ?? 0;
      });
      expect(scgi.toSorted()).toEqual(http.toSorted());
      expect(scgi).toContain('response close');
      expect(scgi).not.toContain('response finish');
    });
  });

  test('answers supertest through the embedded front', async () => {
    const app = create().use((ctx) => {
      ctx.set('X-Client', ctx.ip);
      ctx.body = { query: ctx.query };
    });
    const front = await createFront(app.callback());
    onTestFinished(() => front.close());
    await request(front.server)
      .get('/?a=1')
      .expect('X-Client', '127.0.0.1')
      .expect(200, { query: { a: '1' } });
  });
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
