// Status, fields and send(): what an application gives, and the bytes that go to the front end.

import { describe, expect, test } from 'vitest';
import { askOnce, http, open, serve, signal, thrownBy, within } from './support/stage.js';

const state = { name: 'LocalProtocolError', code: 'ERR_SCGI_STATE' };

describe('send', () => {
  test('sends one payload as a whole response with its length', async () => {
    const { bytes, ended } = await askOnce((res) => res.send('hello'));
    expect(bytes.toString()).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(ended).toBe('fin');
  });

  test('counts bytes, not characters', async () => {
    const { headers, text } = await askOnce((res) => res.send('grüß ☕'));
    expect([headers['content-length'], text]).toEqual(['10', 'grüß ☕']);
  });

  test('sends bytes as they are', async () => {
    const { body } = await askOnce((res) => res.send(new Uint8Array([0, 255, 128])));
    expect([...body]).toEqual([0, 255, 128]);
  });

  test.each([null, undefined, ''])('ends with no body for %j', async (payload) => {
    const { status, headers, text } = await askOnce((res) => res.send(payload));
    expect([status, headers['content-length'], text]).toEqual([200, '0', '']);
  });

  test('leaves the response open with hasMore', async () => {
    const { bytes } = await askOnce((res) => {
      res.send('a', true);
      res.send('b', true);
      res.send('c');
    });
    expect(bytes.toString()).toBe('Status: 200 OK\r\n\r\nabc');
  });

  test('sends the head alone for null with hasMore', async () => {
    const sent = signal<() => void>();
    const { address } = await serve(
      http((res) => {
        res.send(null, true);
        sent.resolve(() => res.send('late'));
      }),
    );
    const client = await open(address);
    await client.sees('Status: 200 OK\r\n\r\n');
    (await sent.promise)();
    await client.sees('late');
    await client.closed();
  });

  test('sends each piece as it comes', async () => {
    const { promise, resolve } = signal<(text: string) => boolean>();
    const { address } = await serve(
      http((res) => {
        res.send('first', true);
        resolve((text) => res.send(text, text !== 'end'));
      }),
    );
    const client = await open(address);
    await client.sees('first');
    const send = await promise;
    send('second');
    await client.sees('second');
    send('end');
    await client.closed();
    expect(client.received()).toBe('Status: 200 OK\r\n\r\nfirstsecondend');
  });

  test('throws behind the end of the response', async () => {
    const errors: unknown[] = [];
    const { text } = await askOnce((res) => {
      res.send('all');
      errors.push(thrownBy(() => res.send('more')));
    });
    expect([text, errors]).toEqual(['all', [expect.objectContaining(state)]]);
  });

  test('tells when the client takes less than it is given', async () => {
    const results = signal<readonly boolean[]>();
    const { address } = await serve(
      http((res) => {
        res.onAborted(() => {});
        results.resolve([res.send('small', true), res.send(Buffer.alloc(20_000_000), true)]);
      }),
    );
    const client = await open(address);
    client.pause();
    expect(await within(results.promise, 'the handler')).toEqual([true, false]);
  });
});

describe('drained', () => {
  test('resolves at once where nothing is held back', async () => {
    const { text } = await askOnce(async (res) => {
      res.send('a', true);
      await within(res.drained(), 'the drain');
      res.send('b');
    });
    expect(text).toBe('ab');
  });

  test('waits until the client has taken what there is', async () => {
    const sent = signal();
    let drained = false;
    const { address } = await serve(
      http(async (res) => {
        res.send(Buffer.alloc(20_000_000), true);
        sent.resolve();
        await res.drained();
        drained = true;
        res.send('end');
      }),
    );
    const client = await open(address);
    client.pause();
    await within(sent.promise, 'the handler');
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    client.resume();
    await client.closed();
    expect([drained, client.received().endsWith('\0end')]).toEqual([true, true]);
  });
});

describe('sendStatus', () => {
  test.each([
    [404, 'Status: 404 Not Found\r\n'],
    ['404 Not Found', 'Status: 404 Not Found\r\n'],
    ['404', 'Status: 404 Not Found\r\n'],
    ['200 Fine', 'Status: 200 Fine\r\n'],
    [599, 'Status: 599 Unknown\r\n'],
  ])('takes %j', async (status, line) => {
    const { bytes } = await askOnce((res) => {
      res.sendStatus(status);
      res.send('x');
    });
    expect(bytes.toString().startsWith(line)).toBe(true);
  });

  test.each([0, 99, 101, 199, 1000, 200.5, NaN, '', 'OK', '20', '2000', '404Not'])('refuses %j', async (status) => {
    const errors: unknown[] = [];
    await askOnce((res) => {
      errors.push(thrownBy(() => res.sendStatus(status)));
      res.send('x');
    });
    expect(errors).toMatchObject([{ name: 'LocalProtocolError', code: 'ERR_SCGI_STATUS_CODE' }]);
  });

  test('counts by its last call', async () => {
    const { status } = await askOnce((res) => {
      res.sendStatus(500);
      res.sendStatus(201);
      res.send('x');
    });
    expect(status).toBe(201);
  });

  test('does not send anything by itself', async () => {
    const { status, errors } = await askOnce((res) => res.sendStatus(201));
    expect([status, errors]).toMatchObject([500, [state]]);
  });
});

