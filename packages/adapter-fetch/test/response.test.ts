// What becomes of a Response: bodies of every kind, fields, statuses, and everything that can be wrong with one.

import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ask, askOnce, open, serve, signal, within } from './support/stage.js';

const encoder = new TextEncoder();

describe('a body that is at hand', () => {
  test.each<[string, () => Response, string]>([
    ['a string', () => new Response('h\u00e9llo'), 'h\u00c3\u00a9llo'],
    ['bytes', () => new Response(new Uint8Array([104, 105])), 'hi'],
    ['a buffer', () => new Response(new Uint8Array([104, 105]).buffer), 'hi'],
    ['a Blob', () => new Response(new Blob(['hi'])), 'hi'],
    ['URLSearchParams', () => new Response(new URLSearchParams({ a: '1' })), 'a=1'],
    ['JSON', () => Response.json({ a: 1 }), '{"a":1}'],
    ['nothing', () => new Response(null), ''],
    ['an empty string', () => new Response(''), ''],
    ['a stream that ends with its first chunk', () => new Response(streamOf('hi')), 'hi'],
    ['a stream of nothing', () => new Response(streamOf()), ''],
    ['a response that was cloned', () => new Response('hi').clone(), 'hi'],
  ])('is sent with its length: %s', async (_what, make, text) => {
    for (const handler of [make, async () => make()]) {
      const answer = await askOnce(handler);
      expect(answer).toMatchObject({ status: 200, text, fault: undefined, ended: 'fin' });
      expect(answer.headers['content-length']).toBe(String(text.length));
    }
  });

  test('of a megabyte is whole', async () => {
    const answer = await askOnce(() => new Response('x'.repeat(1 << 20)));
    expect([answer.body.length, answer.headers['content-length']]).toEqual([1 << 20, String(1 << 20)]);
  });

  test('keeps the length that the application states', async () => {
    const answer = await askOnce(() => new Response('abc', { headers: { 'content-length': '3' } }));
    expect(answer.fields.filter((field) => field.toLowerCase() === 'content-length')).toHaveLength(1);
  });

  test.each([
    ['text', () => 'abc'],
    ['a slow stream', () => slow('abc')],
  ])('with another length than stated is a 500: %s', async (_what, body) => {
    const running = await serve(() => new Response(body(), { headers: { 'content-length': '5' } }));
    expect((await ask(running.address)).status).toBe(500);
    expect(running.errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' })]);
  });
});

describe('head', () => {
  test('has status and reason', async () => {
    const answer = await askOnce(() => new Response('', { status: 418, statusText: 'Short and stout' }));
    expect([answer.status, answer.reason]).toEqual([418, 'Short and stout']);
  });

  test('has the registered reason where the response has none', async () => {
    expect((await askOnce(() => new Response('', { status: 404 }))).reason).toBe('Not Found');
  });

  test('has each Set-Cookie by itself', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
      ['set-cookie', 'b=2'],
      ['x-a', '1'],
      ['x-a', '2'],
    ]);
    const { fields } = await askOnce(() => new Response(null, { headers }));
    expect(fields.filter((_, index) => fields[index - 1] === 'set-cookie')).toEqual([
      'a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'b=2',
    ]);
    expect(fields[fields.indexOf('x-a') + 1]).toBe('1, 2');
  });

  test('has one octet for each character of a value', async () => {
    const answer = await askOnce(() => new Response('\u00e9', { headers: { 'x-a': 'caf\xe9' } }));
    expect(answer.bytes.toString('latin1')).toContain('x-a: caf\xe9\r\n');
    expect(answer.text).toBe('\u00c3\u00a9');
  });

  test('of a redirect has its Location', async () => {
    const answer = await askOnce(() => Response.redirect('http://a.test/b', 303));
    expect([answer.status, answer.headers['location'], answer.text]).toEqual([303, 'http://a.test/b', '']);
  });

  test('has no hop-by-hop fields', async () => {
    const headers = { connection: 'keep-alive', 'transfer-encoding': 'chunked', 'x-a': 'b' };
    const answer = await askOnce(() => new Response('x', { headers }));
    expect(Object.keys(answer.headers).toSorted()).toEqual(['content-length', 'content-type', 'x-a']);
  });

  test('is at once on its way when the body takes its time', async () => {
    const { address } = await serve(() => new Response(new ReadableStream({}), { headers: { 'x-a': 'b' } }));
    const client = await open(address);
    await client.sees('x-a: b');
    expect(client.received()).not.toContain('Content-Length');
  });

  test('of an event stream tells nginx not to buffer', async () => {
    const make = (): Response =>
      new Response(streamOf('data: 1\n\n'), { headers: { 'content-type': 'text/event-stream' } });
    expect((await askOnce(make)).headers['x-accel-buffering']).toBe('no');
    expect((await askOnce(make, {}, { unbufferedEvents: false })).headers['x-accel-buffering']).toBeUndefined();
  });
});

