// What `inject` offers beyond an exchange that goes well; that its answers are those of a socket shows inject-parity.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createScgiServer, getScgiEnv } from '@scgi/core';
import type { ScgiBridge } from '@scgi/core/server';
import { serveScgi as serveFetch } from '@scgi/adapter-fetch';
import { expect, onTestFinished, test } from 'vitest';
import { inject, injectStream } from '../src/index.js';

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** The reason why an application found its request broken off. */
function brokenOff(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve) => request.once('error', resolve));
}

test('an answer has everything that a test asks for', async () => {
  const response = await inject((_request, answer) => {
    answer.writeHead(201, 'Made', ['Content-Type', 'application/json', 'X-A', '1', 'X-A', '2', 'Set-Cookie', 'c']);
    answer.end('{"ü":1}');
  });
  expect(response).toMatchObject({ status: 201, reason: 'Made', text: '{"ü":1}', broken: false, errors: [] });
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'x-a': '1, 2', 'set-cookie': ['c'] });
  expect(response.fields.slice(0, 2)).toEqual(['Content-Type', 'application/json']);
  expect(response.json()).toEqual({ ü: 1 });
});

test('asks as a front end does', async () => {
  const app = (request: IncomingMessage, response: ServerResponse): void => {
    response.end(JSON.stringify(getScgiEnv(request)));
  };
  const request = { method: 'PUT', url: '/a?b', headers: { 'X-A': ['1', '2'] }, body: 'ü', https: true };
  expect((await inject(app, { ...request, variables: { REMOTE_USER: 'ann' } })).json()).toMatchObject({
    CONTENT_LENGTH: '2',
    REQUEST_METHOD: 'PUT',
    REQUEST_URI: '/a?b',
    QUERY_STRING: 'b',
    HTTPS: 'on',
    HTTP_HOST: 'localhost',
    HTTP_X_A: '1, 2',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_USER: 'ann',
  });
});

test('sends the pieces of a body as they come, and reads one without a length first', async () => {
  const app = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: string[] = [];
    for await (const piece of request) pieces.push(String(piece));
    response.end(JSON.stringify([request.headers['content-length'], getScgiEnv(request)?.['CONTENT_LENGTH'], pieces]));
  };
  const body = ['ab', 'c'].map((piece) => Buffer.from(piece));
  const [, length, pieces]: unknown[] = Object.values(Object((await inject(app, { body })).json()));
  expect([length, pieces]).toEqual(['3', ['ab', 'c']]);
  expect((await inject(app, { body, contentLength: 3 })).text).toContain('["ab","c"]');
});

test('waits with the body until the application takes more', async () => {
  const size = 64;
  let produced = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (; produced < size; produced += 1) yield Buffer.alloc(65_536);
  }
  let readOn = (): void => {};
  const app = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await new Promise<void>((resolve) => (readOn = resolve));
    response.end(String((await text(request)).length));
  };
  const answered = inject(app, { body: body(), contentLength: size * 65_536 });
  await turns(200);
  expect(produced).toBeLessThan(5);
  readOn();
  expect((await answered).text).toBe(String(size * 65_536));
});

test('holds the application back while nobody reads the answer', async () => {
  let written = 0;
  const app = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (; written < 64; written += 1) {
      if (!response.write(Buffer.alloc(65_536))) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  };
  const { status, body } = await injectStream(app);
  await turns(200);
  expect([status, written < 8]).toEqual([200, true]);
  let received = 0;
  for await (const chunk of body) received += Buffer.from(chunk).length;
  expect(received).toBe(64 * 65_536);
});

test('a client that destroys the body has left', async () => {
  let left: Promise<unknown> = Promise.resolve();
  const { body } = await injectStream((request, response) => {
    left = brokenOff(request);
    response.write('first');
  });
  body.destroy();
  expect(await left).toMatchObject({ code: 'ECONNRESET' });
});

