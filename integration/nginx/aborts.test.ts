// Clients that leave, at every stage of a request: the handler learns of it within a second, as it would over HTTP,
// and nothing stays open.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { abortRequest, httpRequest, openRequest } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Nginx, NginxOptions } from '../support/nginx.js';
import { test, transports, type Stage, type StagedApp, type Transport } from './support/stage.js';
import { Witness } from './support/witness.js';

/** How soon a handler must know. */
const soonMs = 1_000;

describeWith('nginx', 'a client that leaves', () => {
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
    const setUp = (stage: Stage, handler: Handler, options?: NginxOptions): Promise<Scene> =>
      setUpScene(stage, over, handler, options);

    test('in the middle of its body: the body fails, and it was not complete', async ({ stage }) => {
      const scene = await setUp(
        stage,
        ({ request }, reached) => {
          let size = 0;
          request.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size === 50_000) reached();
          });
        },
        { requestBuffering: false },
      );
      await abortRequest({ origin: scene.nginx.origin }, 'request-body', scene.reached);
      const { request, events } = await scene.expectAborted();
      expect(request.complete).toBe(false);
      expect(events).not.toContain('request end');
      expect(events).toContain('request error ECONNRESET');
    });

    test('in the middle of a body that nginx holds back: the application never hears of it', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => void response.end('here'));
      await abortRequest({ origin: scene.nginx.origin }, 'request-body');
      expect((await httpRequest({ origin: scene.nginx.origin })).text).toBe('here');
      expect(scene.witnesses.map(({ request }) => request.method)).toEqual(['GET']);
    });

    test('while the application thinks about a request it has read', async ({ stage }) => {
      const scene = await setUp(stage, ({ request }, reached) => request.resume().once('end', reached));
      await abortRequest({ origin: scene.nginx.origin }, 'request-sent', scene.reached);
      const { request, events } = await scene.expectAborted();
      expect(request.complete).toBe(true);
      expect(events).toContain('request end');
    });

    test('while the application thinks about a request without a body', async ({ stage }) => {
      const scene = await setUp(stage, (_, reached) => reached());
      const sent = httpRequest({ origin: scene.nginx.origin, deadlineMs: 300 }); // The client's own patience.
      await expect(sent).rejects.toThrow('nothing within 300 ms');
      const { request } = await scene.expectAborted();
      expect(request.aborted).toBe(true);
    });

    // As over HTTP: nobody sees the end of a stream who does not read what is before it. An end that shows together
    // with the last byte may be a half-close; writing tells.
    test('while its body waits unread: known at the latest when the application writes', async ({ stage }) => {
      const scene = await setUp(stage, (_, reached) => reached());
      await abortRequest({ origin: scene.nginx.origin }, 'request-sent', scene.reached);
      const { request, response } = await scene.witness();
      await once(request.resume(), 'end');
      while (!response.destroyed && response.write('is anybody there?')) await setImmediate();
      await scene.expectAborted();
    });

    test('by half-closing, which nginx takes for leaving', async ({ stage }) => {
      const scene = await setUp(stage, (_, reached) => reached());
      const socket = connect(scene.nginx.port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await within(scene.reached, 5_000, 'the request');
      socket.end();
      await scene.expectAborted();
      await within(socket.toArray(), 5_000, 'the end of the connection');
    });

    test('in the middle of a response that has come to rest', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => void response.write('half'), { buffering: false });
      await leaveResponse(scene);
      await scene.expectAborted();
    });

    test('in the middle of a response that is being written', async ({ stage }) => {
      const scene = await setUp(stage, async ({ response }) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        const closed = once(response, 'close');
        while (!response.destroyed) {
          if (!response.write(chunk)) await Promise.race([once(response, 'drain'), closed]);
        }
      });
      await leaveResponse(scene);
      await scene.expectAborted();
      expect(scene.app.errors).toEqual([]);
    });

    test('in the middle of an event stream', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => {
        response.setHeader('Content-Type', 'text/event-stream');
        response.write('data: one\n\n');
      });
      await leaveResponse(scene);
      await scene.expectAborted();
    });

    test('with an early answer in hand and its upload unfinished: both sides let go', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => void response.writeHead(413).end('too large'), {
        requestBuffering: false,
      });
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(100_000);
        await new Promise(() => {}); // The rest never comes.
      }
      const headers = { 'Content-Length': '1000000' };
      const { response, abort } = await openRequest({ origin: scene.nginx.origin, headers, body: body() });
      expect(response.statusCode).toBe(413);
      abort();
      await until(() => scene.app.server.connectionCount === 0, soonMs, 'the end of the connection');
      // For the handler all went well: its answer is out.
      expect(scene.witnesses[0]?.events).toContain('response finish');
    });

    test('is of no concern to the application if nginx is told to ignore it', async ({ stage }) => {
      let answer = (): void => {};
      const scene = await setUp(
        stage,
        ({ response }, reached) => {
          answer = () => void response.end('nobody reads this');
          reached();
        },
        { directives: ['scgi_ignore_client_abort on;'] },
      );
      await abortRequest({ origin: scene.nginx.origin }, 'request-sent', scene.reached);
      answer();
      const witness = await scene.witness();
      await witness.closed(soonMs);
      expect(witness.events).toContain('response finish');
      expect(witness.events).not.toContain('request aborted');
    });
  });
});

/** Handles a request; calls `reached` when the client may leave. */
type Handler = (witness: Witness, reached: () => void) => unknown;

interface Scene {
  readonly nginx: Nginx;
  readonly app: StagedApp;
  /** One for each request that came to the application. */
  readonly witnesses: readonly Witness[];
  readonly reached: Promise<void>;
  witness(): Promise<Witness>;
  /** The one request was aborted, its handler knows, and its connection is closed, all of it soon. */
  expectAborted(): Promise<Witness>;
}

async function setUpScene(stage: Stage, over: Transport, handler: Handler, options?: NginxOptions): Promise<Scene> {
  const witnesses: Witness[] = [];
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => (reach = resolve)).then(someTurns);
  const listener = (...[request, response]: ConstructorParameters<typeof Witness>): unknown => {
    const witness = new Witness(request, response);
    witnesses.push(witness);
    return handler(witness, reach);
  };
  const app = await stage.serve(listener, { over });
  const nginx = await stage.nginx({ ...options, to: app.address });
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
  return { nginx, app, witnesses, reached, witness, expectAborted };
}

/** Asks, reads the beginning of the response, and leaves. */
async function leaveResponse({ nginx }: Scene): Promise<void> {
  const { response, abort } = await openRequest({ origin: nginx.origin });
  await within(once(response, 'data'), 5_000, 'the beginning of the body');
  abort();
}

/** An EOF that comes together with the request would be a half-close, and this process is client and server in one. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}
