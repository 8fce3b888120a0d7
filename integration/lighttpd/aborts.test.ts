// Clients that leave while lighttpd stands between: when the handler hears of it within a second, and when only a write
// finds out, because lighttpd 1.4.69 itself does not know or does not say.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate, setInterval } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Witness } from '../nginx/support/witness.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { abortRequest, httpRequest, openRequest } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Lighttpd, LighttpdOptions } from '../support/lighttpd.js';
import { test, transports, type LighttpdBefore, type Stage, type StagedApp, type Transport } from './support/stage.js';

/** How soon a handler must know. */
const soonMs = 1_000;

describeWith('lighttpd', 'a client of lighttpd that leaves', () => {
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

  describe.each(transports)('over %s', (over) => {
    test.for([1, 2] as const)(
      'in the middle of a body that lighttpd streams (%i): the body fails',
      async (streamRequest, { stage, lighttpd }) => {
        const scene = await setUp(
          { stage, lighttpd, over },
          ({ request }, reached) => {
            let size = 0;
            request.on('data', (chunk: Buffer) => {
              size += chunk.length;
              if (size === 50_000) reached();
            });
          },
          { streamRequest },
        );
        await abortRequest({ origin: scene.lighttpd.origin }, 'request-body', scene.reached);
        const { request, events } = await scene.expectAborted();
        expect(request.complete).toBe(false);
        expect(events).toContain('request error ECONNRESET');
      },
    );

    test('in the middle of a body that lighttpd holds back: the application never hears of it', async ({
      stage,
      lighttpd,
    }) => {
      const scene = await setUp({ stage, lighttpd, over }, ({ response }) => void response.end('here'));
      await abortRequest({ origin: scene.lighttpd.origin }, 'request-body');
      expect((await httpRequest({ origin: scene.lighttpd.origin })).text).toBe('here');
      expect(scene.witnesses.map(({ request }) => request.method)).toEqual(['GET']);
    });

    test.for([0, 1] as const)(
      'by a reset while the application thinks, with streamResponse %i',
      async (streamResponse, { stage, lighttpd }) => {
        const scene = await setUp({ stage, lighttpd, over }, (_, reached) => reached(), { streamResponse });
        const socket = await secondRequest(scene);
        await within(scene.reached, 5_000, 'the request');
        socket.resetAndDestroy();
        const { request } = await scene.expectAborted();
        expect(request.aborted).toBe(true);
      },
    );

    test('by a reset while the response rests', async ({ stage, lighttpd }) => {
      const scene = await setUp({ stage, lighttpd, over }, ({ response }) => void response.write('half'));
      const socket = await secondRequest(scene);
      await within(once(socket, 'data'), 5_000, 'the beginning of the response');
      socket.resetAndDestroy();
      await scene.expectAborted();
    });

    // To lighttpd the end of a client's connection is a half-close, after which the client may still read.
    test('by closing while the response rests: the next writes find out', async ({ stage, lighttpd }) => {
      const scene = await setUp({ stage, lighttpd, over }, async ({ response }) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: one\n\n');
        await scene.left;
        for await (const _ of setInterval(50)) {
          if (response.destroyed) break;
          response.write(': heartbeat\n\n');
        }
      });
      const { response, abort } = await openRequest({ origin: scene.lighttpd.origin });
      await within(once(response, 'data'), 5_000, 'the first event');
      abort();
      scene.leave();
      await scene.expectAborted();
    });

    test('in the middle of a response that is being written', async ({ stage, lighttpd }) => {
      const scene = await setUp({ stage, lighttpd, over }, async ({ response }) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        const closed = once(response, 'close');
        while (!response.destroyed) {
          if (!response.write(chunk)) await Promise.race([once(response, 'drain'), closed]);
        }
      });
      const { response, abort } = await openRequest({ origin: scene.lighttpd.origin });
      await within(once(response, 'data'), 5_000, 'the beginning of the body');
      abort();
      await scene.expectAborted();
      expect(scene.app.errors).toEqual([]);
    });

    test('before a response that lighttpd holds back: the application is done without ever knowing', async ({
      stage,
      lighttpd,
    }) => {
      const scene = await setUp(
        { stage, lighttpd, over },
        async ({ response }, reached) => {
          reached();
          await scene.left;
          for (let round = 0; round < 20; round += 1) {
            response.write(Buffer.alloc(10_000));
            await setImmediate();
          }
          response.end();
        },
        { streamResponse: 0 },
      );
      const socket = connect(scene.lighttpd.port, '127.0.0.1');
      socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await within(scene.reached, 5_000, 'the request');
      socket.destroy();
      scene.leave();
      const witness = await scene.witness();
      await witness.closed(soonMs);
      expect(witness.events).toContain('response finish');
      expect(witness.events).not.toContain('request aborted');
    });

    test('with an early answer in hand and its upload unfinished: both sides let go', async ({ stage, lighttpd }) => {
      const scene = await setUp(
        { stage, lighttpd, over },
        ({ response }) => void response.writeHead(413).end('too large'),
        { streamRequest: 1 },
      );
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(100_000);
        await new Promise(() => {}); // The rest never comes.
      }
      const headers = { 'Content-Length': '1000000' };
      const { response, abort } = await openRequest({ origin: scene.lighttpd.origin, headers, body: body() });
      expect(response.statusCode).toBe(413);
      abort();
      await until(() => scene.app.server.connectionCount === 0, soonMs, 'the end of the connection');
      expect(scene.witnesses[0]?.events).toContain('response finish');
    });
  });

  test('only with its sending half is answered', async ({ stage, lighttpd }) => {
    const scene = await setUp({ stage, lighttpd, over: 'unix' }, async ({ response }, reached) => {
      reached();
      await scene.left;
      response.end('in full');
    });
    const socket = connect({ port: scene.lighttpd.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await within(scene.reached, 5_000, 'the request');
    socket.end();
    scene.leave();
    expect((await within(socket.toArray(), 5_000, 'the answer')).join('')).toMatch(/^HTTP\/1\.1 200[^]*in full$/);
    expect((await scene.witness()).events).not.toContain('request aborted');
  });
});