test('a signal lets the client leave, before the head and behind it', async () => {
  for (const first of ['', 'first']) {
    const reason = new Error('enough');
    const controller = new AbortController();
    let left: Promise<unknown> = Promise.resolve();
    const answered = inject(
      (request, response) => {
        left = brokenOff(request);
        if (first !== '') response.write(first);
      },
      {},
      { signal: controller.signal },
    );
    answered.catch(() => {});
    await turns();
    controller.abort(reason);
    await expect(answered).rejects.toBe(reason);
    expect(await left).toMatchObject({ code: 'ECONNRESET' });
  }
  await expect(inject(() => {}, {}, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
});

test('an application that does not answer is given up, and hears of it', async () => {
  let left: Promise<unknown> = Promise.resolve();
  const answered = inject((request) => void (left = brokenOff(request)), {}, { timeout: 20 });
  await expect(answered).rejects.toThrow(
    /^the application has not finished within 20 ms: \d+ bytes of the request were taken, 0 of the answer have come$/,
  );
  expect(await left).toMatchObject({ code: 'ECONNRESET' });
});

test('what the application throws is told, and goes to its hook', async () => {
  const heard: unknown[] = [];
  const failure = new Error('thrown');
  const response = await inject(
    () => {
      throw failure;
    },
    {},
    { scgi: { onError: (error) => heard.push(error) } },
  );
  expect(response).toMatchObject({ status: 500, broken: false, errors: [failure] });
  expect(heard).toEqual([failure]);
});

test('an answer that is broken off is told from a whole one', async () => {
  const response = await inject((_request, answer) => {
    answer.write('half', () => answer.destroy());
  });
  expect(response).toMatchObject({ text: 'half', broken: true, fault: { code: 'ERR_SCGI_BACKEND_RESET' } });
  const { body } = await injectStream((_request, answer) => {
    answer.write('half', () => setImmediate(() => answer.destroy()));
  });
  await expect(text(body)).rejects.toMatchObject({ code: 'ERR_SCGI_BACKEND_RESET' });
});

test('no answer at all is an error', async () => {
  await expect(inject((_request, answer) => void answer.destroy())).rejects.toMatchObject({
    code: 'ERR_SCGI_RESPONSE_EMPTY',
  });
});

test('what the body of the request throws is an error, and the application hears of a client that left', async () => {
  const failure = new Error('no more');
  let left: Promise<unknown> = Promise.resolve();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    throw failure;
  }
  const answered = inject((request) => void (left = brokenOff(request)), { body: body(), contentLength: 2 });
  await expect(answered).rejects.toBe(failure);
  expect(await left).toMatchObject({ code: 'ECONNRESET' });
});

test('asks a server that does not listen', async () => {
  const server = createScgiServer((_request, response) => response.end('here'));
  expect((await inject(server)).text).toBe('here');
  expect(server.connectionCount).toBe(0);
});

test('asks a server of an adapter', async () => {
  const running = await serveFetch((request) => new Response(`fetched ${request.url}`), { bind: 0 });
  onTestFinished(() => running.close());
  expect((await inject(running, { url: '/x' })).text).toBe('fetched http://localhost/x');
});

test('asks a bridge', async () => {
  const bridge: ScgiBridge = {
    createHandler: ({ connection, url }) => ({
      responseStarted: true,
      responseEnded: true,
      bufferedBytes: 0,
      start: () => void connection.socket.write(`Status: 200 OK\r\n\r\n${url}`),
      onBody: () => true,
      discardBody: () => true,
      onEnd: () => connection.finish(true),
      onDrain: () => {},
      onClose: () => {},
    }),
  };
  const response = await inject(bridge);
  expect(response).toMatchObject({ status: 200, text: '/' });
});

test('a request that cannot be sent is refused', async () => {
  await expect(inject(() => {}, { variables: { A: 'nul\0' } })).rejects.toMatchObject({ code: 'ERR_SCGI_VARIABLE' });
  await expect(inject(() => {}, { url: 'no path' })).rejects.toMatchObject({ code: 'ERR_SCGI_REQUEST_TARGET' });
});