describe('without a body', () => {
  test.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s with %i cancels the stream unread', async (method, status) => {
    const cancelled = signal<unknown>();
    let pulls = 0;
    const body = new ReadableStream({ pull: () => void pulls++, cancel: cancelled.resolve }, { highWaterMark: 0 });
    const response = status === 200 ? new Response(body) : { status, headers: new Headers(), body };
    const answer = await askOnce(() => response, { method });
    await within(cancelled.promise, 'the cancellation');
    expect([answer.status, answer.text, pulls, answer.ended]).toEqual([status, '', 0, 'fin']);
  });

  test('HEAD keeps the length that GET would have', async () => {
    const answer = await askOnce(() => new Response(null, { headers: { 'content-length': '42' } }), { method: 'HEAD' });
    expect([answer.headers['content-length'], answer.fault]).toEqual(['42', undefined]);
  });

  test('204 has no length', async () => {
    const answer = await askOnce(() => new Response(null, { status: 204 }));
    expect([answer.status, answer.headers['content-length']]).toEqual([204, undefined]);
  });
});

describe('a stream', () => {
  test('arrives chunk by chunk', async () => {
    let controller: ReadableStreamDefaultController | undefined;
    const { address } = await serve(
      () => new Response(new ReadableStream({ start: (own) => void (controller = own) })),
    );
    const client = await open(address);
    for (const word of ['one', 'two', 'three']) {
      await client.sees('Status: 200');
      controller?.enqueue(encoder.encode(word));
      await client.sees(word);
    }
    controller?.close();
    await within(client.closed(), 'the end');
    expect(client.received()).toMatch(/\r\n\r\nonetwothree$/);
  });

  test('of several chunks at hand is whole', async () => {
    expect((await askOnce(() => new Response(streamOf('a', '', 'b', 'c')))).text).toBe('abc');
  });

  test('may have chunks of text, buffers and views', async () => {
    const chunks = ['a', encoder.encode('b').buffer, new DataView(encoder.encode('xcx').buffer, 1, 1)];
    const body = new ReadableStream<unknown>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const response = { status: 200, headers: new Headers(), body };
    expect((await askOnce(() => response)).text).toBe('abc');
  });

  test('waits while the client takes nothing, and goes on when it does', async () => {
    let pulled = 0;
    const total = 64;
    const body = new ReadableStream(
      {
        pull(controller) {
          if (pulled === total) return controller.close();
          pulled += 1;
          controller.enqueue(Buffer.alloc(1 << 20, 'x'));
        },
      },
      { highWaterMark: 0 },
    );
    const { address } = await serve(() => new Response(body));
    const client = await open(address);
    client.pause();
    let last = -1;
    // It stands still when nothing is pulled for many turns.
    for (let quiet = 0; quiet < 200; quiet = pulled === last ? quiet + 1 : 0) {
      last = pulled;
      await nextTurn();
    }
    expect(pulled).toBeLessThan(total / 2);
    client.resume();
    await within(client.closed(), 'the end', 5000);
    expect(client.received().length).toBeGreaterThan(total << 20);
  });

  test('with a length that is stated and not kept is broken off', async () => {
    const long = await serve(() => new Response(streamOf('abc', 'def'), { headers: { 'content-length': '4' } }));
    expect(await ask(long.address)).toMatchObject({ text: 'abcd', ended: 'reset' });
    expect(long.errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' })]);
    let controller: ReadableStreamDefaultController | undefined;
    const body = new ReadableStream({
      start(own) {
        controller = own;
        own.enqueue(encoder.encode('abc'));
      },
    });
    const short = await serve(() => new Response(body, { headers: { 'content-length': '4' } }));
    const client = await open(short.address);
    const reset = new Promise((resolve) => client.socket.on('error', resolve));
    await client.sees('abc');
    controller?.close();
    expect(await within(reset, 'the reset')).toMatchObject({ code: 'ECONNRESET' });
    expect(short.errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' })]);
  });

  test('that fails before its first byte is a 500', async () => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('secret')) });
    const running = await serve(() => new Response(body));
    expect(await ask(running.address)).toMatchObject({ status: 500, text: 'Internal Server Error\n', ended: 'fin' });
    expect(running.errors).toEqual([new Error('secret')]);
  });

  test('that fails behind the head breaks the connection', async () => {
    let controller: ReadableStreamDefaultController | undefined;
    const running = await serve(
      () =>
        new Response(
          new ReadableStream({
            start(own) {
              controller = own;
              own.enqueue(encoder.encode('abc'));
            },
          }),
        ),
    );
    const client = await open(running.address);
    const reset = new Promise((resolve) => client.socket.on('error', resolve));
    await client.sees('abc');
    controller?.error(new Error('secret'));
    expect(await within(reset, 'the reset')).toMatchObject({ code: 'ECONNRESET' });
    expect(running.errors).toEqual([new Error('secret')]);
  });

  test('with a chunk that is nothing of the kind is an error, and cancelled', async () => {
    const cancelled = signal<unknown>();
    const body = new ReadableStream<unknown>({
      start: (controller) => controller.enqueue(42),
      cancel: cancelled.resolve,
    });
    const running = await serve(() => ({ status: 200, headers: new Headers(), body }));
    expect((await ask(running.address)).status).toBe(500);
    await within(cancelled.promise, 'the cancellation');
    expect(running.errors).toEqual([expect.any(TypeError)]);
  });
});

