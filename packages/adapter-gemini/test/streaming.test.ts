// A backend's body on its way through the front: as it comes, no faster than the client takes it, no longer than it stays.

import { describe, expect, test } from 'vitest';
import { createGeminiApp } from '../src/index.js';
import type { GeminiApp, ScgiBackendOptions } from '../src/index.js';
import { answering, backend, closedPort } from './support/backend.js';
import type { TestBackend } from './support/backend.js';
import { ask, open, readAll, requestLine } from './support/client.js';
import { front } from './support/front.js';
import { makeRequest } from './support/request.js';
import { standstill, until, within } from './support/within.js';

async function serve(
  { target }: TestBackend,
  options: ScgiBackendOptions = {},
  halfCloseTime = 250,
): Promise<{ port: number; app: GeminiApp; errors: unknown[] }> {
  const errors: unknown[] = [];
  const app = createGeminiApp();
  app.scgi('/api', target, { onError: (error) => void errors.push(error), ...options });
  return { port: (await front(app, { halfCloseTime })).port, app, errors };
}

test('passes each piece on before the next one comes', async () => {
  const server = await backend(({ socket }) => void socket.write('20 text/gemini\r\n'));
  const { port } = await serve(server);
  const client = await open(port);
  client.write(requestLine(port, '/api'));
  const { socket } = await server.next();
  let text = '';
  client.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  for (const piece of ['one', 'two', 'three']) {
    const came = new Promise((resolve) => client.once('data', resolve));
    if (piece === 'one') await within('the header', came);
    const next = piece === 'one' ? new Promise((resolve) => client.once('data', resolve)) : came;
    socket.write(piece);
    await within(piece, next);
  }
  expect(text).toBe('20 text/gemini\r\nonetwothree');
  const ended = new Promise((resolve) => client.once('end', resolve));
  socket.end();
  await within('the end', ended);
});

test('gives the same answer however its bytes are cut', async () => {
  const bytes = Buffer.from('20 text/gemini\r\nbody');
  const server = await backend(({ socket }) => {
    const at = server.requests.length;
    socket.setNoDelay().write(bytes.subarray(0, at));
    setTimeout(() => socket.end(bytes.subarray(at)), 5);
  });
  const { port } = await serve(server);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    expect(await ask(port, '/api')).toMatchObject({ header: '20 text/gemini', text: 'body' });
  }
});

test('holds a backend back whose client reads nothing, and delivers all of it', async () => {
  const total = 40 * 1024 * 1024;
  const piece = Buffer.alloc(65_536, 1);
  let written = 0;
  const server = await backend(({ socket }) => {
    socket.write('20 application/octet-stream\r\n');
    const write = (): void => {
      while (written < total) {
        written += piece.length;
        if (!socket.write(piece)) return;
      }
      socket.end();
    };
    socket.on('drain', write);
    write();
  });
  const { port, errors } = await serve(server);
  const client = await open(port);
  client.pause();
  client.write(requestLine(port, '/api'));
  await standstill(() => written);
  expect(written).toBeLessThan(total);
  const answer = readAll(client);
  client.resume();
  expect((await answer).body.length).toBe(total);
  expect(errors).toEqual([]);
});

describe('a client that leaves closes the connection to the backend', () => {
  test('while it is silent', async () => {
    const server = await backend();
    const { port, errors } = await serve(server, {}, 0);
    const client = await open(port);
    client.write(requestLine(port, '/api'));
    const { closed } = await server.next();
    client.destroy();
    await within('the close', closed);
    expect(errors).toEqual([]);
  });

  test('while it waits for a free connection', async () => {
    const server = await backend();
    const { port, errors } = await serve(server, { maxConcurrent: 1 }, 0);
    const first = await open(port);
    first.write(requestLine(port, '/api'));
    const busy = await server.next();
    const second = await open(port);
    second.write(requestLine(port, '/api/second'));
    second.destroy();
    const third = await open(port);
    third.write(requestLine(port, '/api/third'));
    busy.socket.end('51 x\r\n');
    expect((await server.next()).variables.get('PATH_INFO')).toMatch(/second|third/);
    expect(errors).toEqual([]);
  });

  test('while it sends', async () => {
    const server = await backend(({ socket }) => {
      socket.write('20 application/octet-stream\r\n');
      const write = (): void => {
        while (socket.write(Buffer.alloc(65_536)));
      };
      socket.on('drain', write);
      write();
    });
    const { port, errors } = await serve(server);
    const client = await open(port);
    client.write(requestLine(port, '/api'));
    await within('the first bytes', new Promise((resolve) => client.once('data', resolve)));
    const { closed } = await server.next();
    client.destroy();
    await within('the close', closed);
    expect(errors).toEqual([]);
  });
});

test('goes to the next address when one refuses', async () => {
  const server = await answering('20 text/gemini\r\nfrom the second');
  const app = createGeminiApp();
  app.scgi('/api', [await closedPort(), server.target]);
  const response = await app.handle(makeRequest('/api'));
  expect(await response.text()).toBe('from the second');
});

test('a backend that was closed takes no more requests', async () => {
  const server = await answering('20 text/gemini\r\n');
  const errors: unknown[] = [];
  const app = createGeminiApp();
  app.scgi('/api', server.target, { onError: (error) => void errors.push(error) }).close();
  expect(await app.handle(makeRequest('/api'))).toMatchObject({ status: 43, meta: 'SCGI backend error' });
  expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_CLIENT_CLOSED' })]);
  expect(server.requests).toEqual([]);
});

test('a response that middleware drops closes the connection to the backend', async () => {
  const server = await backend(({ socket }) => void socket.write('20 text/gemini\r\nendless'));
  const app = createGeminiApp().use(async (_request, next) => {
    (await next()).discard();
    return 'instead';
  });
  app.scgi('/api', server.target);
  const { port, errors } = await front(app);
  expect((await ask(port, '/api')).text).toBe('instead');
  await within('the close', (await server.next()).closed);
  expect(errors).toEqual([]);
});

test('a thousand requests pass ten connections at a time', async () => {
  let connections = 0;
  let most = 0;
  const server = await backend(({ socket }) => {
    connections += 1;
    most = Math.max(most, connections);
    socket.on('close', () => (connections -= 1));
    setImmediate(() => socket.end('51 x\r\n'));
  });
  const app = createGeminiApp();
  const scgi = app.scgi('/api', server.target, { maxConcurrent: 10, maxQueued: 1000 });
  const answers = await Promise.all(Array.from({ length: 1000 }, () => app.handle(makeRequest('/api'))));
  expect(answers.every(({ status }) => status === 51)).toBe(true);
  expect(most).toBeLessThanOrEqual(10);
  await until('the close', () => scgi.connections === 0);
});