describe('sendHeaders', () => {
  test('adds fields, in order, several times', async () => {
    const { fields } = await askOnce((res) => {
      res.sendHeaders([['X-A', '1']]);
      res.sendHeaders(new Map([['X-B', 2]]));
      res.sendHeaders(Object.entries({ 'X-C': '3' }));
      res.send('x');
    });
    expect(fields).toEqual(['X-A', '1', 'X-B', '2', 'X-C', '3', 'Content-Length', '1']);
  });

  test('keeps several cookies apart', async () => {
    const { fields } = await askOnce((res) => {
      res.sendHeaders([
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]);
      res.send(null);
    });
    expect(fields.filter((text) => /^[ab]=/.test(text))).toEqual(['a=1', 'b=2']);
  });

  test('leaves out what is about the connection', async () => {
    const { fields } = await askOnce((res) => {
      res.sendHeaders([
        ['Connection', 'X-Hop'],
        ['X-Hop', '1'],
        ['Transfer-Encoding', 'chunked'],
        ['Status', '500'],
        ['X-A', '1'],
      ]);
      res.send('x');
    });
    expect(fields).toEqual(['X-A', '1', 'Content-Length', '1']);
  });

  test.each([
    ['a name', [['X A', '1']]],
    ['a line break', [['X-A', '1\r\nX-B: 2']]],
    ['a character beyond latin1', [['X-A', '☕']]],
  ] as const)('does not let %s out that would break the head', async (_what, headers) => {
    const { status, bytes, errors } = await askOnce((res) => {
      res.sendHeaders(headers);
      res.send('x');
    });
    expect(status).toBe(500);
    expect(bytes.toString()).not.toMatch(/X-B|X A/);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_FIELD' }]);
  });

  test('tells nginx not to hold events back', async () => {
    const { headers } = await askOnce((res) => {
      res.sendHeaders([['Content-Type', 'text/event-stream']]);
      res.send('data: 1\n\n');
    });
    expect(headers['x-accel-buffering']).toBe('no');
  });
});

test('status and fields cannot change once the head is sent', async () => {
  const errors: unknown[] = [];
  await askOnce((res) => {
    res.send('a', true);
    errors.push(
      thrownBy(() => res.sendStatus(500)),
      thrownBy(() => res.sendHeaders([])),
    );
    res.send('b');
    errors.push(thrownBy(() => res.sendStatus(500)));
  });
  expect(errors).toMatchObject([state, state, state]);
});

describe('a response without content', () => {
  test('HEAD gets the fields of GET', async () => {
    const { bytes } = await askOnce((res) => res.send('hello'), { method: 'HEAD' });
    expect(bytes.toString()).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\n');
  });

  test('HEAD of a stream gets its head', async () => {
    const { bytes } = await askOnce(
      (res) => {
        res.send('a', true);
        res.send('b');
      },
      { method: 'HEAD' },
    );
    expect(bytes.toString()).toBe('Status: 200 OK\r\n\r\n');
  });

  test.each([204, 304])('%i has no body and no length', async (status) => {
    const { bytes } = await askOnce((res) => {
      res.sendStatus(status);
      res.send('ignored');
    });
    expect(bytes.toString()).toMatch(new RegExp(`^Status: ${status} [A-Za-z ]+\\r\\n\\r\\n$`));
  });
});

describe('a Content-Length of the application', () => {
  const stated = (length: number) => [['Content-Length', length]] as const;

  test('is sent once', async () => {
    const { fields } = await askOnce((res) => {
      res.sendHeaders(stated(2));
      res.send('a', true);
      res.send('b');
    });
    expect(fields).toEqual(['Content-Length', '2']);
  });

  test('that is wrong for one payload is answered 500', async () => {
    const { status, errors } = await askOnce((res) => {
      res.sendHeaders(stated(3));
      res.send('ab');
    });
    expect([status, errors]).toMatchObject([500, [{ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' }]]);
  });

  test('that is too short cuts the stream there, and the application hears of it', async () => {
    const { status, text, ended, errors } = await askOnce((res) => {
      res.sendHeaders(stated(3));
      res.send('ab', true);
      res.send('cd', true);
    });
    expect([status, text, ended]).toEqual([200, 'abc', 'fin']);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH', details: { excess: 1 } }]);
  });

  test('that is too long breaks the response off, and the application hears of it', async () => {
    const { fault, errors } = await askOnce((res) => {
      res.sendHeaders(stated(10));
      res.send('ab', true);
      res.send('c');
    });
    expect(fault).toMatchObject({ code: 'ERR_SCGI_RESPONSE_TRUNCATED' });
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH', details: { stated: 10, length: 3 } }]);
  });
});
