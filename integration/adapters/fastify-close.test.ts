// The application and its SCGI server end together: closing either closes both, once, after the requests in flight.

import { serveScgi, type RunningServer } from '@scgi/adapter-fastify';
import { rawRequest } from '@scgi/testing';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';

const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/slow', SERVER_PROTOCOL: 'HTTP/1.1' };

/** An application with one slow route, in the moment when a request is in it. */
interface Scene {
  readonly app: FastifyInstance;
  readonly running: RunningServer;
  /** What happened, in order. */
  readonly events: string[];
  readonly answered: Promise<string>;
  finish(): void;
}

let before: string[];
beforeEach(() => {
  before = openDescriptors();
});

async function setUp(loaded: boolean, options: FastifyServerOptions = {}): Promise<Scene> {
  const app = Fastify(options);
  const events: string[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  app.addHook('preClose', async () => void events.push('preClose'));
  app.addHook('onClose', async () => void events.push('onClose of the application'));
  app.register(async (scope) => {
    scope.addHook('onClose', async () => void events.push('onClose of a plugin'));
  });
  app.get('/slow', async () => {
    arrive();
    await finished;
    events.push('answer');
    return 'done';
  });
  if (loaded) await app.ready();
  const running = await serveScgi(app, { bind: 0 });
  onTestFinished(() => running.close({ timeout: 0 }));
  const answered = rawRequest(running.endpoints[0]?.address ?? '', { variables }).then(({ body }) => body.toString());
  await within(arrived, 5_000, 'the request');
  return { app, running, events, answered, finish };
}

const inOrder = ['preClose', 'answer', 'onClose of a plugin', 'onClose of the application'];

describe.each([
  ['that is loaded by serveScgi', false],
  ['that was loaded before', true],
])('an application %s', (_what, loaded) => {
  test.each([
    ['app.close()', ({ app }: Scene) => app.close()],
    ['close()', ({ running }: Scene) => running.close()],
    ['app.close(), then close()', ({ app, running }: Scene) => Promise.all([app.close(), running.close()])],
    ['close(), then app.close()', ({ app, running }: Scene) => Promise.all([running.close(), app.close()])],
    ['close() twice', ({ running }: Scene) => Promise.all([running.close(), running.close()])],
    ['await using', ({ running }: Scene) => running[Symbol.asyncDispose]()],
  ])('ends with %s, each hook once, the requests in flight before the onClose hooks', async (_how, close) => {
    const scene = await setUp(loaded);
    const closed = Promise.resolve(close(scene)).then(() => scene.events.push('closed'));
    await until(() => !scene.running.server.listening, 5_000, 'the end of listening');
    expect(scene.events).not.toContain('answer');
    scene.finish();
    expect(await scene.answered).toBe('done');
    await within(closed, 5_000, 'the end');
    expect(scene.events).toEqual([...inOrder, 'closed']);
    await expectNoLeaks(before);
  });

  test('breaks off what is open after the time-out, also if app.close() waits already', async () => {
    const { app, running, events, answered } = await setUp(loaded);
    const appClosed = app.close();
    await within(running.close({ timeout: 0 }), 5_000, 'the end');
    await within(appClosed, 5_000, 'the end of the application');
    expect(await answered).toBe('');
    expect(events).toEqual(inOrder.filter((event) => event !== 'answer'));
    await expectNoLeaks(before);
  });

  test('closes once more without an effect', async () => {
    const { app, running, events, finish } = await setUp(loaded);
    finish();
    await running.close();
    await within(Promise.all([app.close(), running.close()]), 5_000, 'the second end');
    expect(events).toEqual(inOrder.toSorted((a) => (a === 'answer' ? -1 : 0)));
  });
});

test.each([
  ['app.close()', (app: FastifyInstance) => app.close()],
  ['close()', (_app: FastifyInstance, running: RunningServer) => running.close()],
])('can be closed from one of its own onClose hooks, after %s', async (_how, close) => {
  const app = Fastify();
  let running: RunningServer | undefined;
  app.addHook('onClose', () => running?.close());
  running = await serveScgi(app, { bind: 0 });
  await within(close(app, running), 5_000, 'the end');
  await expectNoLeaks(before);
});

test('ends event streams in its preClose hook, and is not held up by them', async () => {
  const app = Fastify();
  const streams = new Set<{ end(): void }>();
  app.addHook('preClose', async () => streams.forEach((stream) => stream.end()));
  app.get('/slow', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    streams.add(reply.raw);
  });
  const running = await serveScgi(app, { bind: 0 });
  const answered = rawRequest(running.endpoints[0]?.address ?? '', { variables });
  await within(expect.poll(() => streams.size).toBe(1), 5_000, 'the stream');
  await within(running.close(), 5_000, 'the end');
  expect((await answered).body.toString()).toBe('data: 1\n\n');
});

test('answers those who had connected before close(), and not with 503', async () => {
  const app = Fastify();
  app.get('/slow', async () => 'done');
  const running = await serveScgi(app, { bind: 0 });
  const address = running.endpoints[0]?.address ?? '';
  const answers = Array.from({ length: 50 }, () => rawRequest(address, { variables }));
  // They are in the queue of the kernel once this one is through.
  expect((await rawRequest(address, { variables })).status).toBe(200);
  const more = Array.from({ length: 50 }, () => rawRequest(address, { variables }).catch(String));
  await running.close();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(50).fill(200));
  const statuses = (await Promise.all(more)).map((answer) => (typeof answer === 'string' ? 'refused' : answer.status));
  expect(statuses.filter((status) => status !== 200 && status !== 'refused')).toEqual([]);
});

test('is stopped again if the application is closed while it starts', async () => {
  const app = Fastify();
  let loaded = (): void => {};
  app.register(() => new Promise<void>((resolve) => (loaded = resolve)));
  const starting = serveScgi(app, { bind: 0 });
  const closed = app.close();
  setImmediate(() => loaded());
  await within(Promise.all([starting, closed]), 5_000, 'start and end');
  const running = await starting;
  expect(running.server.listening).toBe(false);
  await within(running.close(), 5_000, 'the end');
  await expectNoLeaks(before);
});

test('may be served twice, and ends with either', async () => {
  const app = Fastify();
  app.get('/slow', async () => 'done');
  const first = await serveScgi(app, { bind: 0 });
  const second = await serveScgi(app, { bind: 0 });
  for (const { endpoints } of [first, second]) {
    expect((await rawRequest(endpoints[0]?.address ?? '', { variables })).body.toString()).toBe('done');
  }
  await within(second.close(), 5_000, 'the end');
  expect([first.server.listening, second.server.listening]).toEqual([false, false]);
  await within(first.close(), 5_000, 'the end of the other');
  await expectNoLeaks(before);
});
