// Handlers that throw, reject or forget to answer: what the client gets, and what `onError` hears.

import { describe, expect, test, vi } from 'vitest';
import { ask, askOnce, http, open, rejectionOf, serve, signal, within } from './support/stage.js';

const secret = new Error('secret');

describe('a handler that fails', () => {
  test.each([
    [
      'throws',
      () => {
        throw secret;
      },
    ],
    ['rejects', () => Promise.reject(secret)],
  ])('and %s is answered 500, without the reason', async (_how, fail) => {
    const { bytes, errors } = await askOnce(fail);
    expect(bytes.toString()).toBe(
      'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\nInternal Server Error\n',
    );
    expect(errors).toEqual([secret]);
  });

  test('is answered without the status and the fields that it set', async () => {
    const { status, fields } = await askOnce((res) => {
      res.sendStatus(201);
      res.sendHeaders([['X-A', '1']]);
      throw secret;
    });
    expect([status, fields]).toEqual([500, ['Content-Type', 'text/plain', 'Content-Length', '22']]);
  });

  test('behind the head is broken off', async () => {
    const { ended, errors } = await askOnce(async (res) => {
      res.send('half', true);
      throw secret;
    });
    expect([ended, errors]).toEqual(['reset', [secret]]);
  });

  test('behind the end only shows in onError', async () => {
    const { text, ended, errors } = await askOnce((res) => {
      res.send('whole');
      throw secret;
    });
    expect([text, ended, errors]).toEqual(['whole', 'fin', [secret]]);
  });

  test('is answered at once, with a body still to come', async () => {
    const { address } = await serve(
      http(() => {
        throw secret;
      }),
    );
    const client = await open(address, { method: 'POST' }, 1_000_000);
    await client.sees('Internal Server Error\n');
  });

  test('and goes on elsewhere finds its sends ignored', async () => {
    const later = signal<boolean>();
    const { address } = await serve(
      http((res) => {
        setImmediate(() => later.resolve(res.send('too late')));
        throw secret;
      }),
    );
    expect((await ask(address)).status).toBe(500);
    expect(await later.promise).toBe(false);
  });

  test('is reported with its request', async () => {
    const { address, failed } = await serve(http(() => Promise.reject(secret)));
    await ask(address, { method: 'PUT', target: '/a?b' });
    expect(failed).toEqual([{ method: 'PUT', url: '/a?b', aborted: false }]);
  });

  test('is logged where nobody listens', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await askOnce(() => Promise.reject(secret), { target: '/a' }, { onError: undefined });
    expect(log.mock.calls).toEqual([['GET /a failed:', secret]]);
    log.mockRestore();
  });
});

describe('a handler that forgets to answer', () => {
  const forgotten = { code: 'ERR_SCGI_STATE', details: { fault: 'the handler returned without a response' } };

  test.each([
    ['that is sync', () => undefined],
    ['that is async', async () => {}],
  ])('%s is answered 500', async (_what, handler) => {
    const { status, errors } = await askOnce(handler);
    expect([status, errors]).toMatchObject([500, [forgotten]]);
  });

  test('after it has read the body is answered 500', async () => {
    const { status, errors } = await askOnce(async (res) => void (await res.getData()), {
      method: 'POST',
      body: 'abc',
    });
    expect([status, errors]).toMatchObject([500, [forgotten]]);
  });

  test('in a task is answered 500', async () => {
    const { status, errors } = await askOnce((res) => res.runAsync(async () => {}));
    expect([status, errors]).toMatchObject([500, [forgotten]]);
  });

  test('is waited for if it listens to the client leaving', async () => {
    const { text } = await askOnce((res) => {
      res.onAborted(() => {});
      setImmediate(() => res.send('later'));
    });
    expect(text).toBe('later');
  });

  test('is waited for if it looks at the signal', async () => {
    const { text } = await askOnce((res) => {
      const { signal: abort } = res;
      setImmediate(() => res.send(`${abort.aborted}`));
    });
    expect(text).toBe('false');
  });

  test('is waited for if it has asked for the body', async () => {
    const { text } = await askOnce((res) => void res.getData().then((data) => res.send(data)), {
      method: 'POST',
      body: 'abc',
    });
    expect(text).toBe('abc');
  });

  test('is waited for once its response has begun', async () => {
    const { text } = await askOnce((res) => {
      res.send('a', true);
      setImmediate(() => res.send('b'));
    });
    expect(text).toBe('ab');
  });
});

