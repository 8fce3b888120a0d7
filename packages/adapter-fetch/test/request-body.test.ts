// The body of a request: whole in every form, or a stream that is pulled; what the client must wait for, and what it
// costs nobody to leave unread.

import { describe, expect, test } from 'vitest';
import { ask, askOnce, observe, open, serve, signal, within } from './support/stage.js';

const json = '{"a":"\u00e9"}';
const post = (body: string | Uint8Array, type = 'text/plain'): object => ({
  method: 'POST',
  body,
  variables: { CONTENT_TYPE: type },
});

async function chunksOf(body: Request['body']): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return chunks;
}

describe('a whole body', () => {
  test.each<[string, (request: Request) => unknown, unknown]>([
    ['text()', (request) => request.text(), json],
    ['json()', (request) => request.json(), { a: '\u00e9' }],
    ['arrayBuffer()', async (request) => Buffer.from(await request.arrayBuffer()).toString(), json],
    ['blob()', async (request) => (await request.blob()).text(), json],
    ['the stream', async ({ body }) => new Response(body).text(), json],
    ['a loop', async ({ body }) => Buffer.concat(await chunksOf(body)).toString(), json],
  ])('comes from %s', async (_name, look, expected) => {
    expect(await observe(look, post(Buffer.from(json)))).toEqual(expected);
  });

  test('comes from bytes()', async () => {
    const answer = await askOnce(async (request) => {
      const bytes: unknown = await Reflect.apply(Reflect.get(request, 'bytes'), request, []);
      return new Response(bytes instanceof Uint8Array ? Buffer.from(bytes) : 'no bytes');
    }, post('abc'));
    expect(answer.text).toBe('abc');
  });

  test('comes from formData()', async () => {
    const look = async (request: Request): Promise<unknown> => Object.fromEntries(await request.formData());
    expect(await observe(look, post('a=1&b=%20', 'application/x-www-form-urlencoded'))).toEqual({ a: '1', b: ' ' });
  });

  test('comes from formData() with a file', async () => {
    const body = '--X\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhi\r\n--X--\r\n';
    const look = async (request: Request): Promise<unknown> => {
      const file = (await request.formData()).get('f');
      return file instanceof File ? [file.name, await file.text()] : file;
    };
    expect(await observe(look, post(body, 'multipart/form-data; boundary=X'))).toEqual(['a.txt', 'hi']);
  });

  test('has the type of the request as a Blob', async () => {
    expect(await observe(async (request) => (await request.blob()).type, post('x', 'text/css'))).toBe('text/css');
  });

  test('has no byte order mark as text', async () => {
    expect(await observe((request) => request.text(), post(Buffer.from('\u{feff}a')))).toBe('a');
  });

  test('comes in pieces and in one', async () => {
    const { address } = await serve(async (request) => new Response(await request.text()));
    const client = await open(address, { method: 'POST' }, 6, 'ab');
    client.socket.write('cd');
    client.socket.write('ef');
    await client.sees('abcdef');
  });

  test('of a megabyte is whole', async () => {
    const body = Buffer.alloc(1 << 20, 'abcdefg');
    const answer = await askOnce(async (request) => new Response(await request.arrayBuffer()), post(body));
    expect(answer.body.equals(body)).toBe(true);
  });

  test('that is no JSON rejects with a SyntaxError', async () => {
    const look = (request: Request): unknown => request.json().catch((error: unknown) => error instanceof SyntaxError);
    expect(await observe(look, post('{'))).toBe(true);
  });

  test('has memory of its own as an ArrayBuffer', async () => {
    const look = async (request: Request): Promise<unknown> => (await request.arrayBuffer()).byteLength;
    expect(await observe(look, post('abc'))).toBe(3);
  });
});

describe('a body that is not there', () => {
  test.each(['GET', 'HEAD', 'POST'])('is null for %s', async (method) => {
    const seen: unknown[] = [];
    const { address } = await serve((request) => (seen.push(request.body, request.bodyUsed), new Response()));
    await ask(address, { method });
    expect(seen).toEqual([null, false]);
  });

  test('is the empty text, and is never used', async () => {
    const look = async (request: Request): Promise<unknown> => [await request.text(), request.bodyUsed];
    expect(await observe(look)).toEqual(['', false]);
  });

  test('is no JSON', async () => {
    const look = (request: Request): unknown => request.json().catch((error: unknown) => error instanceof SyntaxError);
    expect(await observe(look, { method: 'POST' })).toBe(true);
  });

  test('is not given for a GET that has one, and the connection ends well', async () => {
    const answer = await askOnce(async (request) => Response.json([request.body, await request.text()]), { body: 'x' });
    expect([answer.text, answer.ended]).toEqual(['[null,""]', 'fin']);
  });
});

describe('a used body', () => {
  test.each(['text', 'json', 'arrayBuffer', 'blob', 'formData'] as const)('makes %s() reject', async (name) => {
    const look = async (request: Request): Promise<unknown> => {
      await request.text();
      return request[name]().then(
        () => 'read',
        (error: unknown) => error instanceof TypeError,
      );
    };
    expect(await observe(look, post('x'))).toBe(true);
  });

  test('shows in bodyUsed, whichever way it was read', async () => {
    const look = async (request: Request): Promise<unknown> => {
      const before = request.bodyUsed;
      const reader = request.body?.getReader();
      const locked = request.bodyUsed;
      await reader?.read();
      return [before, locked, request.bodyUsed];
    };
    expect(await observe(look, post('x'))).toEqual([false, false, true]);
  });

  test('is not usable as a stream', async () => {
    const look = async (request: Request): Promise<unknown> => {
      await request.text();
      return [request.bodyUsed, request.body === null];
    };
    expect(await observe(look, post('x'))).toEqual([true, false]);
  });
});

