// Clients that leave, at each stage: the handler hears of it within a second, streams are cancelled, nothing goes on.

import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ask, open, serve, signal, within } from './support/stage.js';

const gone = expect.objectContaining({ name: 'AbortError', code: 'ERR_SCGI_CLIENT_GONE' });

describe('request.signal', () => {
  test('aborts when the client leaves before the answer', async () => {
    const request = signal<Request>();
    const { address } = await serve((seen) => (request.resolve(seen), new Promise<Response>(() => {})));
    const client = await open(address);
    const seen = await within(request.promise, 'the handler');
    const aborted = new Promise((resolve) => seen.signal.addEventListener('abort', resolve));
    await client.leave();
    await within(aborted, 'the abort');
    expect(seen.signal.reason).toEqual(gone);
  });

  test('is aborted for who asks after the client has left', async () => {
    const request = signal<Request>();
    const running = await serve((seen) => (request.resolve(seen), new Promise<Response>(() => {})));
    const client = await open(running.address);
    const seen = await within(request.promise, 'the handler');
    await client.leave();
    await within(
      vi.waitFor(() => expect(running.server.connectionCount).toBe(0)),
      'the end of the connection',
    );
    expect(seen.signal.aborted).toBe(true);
  });

  test('aborts a fetch, a timer and a copy that were given it', async () => {
    const outcome = signal<unknown>();
    const started = signal();
    const { address } = await serve(async (request) => {
      const copy = new Request(request);
      const waiting = delay(60_000, undefined, { signal: copy.signal });
      started.resolve();
      await waiting.catch(outcome.resolve);
      return new Response();
    });
    const client = await open(address);
    await within(started.promise, 'the handler');
    await client.leave();
    expect(await within(outcome.promise, 'the rejection')).toMatchObject({ name: 'AbortError' });
  });

  test('aborts in the middle of a response', async () => {
    const aborted = signal<unknown>();
    const { address } = await serve((request) => {
      request.signal.addEventListener('abort', () => aborted.resolve(request.signal.reason));
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('abc')) }));
    });
    const client = await open(address);
    await client.sees('abc');
    await client.leave();
    expect(await within(aborted.promise, 'the abort')).toEqual(gone);
  });

  test.each(['GET', 'POST'])('stays quiet after a normal end of a %s', async (method) => {
    const request = signal<Request>();
    const running = await serve((seen) => {
      request.resolve(seen);
      seen.signal.throwIfAborted();
      return new Response('done');
    });
    await ask(running.address, { method, body: method === 'POST' ? 'abc' : '' });
    await within(
      vi.waitFor(() => expect(running.server.connectionCount).toBe(0)),
      'the end of the connection',
    );
    expect((await request.promise).signal.aborted).toBe(false);
  });

  test('stays quiet for who asks only after a normal end', async () => {
    const request = signal<Request>();
    const running = await serve((seen) => (request.resolve(seen), new Response('done')));
    await ask(running.address);
    await within(
      vi.waitFor(() => expect(running.server.connectionCount).toBe(0)),
      'the end of the connection',
    );
    expect((await request.promise).signal.aborted).toBe(false);
  });
});

describe('a response stream', () => {
  test('is cancelled when the client leaves between two chunks', async () => {
    const cancelled = signal<unknown>();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('abc')),
      cancel: cancelled.resolve,
    });
    const { address } = await serve(() => new Response(body));
    const client = await open(address);
    await client.sees('abc');
    await client.leave();
    expect(await within(cancelled.promise, 'the cancellation')).toEqual(gone);
  });

  test('is cancelled when the client leaves before its first chunk', async () => {
    const cancelled = signal<unknown>();
    const { address } = await serve(() => new Response(new ReadableStream({ cancel: cancelled.resolve })));
    const client = await open(address);
    await client.sees('Status: 200');
    await client.leave();
    expect(await within(cancelled.promise, 'the cancellation')).toEqual(gone);
  });

  test('is cancelled when the client leaves while it is blocked', async () => {
    const cancelled = signal<unknown>();
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(Buffer.alloc(1 << 20));
      },
      cancel: cancelled.resolve,
    });
    const { address } = await serve(() => new Response(body));
    const client = await open(address);
    client.pause();
    for (let quiet = 0, last = -1; quiet < 100; quiet = pulled === last ? quiet + 1 : 0) {
      last = pulled;
      await nextTurn();
    }
    await client.leave();
    expect(await within(cancelled.promise, 'the cancellation')).toEqual(gone);
  });

  test('is cancelled when it comes after the client has left', async () => {
    const cancelled = signal<unknown>();
    const { address } = await serve(async (request) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      return new Response(new ReadableStream({ cancel: cancelled.resolve }));
    });
    const client = await open(address);
    await client.leave();
    expect(await within(cancelled.promise, 'the cancellation')).toEqual(gone);
  });

  test('whose cancel() fails troubles nobody', async () => {
    const cancelled = signal();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('abc')),
      cancel() {
        cancelled.resolve();
        throw new Error('in cancel');
      },
    });
    const running = await serve(() => new Response(body));
    const client = await open(running.address);
    await client.sees('abc');
    await client.leave();
    await within(cancelled.promise, 'the cancellation');
    await nextTurn();
    expect(running.errors).toEqual([]);
  });
});

describe('the default log', () => {
  test('does not mention handlers that fail because the client left', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const failed = signal();
    const { address } = await serve(
      async (request) => {
        await request.text().finally(failed.resolve);
        return new Response();
      },
      { onError: undefined },
    );
    const client = await open(address, { method: 'POST' }, 10, 'abc');
    await client.leave();
    await within(failed.promise, 'the rejection');
    await nextTurn();
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });
});

test('a handler that never answers keeps the connection open and harms nobody', async () => {
  const { address } = await serve((request) =>
    request.url.endsWith('/never') ? new Promise<Response>(() => {}) : new Response('other'),
  );
  const client = await open(address, { target: '/never' });
  expect((await ask(address)).text).toBe('other');
  expect(client.received()).toBe('');
});
