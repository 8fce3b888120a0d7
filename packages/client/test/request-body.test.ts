// Bodies of requests, of every kind, and what happens when one goes wrong.

import { once } from 'node:events';
import { openAsBlob, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type ScgiBody, scgi, ScgiClient, type ScgiRequestOptions } from '../src/index.js';
import { answering, type Backend, startBackend, temporaryFolder } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { turns, until, within } from './support/within.js';

const ok = 'Status: 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface Sent {
  readonly type: string | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

/** Sends a body and tells what has arrived of it. */
async function send(body: ScgiBody, options: ScgiRequestOptions = {}): Promise<Sent> {
  const backend = await answering(ok);
  const response = await within('the answer', scgi(backend.target, { body, ...options }));
  expect(await response.text()).toBe('ok');
  const connection = await backend.connection();
  const { variables } = connection;
  return {
    type: variables?.get('CONTENT_TYPE'),
    length: variables?.get('CONTENT_LENGTH'),
    body: await connection.body(),
  };
}

async function* generate(...pieces: readonly (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const piece of pieces) yield piece;
}

test.each<[string, ScgiBody, string | undefined]>([
  ['a string', 'hällo', 'text/plain;charset=UTF-8'],
  ['a Buffer', Buffer.from('hällo'), undefined],
  ['a Uint8Array', new TextEncoder().encode('hällo'), undefined],
  ['an ArrayBuffer', new TextEncoder().encode('hällo').slice().buffer, undefined],
  ['another view', new DataView(new TextEncoder().encode('xhällox').buffer, 1, 6), undefined],
  ['a Blob', new Blob(['häl', 'lo']), undefined],
  ['a Blob with a type', new Blob(['hällo'], { type: 'text/x' }), 'text/x'],
  ['a Readable', Readable.from(['häl', Buffer.from('lo')]), undefined],
  ['a Readable of text', Readable.from([Buffer.from('hällo')]).setEncoding('utf8'), undefined],
  ['an async iterable', generate('häl', Buffer.from('lo')), undefined],
  ['an iterable', [Buffer.from('hä'), Buffer.from('llo')], undefined],
  ['a ReadableStream', new Blob(['hällo']).stream(), undefined],
])('sends %s', async (_, body, type) => {
  const sent = await send(body);
  expect({ ...sent, body: sent.body.toString() }).toEqual({ type, length: '6', body: 'hällo' });
});

test('sends parameters as a form', async () => {
  const sent = await send(new URLSearchParams({ a: 'ä', b: ' ' }));
  expect(sent.type).toBe('application/x-www-form-urlencoded;charset=UTF-8');
  expect(sent.body.toString()).toBe('a=%C3%A4&b=+');
});

test('a Content-Type of the caller comes first', async () => {
  expect((await send('<x/>', { headers: { 'content-type': 'text/xml' } })).type).toBe('text/xml');
});

test('an empty body has length 0', async () => {
  for (const body of ['', new Uint8Array(0), new Blob([]), Readable.from([]), new URLSearchParams()]) {
    expect(await send(body)).toMatchObject({ length: '0', body: Buffer.alloc(0) });
  }
});

test('a FormData is multipart/form-data that fetch reads as the same', async () => {
  const form = new FormData();
  form.append('text', 'a\nb\r\nc\rd');
  form.append('na"me\n', 'ä');
  form.append('file', new File(['x\ny'], 'f"i\r\nle.txt', { type: 'text/x' }));
  form.append('blob', new Blob([new Uint8Array([0, 255])]));
  const sent = await send(form);
  const boundary = sent.type?.split('boundary=')[1] ?? '';
  expect(sent.type).toBe(`multipart/form-data; boundary=${boundary}`);
  expect(sent.length).toBe(String(sent.body.length));
  expect(sent.body.toString('latin1').split(`--${boundary}`)).toEqual([
    '',
    '\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\nb\r\nc\r\nd\r\n',
    '\r\nContent-Disposition: form-data; name="na%22me%0D%0A"\r\n\r\n\u00c3\u00a4\r\n',
    '\r\nContent-Disposition: form-data; name="file"; filename="f%22i%0D%0Ale.txt"\r\nContent-Type: text/x\r\n\r\nx\ny\r\n',
    '\r\nContent-Disposition: form-data; name="blob"; filename="blob"\r\nContent-Type: application/octet-stream\r\n\r\n\u0000\u00ff\r\n',
    '--\r\n',
  ]);
  const parsed = await new Response(sent.body, { headers: { 'Content-Type': sent.type ?? '' } }).formData();
  expect([...parsed.keys()]).toEqual(['text', 'na"me\r\n', 'file', 'blob']);
});

test('a file in a form is streamed from the disk, and its length known', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, Buffer.alloc(3_000_000, 'x'));
  const form = new FormData();
  form.append('file', await openAsBlob(path), 'file');
  const sent = await send(form);
  expect(sent.body.length).toBeGreaterThan(3_000_000);
  expect(sent.length).toBe(String(sent.body.length));
});

