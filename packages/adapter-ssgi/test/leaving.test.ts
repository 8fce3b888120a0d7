// Clients that leave, at each stage: the application hears of it within a second, and nothing goes on.

import { describe, expect, test, vi } from 'vitest';
import type { SsgiHttpResponse } from '../src/index.js';
import { ask, http, open, rejectionOf, serve, signal, thrownBy, within, type Served } from './support/stage.js';

const gone = { name: 'AbortError', code: 'ERR_SCGI_CLIENT_GONE' };

/** Resolves when the server has no connection left. */
async function emptied({ server }: Served): Promise<void> {
  await within(
    vi.waitFor(() => expect(server.connectionCount).toBe(0)),
    'the end of the connection',
  );
}

describe('a client that leaves', () => {
  test('before the answer', async () => {
    const started = signal();
    const heard = signal<readonly unknown[]>();
    const running = await serve(
      http((res) => {
        res.onAborted((...args: readonly unknown[]) => heard.resolve([...args, res.aborted]), 'a', 2);
        started.resolve();
      }),
    );
    const client = await open(running.address);
    await within(started.promise, 'the handler');
    await client.leave();
    expect(await within(heard.promise, 'the abort')).toEqual(['a', 2, true]);
    await emptied(running);
    expect(running.errors).toEqual([]);
  });

  test('in the middle of the answer', async () => {
    const heard = signal();
    const running = await serve(
      http((res) => {
        res.onAborted(heard.resolve);
        res.send('half', true);
      }),
    );
    const client = await open(running.address);
    await client.sees('half');
    await client.leave();
    await within(heard.promise, 'the abort');
    await emptied(running);
  });

  test('in the middle of the body', async () => {
    const started = signal();
    const heard = signal();
    const failed = signal<unknown>();
    const running = await serve(
      http(async (res) => {
        res.onAborted(heard.resolve);
        started.resolve();
        failed.resolve(await rejectionOf(res.getData()));
      }),
    );
    const client = await open(running.address, { method: 'POST' }, 100, 'some');
    await within(started.promise, 'the handler');
    await client.leave();
    await within(heard.promise, 'the abort');
    expect(await within(failed.promise, 'the rejection')).toMatchObject(gone);
    await emptied(running);
  });

  test('between two chunks of the body', async () => {
    const first = signal<string>();
    const failed = signal<unknown>();
    const { address } = await serve(
      http(async (res) => {
        first.resolve(`${await res.getChunk()}`);
        failed.resolve(await rejectionOf(res.getChunk()));
      }),
    );
    const client = await open(address, { method: 'POST' }, 100, 'some');
    expect(await within(first.promise, 'the first chunk')).toBe('some');
    await client.leave();
    expect(await within(failed.promise, 'the rejection')).toMatchObject(gone);
  });

  test('while the application waits for it to take more', async () => {
    const stuck = signal();
    const drained = signal<boolean>();
    const { address } = await serve(
      http(async (res) => {
        res.send(Buffer.alloc(20_000_000), true);
        stuck.resolve();
        await res.drained();
        drained.resolve(res.aborted);
      }),
    );
    const client = await open(address);
    client.pause();
    await within(stuck.promise, 'the handler');
    await client.leave();
    expect(await within(drained.promise, 'the end of waiting')).toBe(true);
  });

  test('with a reset', async () => {
    const started = signal();
    const heard = signal();
    const running = await serve(
      http((res) => {
        res.onAborted(heard.resolve);
        started.resolve();
      }),
    );
    const client = await open(running.address);
    await within(started.promise, 'the handler');
    client.reset();
    await within(heard.promise, 'the abort');
    await emptied(running);
  });

  test('only half, with the request, gets its answer', async () => {
    const { address } = await serve(
      http(async (res) => {
        await new Promise((resolve) => setImmediate(resolve));
        res.send(`${res.aborted}`);
      }),
    );
    const client = await open(address);
    client.end();
    await client.sees('false');
  });
});