describe('a response of another kind', () => {
  test('is taken by its shape', async () => {
    const response = { status: 201, statusText: 'Made', headers: new Map([['x-a', 'b']]), body: streamOf('hi') };
    expect(await askOnce(() => response)).toMatchObject({ status: 201, reason: 'Made', text: 'hi' });
  });

  test('may have a stream of Node.js for its body', async () => {
    const response = { status: 200, headers: new Map(), body: Readable.from([Buffer.from('a'), Buffer.from('b')]) };
    expect((await askOnce(() => response)).text).toBe('ab');
  });

  test('may have no stream at all', async () => {
    const response = { status: 200, headers: new Map(), arrayBuffer: async () => encoder.encode('hi').buffer };
    expect((await askOnce(() => response)).text).toBe('hi');
  });

  test('of a subclass is a Response', async () => {
    class Custom extends Response {}
    expect((await askOnce(() => new Custom('hi'))).text).toBe('hi');
  });

  test('in a thenable that is no Promise is waited for', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what is tested
    const thenable = { then: (resolve: (value: Response) => void) => resolve(new Response('hi')) };
    expect((await askOnce(() => thenable)).text).toBe('hi');
  });
});

describe('no usable response', () => {
  test.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['null', () => null],
    ['a string', () => 'hello'],
    ['an object', () => ({ hello: 1 })],
    ['Response.error()', () => Response.error()],
    ['a status below 200', () => ({ status: 150, headers: new Headers(), body: null })],
    ['a field that is none', () => ({ status: 200, headers: [['a b', 'c']], body: null })],
    ['a value with a line break', () => ({ status: 200, headers: [['a', 'b\r\nc: d']], body: null })],
    ['a body that is no stream', () => ({ status: 200, headers: new Headers(), body: 42 })],
    ['a body that was read', () => new Response('x').text().then(() => used('x'))],
    ['a locked body', () => locked()],
    [
      'an exception',
      () => {
        throw new Error('secret');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('secret'))],
    [
      'an exception that is no Error',
      () => {
        // oxlint-disable-next-line no-throw-literal -- what is tested
        throw 'secret';
      },
    ],
  ])('is a generic 500, and onError hears of it: %s', async (_what, handler) => {
    const running = await serve(() => handler());
    const answer = await ask(running.address);
    expect(answer).toMatchObject({ status: 500, text: 'Internal Server Error\n', fault: undefined, ended: 'fin' });
    expect(running.errors).toHaveLength(1);
  });

  test('tells onError which request it was', async () => {
    const seen = signal<unknown>();
    const { address } = await serve(() => Promise.reject(new Error('secret')), {
      onError: (error, request) => seen.resolve([error, request.url]),
    });
    await ask(address, { target: '/x' });
    expect(await within(seen.promise, 'onError')).toEqual([new Error('secret'), 'http://server.test/x']);
  });

  test('goes to console.error by default', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const { address } = await serve(() => undefined, { onError: undefined });
    await ask(address, { target: '/x' });
    expect(log.mock.calls).toEqual([['GET http://server.test/x failed:', expect.any(TypeError)]]);
    log.mockRestore();
  });
});

/** A stream that has all its chunks. */
function streamOf(...texts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(encoder.encode(text));
      controller.close();
    },
  });
}

/** A stream that takes a turn of the event loop for each chunk, and for its end. */
function slow(...texts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await nextTurn();
      const text = texts.shift();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
  });
}

async function used(text: string): Promise<Response> {
  const response = new Response(text);
  await response.text();
  return response;
}

function locked(): Response {
  const response = new Response('x');
  response.body?.getReader();
  return response;
}
