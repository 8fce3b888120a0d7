// What must hold of backends/wsgi_app.py whichever server runs it and whichever way leads there. What differs from
// server to server is in their own tests.

import { createHash, randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { within } from '../../support/deadline.js';
import type { Way } from './ways.js';

const size = 64 * 1_048_576;

/** Defines the tests; `way` is asked when they run. */
export function testWsgiApplication(way: () => Way): void {
  const ask = (path: string, init?: RequestInit): Promise<Response> => way().ask(path, init);
  const show = async (path: string, init?: RequestInit): Promise<Shown> => readShown(await ask(path, init));

  test('the application sees method, path, query and fields', async () => {
    const { variables, body } = await show('/any/a%20b%2Fc?x=1&y=%20', { headers: { 'X-Some-Field': 'value' } });
    expect(variables).toMatchObject({
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: way().mount,
      PATH_INFO: '/any/a b/c',
      QUERY_STRING: 'x=1&y=%20',
      REQUEST_URI: `${way().mount}/any/a%20b%2Fc?x=1&y=%20`,
      HTTP_X_SOME_FIELD: 'value',
      CONTENT_LENGTH: '0',
      SCGI: '1',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REMOTE_ADDR: '127.0.0.1',
    });
    expect(body).toBe('');
  });

  test('the application reads the body of a POST', async () => {
    const { variables, body } = await show('/', {
      method: 'POST',
      body: 'grün',
      headers: { 'Content-Type': 'text/x' },
    });
    expect(variables).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_TYPE: 'text/x', CONTENT_LENGTH: '5' });
    expect(Buffer.from(body, 'latin1').toString()).toBe('grün');
  });

  test('a HEAD has the fields of a GET and no body', async () => {
    const response = await ask('/download?bytes=5000000', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '5000000']);
    expect(await response.text()).toBe('');
  });

  test('status, phrase and repeated fields arrive', async () => {
    const response = await ask('/cookies');
    expect([response.status, response.statusText]).toEqual([201, 'Made Up']);
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; HttpOnly']);
    expect(await response.text()).toBe('made');
  });

  test('a redirect arrives as one', async () => {
    const response = await ask('/redirect', { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([303, 'https://example.test/else?where']);
  });

  test('a 204 arrives without a body', async () => {
    const response = await ask('/no-content');
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test('64 MiB of known length go up', async () => {
    const body = randomBytes(size);
    const response = await ask('/digest', { method: 'PUT', body });
    expect(await response.text()).toBe(`${size} ${sha256(body)}`);
  });

  test('64 MiB of unknown length go up', async () => {
    const block = randomBytes(1_048_576);
    const hash = createHash('sha256');
    let left = size / block.length;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- === 0) {
          controller.close();
          return;
        }
        hash.update(block);
        controller.enqueue(Uint8Array.from(block));
      },
    });
    const response = await ask('/digest', { method: 'PUT', body, duplex: 'half' });
    expect(await response.text()).toBe(`${size} ${hash.digest('hex')}`);
  });

  test('64 MiB come down', async () => {
    const response = await ask(`/download?bytes=${size}`);
    expect(response.headers.get('content-length')).toBe(`${size}`);
    const hash = createHash('sha256');
    for await (const chunk of response.body ?? []) hash.update(chunk);
    expect(hash.digest('hex')).toBe(sha256(downloadOf(size)));
  });

  test('each piece of a body is answered before the next one is sent', async () => {
    const body = new PassThrough();
    const pieces = ['first', 'other', 'third', 'final'];
    body.write(pieces[0]);
    const answer = await within(way().stream('/upper', 20, body), 5_000, 'the beginning of the answer');
    const chunks = answer[Symbol.asyncIterator]();
    for (const [index, piece] of pieces.entries()) {
      const chunk = await within(chunks.next(), 5_000, `the answer to ${piece}`);
      expect(`${chunk.value}`).toBe(piece.toUpperCase());
      if (index < 3) body.write(pieces[index + 1]);
    }
    body.end();
    expect((await within(chunks.next(), 5_000, 'the end of the answer')).done).toBe(true);
  });

  test('an answer with Content-Length is whole though the application has not read the body', async () => {
    for (const bytes of [1, 100_000, 5_000_000]) {
      const response = await ask('/ignore', { method: 'POST', body: Buffer.alloc(bytes) });
      expect([response.status, await response.text()]).toEqual([200, 'not interested']);
    }
  });

  test('an application that fails inside the body is no whole answer', async () => {
    const response = await ask('/crash-late');
    expect(response.status).toBe(200);
    await expect(within(response.text(), 5_000, 'the end of the body')).rejects.toThrow();
  });

  test('100 requests at once get their own answers', async () => {
    const numbers = Array.from({ length: 100 }, (_, index) => `${index}`);
    const answers = await Promise.all(numbers.map((number) => show('/', { method: 'POST', body: number })));
    expect(answers.map(({ body }) => body)).toEqual(numbers);
  });

  test('a download that is left after its beginning does no harm', async () => {
    for (let round = 0; round < 10; round += 1) {
      const aborted = new AbortController();
      const response = await ask(`/download?bytes=${size}`, { signal: aborted.signal });
      await response.body?.getReader().read();
      aborted.abort();
    }
    expect((await show('/')).variables).toMatchObject({ REQUEST_METHOD: 'GET' });
  });
}

interface Shown {
  readonly variables: unknown;
  /** latin1. */
  readonly body: string;
}

async function readShown(response: Response): Promise<Shown> {
  expect(response.status).toBe(200);
  const { variables, body }: Partial<Shown> = JSON.parse(await response.text());
  return { variables, body: body ?? '' };
}

/** As the application makes it: 0, 1, 2 … 250, 0 … */
function downloadOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, Buffer.from(Array.from({ length: 251 }, (_, value) => value)));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
