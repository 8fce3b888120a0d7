// Clients that leave Apache, at every stage of a request. Apache does not look at its client while it waits for the
// application: it notices when it reads the rest of a body, or writes a part of a response. Each test says which it is.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Witness } from '../nginx/support/witness.js';
import type { Apache } from '../support/apache.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { abortRequest, httpRequest, openRequest } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { test, transports, type ApacheStage, type StagedApp, type Transport } from './support/stage.js';

/** How soon a handler must know. */
const soonMs = 1_000;

describeWith('apache', 'a client that leaves Apache', () => {
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
    const setUp = (stage: ApacheStage, handler: Handler): Promise<Scene> => setUpScene(stage, over, handler);

    test('before its body: the request fails at once', async ({ stage }) => {
      const scene = await setUp(stage, ({ request }, reached) => (request.resume(), reached()));
      await abortRequest({ origin: scene.apache.origin }, 'request-head', scene.reached);
      const { request, events } = await scene.expectAborted();
      expect(request.complete).toBe(false);
      expect(events).toContain('request error ECONNRESET');
    });

    test('in the middle of its body: the body fails at once, and it was not complete', async ({ stage }) => {
      const scene = await setUp(stage, ({ request }, reached) => {
        let size = 0;
        request.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size === 50_000) reached();
        });
      });
      await abortRequest({ origin: scene.apache.origin }, 'request-body', scene.reached);
      const { request, events } = await scene.expectAborted();
      expect(request.complete).toBe(false);
      expect(events).not.toContain('request end');
      expect(events).toContain('request error ECONNRESET');
    });

    // Named difference: Apache tells nobody.
    test('while the application thinks: the application is not told, and answers as if somebody read it', async ({
      stage,
    }) => {
      const scene = await setUp(stage, ({ request }, reached) => request.resume().once('end', reached));
      await abortRequest({ origin: scene.apache.origin }, 'request-sent', scene.reached);
      // Another request through the same worker: Apache has had its time to say something.
      expect((await httpRequest({ origin: scene.apache.origin, path: '/other' })).text).toBe('other');
      const { request, response, events } = await scene.witness();
      expect(request.destroyed && !request.complete).toBe(false);
      response.end('nobody reads this');
      await (await scene.witness()).closed(soonMs);
      expect(events).toContain('response finish');
      expect(events).not.toContain('request aborted');
    });

    test('while the application thinks: it is told when it has written two or three times', async ({ stage }) => {
      const scene = await setUp(stage, ({ request }, reached) => request.resume().once('end', reached));
      await abortRequest({ origin: scene.apache.origin }, 'request-sent', scene.reached);
      const { response } = await scene.witness();
      await writeUntilClosed(scene, () => response.write('is anybody there?'));
    });

    test('in the middle of a response: the application is told when it goes on writing', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => void response.write('half'));
      await leaveResponse(scene);
      const { response } = await scene.witness();
      await writeUntilClosed(scene, () => response.write('more'));
    });

    test('in the middle of an event stream: a comment line every now and then tells', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }) => {
        response.setHeader('Content-Type', 'text/event-stream');
        response.write('data: one\n\n');
      });
      await leaveResponse(scene);
      const { response } = await scene.witness();
      await writeUntilClosed(scene, () => response.write(': still there?\n\n'));
    });

    test('in the middle of a response that is being written: at once', async ({ stage }) => {
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

    test('with an early answer written and its upload unfinished: both sides let go', async ({ stage }) => {
      const scene = await setUp(stage, ({ response }, reached) => {
        response.writeHead(413).end('too large');
        reached();
      });
      await abortRequest({ origin: scene.apache.origin }, 'request-body', scene.reached);
      await until(() => scene.app.server.connectionCount === 0, soonMs, 'the end of the connection');
      // For the handler all went well: its answer is out.
      expect(scene.witnesses[0]?.events).toContain('response finish');
    });

    test('by half-closing only is answered', async ({ stage }) => {
      let answer = (): void => {};
      const scene = await setUp(stage, ({ response }, reached) => {
        answer = () => void response.end('the answer');
        reached();
      });
      const socket = connect({ port: scene.apache.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await within(scene.reached, 5_000, 'the request');
      answer();
      expect((await within(socket.toArray(), 5_000, 'the answer')).join('')).toMatch(/\r\n\r\nthe answer$/);
    });
  });
});

/** Handles a request; calls `reached` when the client may leave. */
type Handler = (witness: Witness, reached: () => void) => unknown;

interface Scene {
  readonly apache: Apache;
  readonly app: StagedApp;
  /** One for each request that came to the application, but for those to /other. */
  readonly witnesses: readonly Witness[];
  readonly reached: Promise<void>;
  witness(): Promise<Witness>;
  /** The one request was aborted, its handler knows, and its connection is closed, all of it soon. */
  expectAborted(): Promise<Witness>;
}

async function setUpScene(stage: ApacheStage, over: Transport, handler: Handler): Promise<Scene> {
  const witnesses: Witness[] = [];
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => (reach = resolve)).then(someTurns);
  const listener = (...[request, response]: ConstructorParameters<typeof Witness>): unknown => {
    if (request.url === '/other') return response.end('other');
    const witness = new Witness(request, response);
    witnesses.push(witness);
    return handler(witness, reach);
  };
  const app = await stage.serve(listener, { over });
  const apache = await stage.apache({ to: app.address });
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
  return { apache, app, witnesses, reached, witness, expectAborted };
}

/** Asks, reads the beginning of the response, and leaves. */
async function leaveResponse({ apache }: Scene): Promise<void> {
  const { response, abort } = await openRequest({ origin: apache.origin });
  await within(once(response, 'data'), 5_000, 'the beginning of the body');
  abort();
}

/** Writes a little, over and over; that it is for nobody must show within a second. */
async function writeUntilClosed(scene: Scene, write: () => unknown): Promise<void> {
  const { response } = await scene.witness();
  const gone = (): boolean => {
    if (!response.destroyed) write();
    return response.destroyed;
  };
  await until(gone, soonMs, 'the end of the response');
  await scene.expectAborted();
}

/** An EOF that comes together with the request would be a half-close, and this process is client and server in one. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}
