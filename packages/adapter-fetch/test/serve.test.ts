// Starting and stopping: background work, the variables of a request, options.

import { rawRequest } from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import { getScgiEnv } from '../src/index.js';
import { ask, observe, serve, signal, variablesOf, within } from './support/stage.js';

describe('waitUntil', () => {
  test('lets close() wait for the work', async () => {
    const work = signal();
    const running = await serve((_request, { waitUntil }) => (waitUntil(work.promise), new Response('done')));
    await ask(running.address);
    let isClosed = false;
    const closing = running.close().then(() => (isClosed = true));
    await ask(running.address).catch(() => undefined);
    expect(isClosed).toBe(false);
    work.resolve();
    await within(closing, 'the end');
  });

  test('does not keep close() beyond its timeout', async () => {
    const running = await serve((_request, { waitUntil }) => (waitUntil(new Promise(() => {})), new Response('done')));
    await ask(running.address);
    await within(running.close({ timeout: 50 }), 'the end');
  });

  test('waits for work that work brings about', async () => {
    const first = signal();
    const second = signal();
    const running = await serve((_request, { waitUntil }) => {
      waitUntil(first.promise.then(() => waitUntil(second.promise)));
      return new Response('done');
    });
    await ask(running.address);
    let isClosed = false;
    const closing = running.close().then(() => (isClosed = true));
    first.resolve();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    second.resolve();
    await within(closing, 'the end');
  });

  test('brings rejections to onError, with the request', async () => {
    const seen = signal<unknown>();
    const { address } = await serve(
      (_request, { waitUntil }) => (waitUntil(Promise.reject(new Error('later'))), new Response('done')),
      { onError: (error, request) => seen.resolve([error, request.url]) },
    );
    expect((await ask(address, { target: '/x' })).text).toBe('done');
    expect(await within(seen.promise, 'onError')).toEqual([new Error('later'), 'http://server.test/x']);
  });

  test('works on the execution context too', async () => {
    const work = signal();
    const running = await serve((_request, _env, executionContext) => {
      executionContext.passThroughOnException();
      executionContext.waitUntil(work.promise);
      return new Response('done');
    });
    await ask(running.address);
    work.resolve();
    await within(running.close(), 'the end');
  });
});

describe('getScgiEnv', () => {
  test('finds the variables of a request, and of what wraps it', async () => {
    const look = (request: Request): unknown =>
      [request, { req: { raw: request } }, { req: request }].map((holder) => getScgiEnv(holder)?.REMOTE_ADDR);
    expect(await observe(look)).toEqual(['192.0.2.7', '192.0.2.7', '192.0.2.7']);
  });

  test('knows nothing of other requests', () => {
    expect(getScgiEnv(new Request('http://a.test/'))).toBeUndefined();
    expect(getScgiEnv({})).toBeUndefined();
  });

  test('has no prototype and every variable', async () => {
    const look = (request: Request): unknown => {
      const env = getScgiEnv(request) ?? {};
      return [Object.getPrototypeOf(env), env.SCGI, env.REQUEST_METHOD, env.constructor];
    };
    expect(await observe(look)).toEqual([null, '1', 'GET', undefined].map((value) => value ?? null));
  });
});

describe('close()', () => {
  test('lets a request in flight finish', async () => {
    const answer = signal<Response>();
    const started = signal();
    const running = await serve(() => (started.resolve(), answer.promise));
    const asking = ask(running.address);
    await within(started.promise, 'the handler');
    const closing = running.close();
    answer.resolve(new Response('done'));
    expect((await within(asking, 'the answer')).text).toBe('done');
    await within(closing, 'the end');
  });

  test('breaks off what is open after its timeout, and aborts its signal', async () => {
    const request = signal<Request>();
    const running = await serve((seen) => (request.resolve(seen), new Promise<Response>(() => {})));
    const asking = rawRequest(running.address, { variables: variablesOf({}) });
    const seen = await within(request.promise, 'the handler');
    const aborted = new Promise((resolve) => seen.signal.addEventListener('abort', resolve));
    await within(running.close({ timeout: 20 }), 'the end');
    await within(aborted, 'the abort');
    expect((await asking).bytes.length).toBe(0);
  });
});