describe('a stream', () => {
  test('is not read ahead of the application beyond a bound', async () => {
    const size = 32 << 20;
    const reader = signal<ReadableStreamDefaultReader<Uint8Array> | undefined>();
    const { address } = await serve(async (request) => {
      reader.resolve(request.body?.getReader());
      return new Promise<Response>(() => {});
    });
    const client = await open(address, { method: 'POST' }, size);
    let sent = 0;
    const chunk = Buffer.alloc(1 << 20);
    const blocked = signal();
    const push = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!client.socket.write(chunk)) break;
      }
      if (sent < size) client.socket.once('drain', push);
    };
    push();
    const body = await reader.promise;
    // Kernel buffers take some megabytes; when nothing has moved for a while, the server takes no more.
    let last = -1;
    const watch = setInterval(() => {
      if (client.socket.bytesWritten - client.socket.writableLength === last) blocked.resolve();
      last = client.socket.bytesWritten - client.socket.writableLength;
    }, 100);
    await within(blocked.promise, 'the client blocked', 5000);
    clearInterval(watch);
    expect(last).toBeLessThan(size / 2);
    let read = 0;
    while (body !== undefined) {
      const { value, done } = await within(body.read(), 'a chunk');
      if (done) break;
      read += value.length;
    }
    expect(read).toBe(size);
  });

  test('answers each read as soon as bytes are there', async () => {
    const { address } = await serve((request) => new Response(request.body));
    const client = await open(address, { method: 'POST' }, 4, 'ab');
    await client.sees('ab');
    client.socket.write('cd');
    await client.sees('abcd');
    await client.closed();
  });

  test('that is cancelled lets the rest go by', async () => {
    const { address } = await serve(async (request) => {
      await request.body?.cancel();
      return new Response('done');
    });
    const answer = await ask(address, { method: 'POST', body: Buffer.alloc(4 << 20) });
    expect([answer.text, answer.ended]).toEqual(['done', 'fin']);
  });

  test('can be given to a transform and back', async () => {
    const answer = await askOnce(
      ({ body }) =>
        new Response(body?.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))),
      post(Buffer.alloc(300_000, 'x')),
    );
    expect(answer.body.length).toBe(300_000);
  });

  test('has chunks whose memory may be given away', async () => {
    const body = Buffer.alloc(4 << 20, 'abcdefg');
    const answer = await askOnce(async (request) => {
      const given: Uint8Array[] = [];
      for await (const chunk of request.body ?? []) {
        const { byteOffset, length } = chunk;
        given.push(new Uint8Array(structuredClone(chunk.buffer, { transfer: [chunk.buffer] }), byteOffset, length));
      }
      return new Response(Buffer.concat(given));
    }, post(body));
    expect(answer.body.equals(body)).toBe(true);
  });

  test('goes on after the response has ended', async () => {
    const read = signal<string>();
    const { address } = await serve((request) => {
      request.text().then(read.resolve, read.reject);
      return new Response('early');
    });
    const client = await open(address, { method: 'POST' }, 4, 'ab');
    await client.sees('early');
    client.socket.write('cd');
    expect(await within(read.promise, 'the rest of the body')).toBe('abcd');
  });
});

describe('an unread body', () => {
  test('is discarded after the response', async () => {
    const { address } = await serve(() => new Response('no thanks', { status: 413 }));
    const answer = await ask(address, { method: 'POST', body: Buffer.alloc(8 << 20) });
    expect([answer.status, answer.text, answer.ended]).toEqual([413, 'no thanks', 'fin']);
  });

  test('is gone for who asks after the response', async () => {
    const request = signal<Request>();
    const { address } = await serve((seen) => (request.resolve(seen), new Response('early')));
    const client = await open(address, { method: 'POST' }, 4, 'ab');
    await client.sees('early');
    await expect((await request.promise).text()).rejects.toThrow(TypeError);
  });

  test('does not keep the answer from coming before the request has ended', async () => {
    const { address } = await serve(() => new Response('early'));
    const client = await open(address, { method: 'POST' }, 1000, 'ab');
    await client.sees('early');
    client.socket.write(Buffer.alloc(998));
    await within(client.closed(), 'the end');
  });
});

describe('when the client leaves inside of the body', () => {
  test.each<[string, (request: Request) => Promise<unknown>]>([
    ['text()', (request) => request.text()],
    ['json()', (request) => request.json()],
    ['blob()', (request) => request.blob()],
    ['a reader', (request) => chunksOf(request.body)],
    ['a clone', (request) => request.clone().text()],
  ])('%s rejects within a second', async (_name, read) => {
    const outcome = signal<unknown>();
    const reading = signal();
    const { address } = await serve(async (request) => {
      const promise = read(request);
      reading.resolve();
      await promise.then(() => outcome.resolve('read'), outcome.resolve);
      return new Response();
    });
    const client = await open(address, { method: 'POST' }, 10, 'abc');
    await within(reading.promise, 'the handler');
    await client.leave();
    const error = await within(outcome.promise, 'the rejection');
    expect(error).toMatchObject({ name: 'AbortError', code: 'ERR_SCGI_CLIENT_GONE' });
  });

  test('who reads only then hears of it too', async () => {
    const request = signal<Request>();
    const { address } = await serve((seen) => (request.resolve(seen), new Promise<Response>(() => {})));
    const client = await open(address, { method: 'POST' }, 10, 'abc');
    const seen = await within(request.promise, 'the handler');
    const left = new Promise((resolve) => seen.signal.addEventListener('abort', resolve));
    await client.leave();
    await within(left, 'the abort');
    await expect(seen.text()).rejects.toMatchObject({ code: 'ERR_SCGI_CLIENT_GONE' });
  });
});