test('a file that changes under way is an error', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, Buffer.alloc(3_000_000, 'x'));
  const body = await openAsBlob(path);
  writeFileSync(path, 'short');
  const { target } = await startBackend();
  expect(await rejection(scgi(target, { body }))).toMatchObject({ code: 'ERR_SCGI_BODY_SOURCE' });
});

test.each<[string, ScgiRequestOptions]>([
  ['contentLength', { contentLength: 6 }],
  ['Content-Length', { headers: { 'Content-Length': '6' } }],
])('a stream whose length is told by %s is not kept', async (_, options) => {
  const backend = await startBackend();
  const body = new PassThrough();
  const response = scgi(backend.target, { body, method: 'POST', ...options });
  response.catch(() => {});
  body.write('abc');
  const connection = await backend.connection();
  await until('the first half is there', () => connection.bodyBytes === 3);
  expect(connection.variables?.get('CONTENT_LENGTH')).toBe('6');
  body.end('def');
  await connection.answer(ok);
  expect(await (await response).text()).toBe('ok');
});

test.each([
  ['too short', 5, ['ab', 'c']],
  ['too long by a piece', 3, ['abc', 'd']],
  ['too long in a piece', 3, ['ab', 'cd']],
])('a stream that is %s fails, and the connection is broken off', async (_, contentLength, pieces) => {
  const backend = await startBackend();
  const client = new ScgiClient(backend.target);
  const body = Readable.from(pieces);
  const error = await rejection(client.request({ body, contentLength }));
  expect(error).toMatchObject({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH', details: { contentLength } });
  await (await backend.connection()).closed();
  await until('the slot is free', () => client.backend.connections === 0);
  expect(body.destroyed).toBe(true);
});

test('a length that is not that of the bytes is refused before anything is sent', async () => {
  const backend = await answering(ok);
  for (const body of ['abc', new Blob(['abc']), Buffer.from('abc')]) {
    expect(await rejection(scgi(backend.target, { body, contentLength: 4 }))).toMatchObject({
      code: 'ERR_SCGI_BODY_LENGTH_MISMATCH',
    });
  }
  const both = { body: 'abc', contentLength: 3, headers: { 'Content-Length': '4' } };
  expect(await rejection(scgi(backend.target, both))).toMatchObject({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' });
  expect(backend.connections).toHaveLength(0);
});

test.each<[string, unknown]>([
  ['a number', 5],
  ['a plain object', {}],
  ['true', true],
])('%s is no body', async (_, body) => {
  const options: object = { body };
  expect(await rejection(scgi(1, options))).toMatchObject({ code: 'ERR_SCGI_OPTION' });
});

test('a piece that is no bytes is an error', async () => {
  const { target } = await startBackend();
  for (const options of [{}, { contentLength: 3 }]) {
    const body = Readable.from([1, 2]);
    const error = await rejection(scgi(target, { body, ...options }));
    expect(error).toMatchObject({
      code: 'ERR_SCGI_BODY_SOURCE',
      details: { fault: 'gave number in the place of bytes' },
    });
    expect(body.destroyed).toBe(true);
  }
});

test.each([undefined, 6])(
  'a source that fails fails the request, with its error as the cause (length %s)',
  async (contentLength) => {
    const backend = await startBackend();
    const client = new ScgiClient(backend.target);
    const cause = new Error('disk on fire');
    const body = new PassThrough();
    body.write('abc');
    const request = client.request({ body, contentLength });
    const failed = rejection(request);
    if (contentLength !== undefined) await backend.connection();
    await turns(5);
    body.destroy(cause);
    expect(await failed).toMatchObject({ code: 'ERR_SCGI_BODY_SOURCE', cause });
    await until('the slot is free', () => client.backend.connections === 0);
  },
);

test.each([undefined, 6])(
  'a source that closes before its end fails the request (length %s)',
  async (contentLength) => {
    const { target } = await startBackend();
    const body = new PassThrough();
    body.write('abc');
    const failed = rejection(scgi(target, { body, contentLength }));
    await turns(20);
    body.destroy();
    expect(await failed).toMatchObject({ code: 'ERR_SCGI_BODY_SOURCE' });
  },
);

test.each([undefined, 0, 3])(
  'a stream that was read before is an error, not an empty body (length %s)',
  async (contentLength) => {
    const { target } = await startBackend();
    const body = Readable.from(['abc']);
    await body
      .resume()
      .toArray()
      .catch(() => {});
    expect(await rejection(scgi(target, { body, contentLength }))).toMatchObject({ code: 'ERR_SCGI_BODY_SOURCE' });
  },
);

test('a locked ReadableStream is refused', async () => {
  const body = new Blob(['x']).stream();
  body.getReader();
  expect(await rejection(scgi(1, { body }))).toMatchObject({ code: 'ERR_SCGI_OPTION' });
});

test('an answer that comes before the body is sent is given, and the source destroyed', async () => {
  const backend = await startBackend(
    async (connection) => {
      await until('the body has begun', () => connection.bodyBytes > 0);
      connection.socket.end('Status: 413 Too Large\r\nContent-Length: 3\r\n\r\nbig');
    },
    { tcp: true },
  );
  const client = new ScgiClient(backend.target);
  const body = new PassThrough();
  body.write('abc');
  const response = await client.request({ body, contentLength: 1_000_000 });
  expect(response.status).toBe(413);
  expect(await response.text()).toBe('big');
  await until('the source is destroyed', () => body.destroyed);
  await until('the slot is free', () => client.backend.connections === 0);
});

test('a backend that stops reading and answers later is heard', async () => {
  const backend = await startBackend(
    async (connection) => {
      await until('the head is there', () => connection.variables !== undefined);
      // Reads no further, and answers; closing with unread bytes is a reset for whoever writes.
      connection.socket.end('Status: 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    },
    { readBody: false },
  );
  const body = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(65_536);
    })(),
  );
  const response = await within('the answer', scgi(backend.target, { body, contentLength: 1e12 }));
  expect([response.status, await response.text()]).toEqual([403, 'no']);
  await until('the source is destroyed', () => body.destroyed);
});

test('the body waits while the backend does not read', async () => {
  const backend = await startBackend(() => {}, { readBody: false });
  let given = 0;
  const body = Readable.from(
    (function* () {
      for (; given < 1000; given += 1) yield Buffer.alloc(65_536);
    })(),
  );
  const response = scgi(backend.target, { body, contentLength: 65_536_000 });
  response.catch(() => {});
  const connection = await backend.connection();
  await until('the head is there', () => connection.variables !== undefined);
  await turns(200);
  expect(given).toBeLessThan(200);
  connection.socket.resume();
  await connection.answer(ok);
  expect((await response).status).toBe(200);
  expect(connection.bodyBytes).toBe(65_536_000);
});

test('a body of unknown length goes to a file beyond maxHeldBody, and nothing stays', async () => {
  const folder = temporaryFolder();
  const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(50_000, index));
  const sent = await send(generate(...pieces), { maxHeldBody: 100_000, spoolFolder: folder });
  expect(sent.body.equals(Buffer.concat(pieces))).toBe(true);
  await until('the file is closed', () => openFiles(folder) === 0);
});

test('a body of unknown length beyond maxSpooledBody is refused', async () => {
  const folder = temporaryFolder();
  const body = Readable.from([Buffer.alloc(1000), Buffer.alloc(1000)]);
  const limits = { maxHeldBody: 500, maxSpooledBody: 1500, spoolFolder: folder };
  const error = await rejection(scgi(1, { body, ...limits }));
  expect(error).toMatchObject({ code: 'ERR_SCGI_LENGTH_REQUIRED' });
  expect(body.destroyed).toBe(true);
  await until('the file is closed', () => openFiles(folder) === 0);
});

test('a request that fails after its body was kept frees the file', async () => {
  const folder = temporaryFolder();
  const error = await rejection(scgi('unix:/nowhere', { body: generate('x'), maxHeldBody: 0, spoolFolder: folder }));
  expect(error).toMatchObject({ code: 'ERR_SCGI_BACKEND_UNREACHABLE' });
  await until('the file is closed', () => openFiles(folder) === 0);
});

test('a source that stands still is given up', async () => {
  const backend: Backend = await startBackend();
  for (const contentLength of [undefined, 10]) {
    const body = new PassThrough();
    body.write('x');
    const error = await rejection(scgi(backend.target, { body, contentLength, idleTimeout: 50 }));
    expect(error).toMatchObject({ code: 'ERR_SCGI_IDLE_TIMEOUT' });
    expect(body.destroyed).toBe(true);
  }
});

test('the total time counts the keeping of a body', async () => {
  const body = new PassThrough();
  const timer = setInterval(() => body.write('x'), 5);
  const error = await rejection(scgi(1, { body, totalTimeout: 60 }));
  clearInterval(timer);
  expect(error).toMatchObject({ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'request body' } });
  expect(body.destroyed).toBe(true);
});

test('a body is sent with its head when it is there already', async () => {
  const { target, server } = await startBackend(() => {});
  server.removeAllListeners('connection');
  const first = once(server, 'connection').then(async ([socket]) => {
    const [chunk]: unknown[] = await once(socket, 'data');
    socket.destroy();
    return String(chunk);
  });
  scgi(target, { body: 'hello' }).catch(() => {});
  expect(await within('the first read', first)).toMatch(/,hello$/);
});

function openFiles(folder: string): number {
  const isOpen = (descriptor: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc/self/fd').filter(isOpen).length;
}