describe('res.signal', () => {
  test('aborts with the reason', async () => {
    const started = signal();
    const reason = signal<unknown>();
    const { address } = await serve(
      http((res) => {
        res.signal.addEventListener('abort', () => reason.resolve(res.signal.reason));
        started.resolve();
      }),
    );
    const client = await open(address);
    await within(started.promise, 'the handler');
    await client.leave();
    expect(await within(reason.promise, 'the abort')).toMatchObject(gone);
  });

  test('is one and the same', async () => {
    const { address } = await serve(http((res) => res.send(`${res.signal === res.signal}`)));
    expect((await ask(address)).text).toBe('true');
  });

  test('is aborted for who asks only afterwards', async () => {
    const seen = signal<SsgiHttpResponse>();
    const running = await serve(
      http((res) => {
        res.onAborted(() => {});
        seen.resolve(res);
      }),
    );
    const client = await open(running.address);
    const res = await within(seen.promise, 'the handler');
    await client.leave();
    await emptied(running);
    expect([res.signal.aborted, res.aborted]).toEqual([true, true]);
    const late = signal<string>();
    res.onAborted(late.resolve, 'late');
    expect(await within(late.promise, 'the listener')).toBe('late');
  });

  test('stays quiet after a normal end', async () => {
    const seen = signal<SsgiHttpResponse>();
    const listener = vi.fn();
    const running = await serve(
      http((res) => {
        res.onAborted(listener);
        void res.signal;
        seen.resolve(res);
        res.send('done');
      }),
    );
    await ask(running.address);
    await emptied(running);
    const res = await seen.promise;
    expect([res.signal.aborted, res.aborted, listener.mock.calls]).toEqual([false, false, []]);
  });
});

describe('behind the abort', () => {
  async function abandoned(): Promise<{ readonly res: SsgiHttpResponse; readonly running: Served }> {
    const seen = signal<SsgiHttpResponse>();
    const running = await serve(
      http((res) => {
        res.onAborted(() => {});
        seen.resolve(res);
      }),
    );
    const client = await open(running.address);
    const res = await within(seen.promise, 'the handler');
    await client.leave();
    await emptied(running);
    return { res, running };
  }

  test('nothing is sent, and nothing fails', async () => {
    const { res, running } = await abandoned();
    expect([res.send('a', true), res.send('b'), res.send(null)]).toEqual([false, false, false]);
    expect(await res.sendChunk('a', 2)).toEqual([false, true]);
    await within(res.drained(), 'the drain');
    res.sendStatus(404);
    expect(thrownBy(() => res.sendStatus(0))).toMatchObject({ code: 'ERR_SCGI_STATUS_CODE' });
    expect(running.errors).toEqual([]);
  });

  test('a listener that fails is reported, and the others are called', async () => {
    const started = signal();
    const other = signal();
    const running = await serve(
      http((res) => {
        res.onAborted(() => {
          throw new Error('first');
        });
        res.onAborted(() => Promise.reject(new Error('second')));
        res.onAborted(other.resolve);
        started.resolve();
      }),
    );
    const client = await open(running.address);
    await within(started.promise, 'the handler');
    await client.leave();
    await within(other.promise, 'the last listener');
    await vi.waitFor(() => expect(running.errors).toEqual([new Error('first'), new Error('second')]));
    expect(running.failed).toMatchObject([{ aborted: true }, { aborted: true }]);
  });

  test('the handler that fails with it is not logged', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const started = signal();
    const running = await serve(
      http(async (res) => {
        const data = res.getData();
        started.resolve();
        await data;
      }),
      { onError: undefined },
    );
    const client = await open(running.address, { method: 'POST' }, 100);
    await within(started.promise, 'the handler');
    await client.leave();
    await emptied(running);
    expect(log.mock.calls).toEqual([]);
    log.mockRestore();
  });
});