describe('runAsync', () => {
  test('calls the task at once with its arguments', async () => {
    const seen: unknown[] = [];
    const { text } = await askOnce((res) => {
      res.runAsync(
        async (greeting, count) => {
          seen.push('task');
          await Promise.resolve();
          res.send(`${greeting} ${count + 1}`);
        },
        'hello',
        1,
      );
      seen.push('handler');
    });
    expect([text, seen]).toEqual(['hello 2', ['task', 'handler']]);
  });

  test('answers 500 for a task that rejects', async () => {
    const { status, errors } = await askOnce((res) => res.runAsync(() => Promise.reject(secret)));
    expect([status, errors]).toEqual([500, [secret]]);
  });

  test('answers 500 for a task that throws', async () => {
    const { status, errors } = await askOnce((res) =>
      res.runAsync(() => {
        throw secret;
      }),
    );
    expect([status, errors]).toEqual([500, [secret]]);
  });

  test('breaks off what a task leaves half done', async () => {
    const { ended, errors } = await askOnce((res) =>
      res.runAsync(async () => {
        res.send('half', true);
        throw secret;
      }),
    );
    expect([ended, errors]).toEqual(['reset', [secret]]);
  });

  test('waits for all tasks before it misses an answer', async () => {
    const { text } = await askOnce((res) => {
      res.runAsync(async () => {});
      res.runAsync(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        res.send('second');
      });
    });
    expect(text).toBe('second');
  });
});

describe('close() of the server', () => {
  test('waits for tasks that go on behind the answer', async () => {
    const finish = signal();
    const done: string[] = [];
    const running = await serve(
      http((res) => {
        res.runAsync(async () => {
          await finish.promise;
          done.push('task');
        });
        res.send('answered');
      }),
    );
    expect((await ask(running.address)).text).toBe('answered');
    const closed = running.close().then(() => done.push('closed'));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual([]);
    finish.resolve();
    await within(closed, 'the end of the server');
    expect(done).toEqual(['task', 'closed']);
  });

  test('lets requests in flight finish', async () => {
    const finish = signal();
    const running = await serve(
      http(async (res) => {
        res.send('half', true);
        await finish.promise;
        res.send(' and half');
      }),
    );
    const client = await open(running.address);
    await client.sees('half');
    const closed = running.close();
    finish.resolve();
    await within(closed, 'the end of the server');
    await client.sees('half and half');
  });

  test('gives up on tasks after its timeout', async () => {
    const running = await serve(
      http((res) => {
        res.runAsync(() => new Promise(() => {}));
        res.send('answered');
      }),
    );
    await ask(running.address);
    await within(running.close({ timeout: 50 }), 'the end of the server');
  });

  test('breaks off what is open after its timeout', async () => {
    const aborted = signal();
    const running = await serve(
      http((res) => {
        res.onAborted(aborted.resolve);
        res.send('half', true);
      }),
    );
    const client = await open(running.address);
    await client.sees('half');
    await within(running.close({ timeout: 50 }), 'the end of the server');
    await within(aborted.promise, 'the abort');
  });

  test('is the disposal of the server too', async () => {
    const running = await serve(http((res) => res.send('x')));
    await running[Symbol.asyncDispose]();
    expect(await rejectionOf(ask(running.address))).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test.each(['maxDataBytes', 'maxPayload'])('%s must be a number of bytes', async (option) => {
  for (const value of [-1, 1.5, NaN]) {
    const error = await rejectionOf(
      serve(
        http(() => {}),
        { [option]: value },
      ),
    );
    expect(error).toMatchObject({ code: 'ERR_SCGI_OPTION', details: { option } });
  }
});