/** Handles a request; calls `reached` when the client may leave. */
type Handler = (witness: Witness, reached: () => void) => unknown;

interface Scene {
  readonly lighttpd: Lighttpd;
  readonly app: StagedApp;
  /** One for each request that came to the application, but for `/first`. */
  readonly witnesses: readonly Witness[];
  readonly reached: Promise<void>;
  /** Settles after `leave()`, with which a test says that the client has gone. */
  readonly left: Promise<void>;
  leave(): void;
  witness(): Promise<Witness>;
  /** The one request was aborted, its handler knows, and its connection is closed, all of it soon. */
  expectAborted(): Promise<Witness>;
}

interface Where {
  readonly stage: Stage;
  readonly lighttpd: LighttpdBefore;
  readonly over: Transport;
}

async function setUp(where: Where, handler: Handler, options: Partial<LighttpdOptions> = {}): Promise<Scene> {
  const witnesses: Witness[] = [];
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => (reach = resolve)).then(someTurns);
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  const listener = (...[request, response]: ConstructorParameters<typeof Witness>): unknown => {
    if (request.url === '/first') return response.end('first');
    const witness = new Witness(request, response);
    witnesses.push(witness);
    return handler(witness, reach);
  };
  const app = await where.stage.serve(listener, { over: where.over });
  const lighttpd = await where.lighttpd({ ...options, to: app.address });
  const witness = async (): Promise<Witness> => {
    await until(() => witnesses.length > 0, 5_000, 'a request at the application');
    expect(witnesses).toHaveLength(1);
    return witnesses[0] ?? expect.unreachable();
  };
  const expectAborted = async (): Promise<Witness> => {
    const aborted = await witness();
    await aborted.closed(soonMs);
    expect(aborted.events).toContain('request close');
    expect(aborted.events).toContain('response close');
    expect(aborted.events).not.toContain('response finish');
    await until(() => app.server.connectionCount === 0, soonMs, 'the end of the connection');
    return aborted;
  };
  return { lighttpd, app, witnesses, reached, left, leave, witness, expectAborted };
}

/**
 * A connection that has been answered once and now sends its second request. lighttpd 1.4.69 does not watch a connection
 * whose request was there when it first looked, until it has something to write: not even a reset is noticed then.
 */
async function secondRequest({ lighttpd, app }: Scene): Promise<Socket> {
  const socket = connect(lighttpd.port, '127.0.0.1').setEncoding('latin1');
  socket.on('error', () => {}); // The test breaks it.
  socket.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(once(socket, 'data'), 5_000, 'the first answer');
  // It looks for the next request right behind an answer. When it has served somebody else, it has looked in vain.
  await httpRequest({ origin: lighttpd.origin, path: '/first' });
  await until(() => app.server.connectionCount === 0, 5_000, 'the end of the first requests');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return socket;
}

/** An EOF that comes together with the request would be a half-close, and this process is client and server in one. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}
