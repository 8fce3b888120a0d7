// Every way a backend can fail: what the client sees, and which code the operator is told.

import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createHttpFront } from '../src/index.js';
import { answering, startBackend, temporaryFolder } from './support/backend.js';
import { startDeafListener } from './support/deaf-listener.js';
import { fetchFrom, RawClient, sendRaw, startFront } from './support/front.js';

describe('before the head of an answer', () => {
  test.each([
    ['closes without an answer', '', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['closes inside the head', 'Status: 200 OK\r\nX: y', 'ERR_SCGI_RESPONSE_HEAD'],
    ['sends a line without a colon', 'Status: 200 OK\r\nnonsense\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['sends an impossible status', 'Status: 20 OK\r\n\r\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['sends two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n\r\n', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
    ['sends chunks', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'ERR_SCGI_RESPONSE_FRAMING'],
    ['sends too large a head', `X: ${'y'.repeat(3000)}\r\n\r\n`, 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
    ['changes the protocol unasked', 'Status: 101 Switching\r\nUpgrade: x\r\n\r\nhi', 'ERR_SCGI_RESPONSE_STATUS'],
  ])('a backend that %s makes a 502', async (_, bytes, code) => {
    const { target } = await answering(bytes);
    const front = await startFront(target, { maxHeadBytes: 2000 });
    expect(await fetchFrom(front)).toMatchObject({ status: 502, reason: 'Bad Gateway', body: '502 Bad Gateway\n' });
    expect(front.errors).toMatchObject([{ code }]);
  });

  test('a backend that refuses makes a 502', async () => {
    const { target, server } = await startBackend(undefined, { tcp: true });
    await new Promise((resolve) => server.close(resolve));
    const front = await startFront(target);
    expect(await fetchFrom(front)).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
    expect(front.errors).toMatchObject([
      { code: 'ERR_SCGI_BACKEND_UNREACHABLE', details: { backend: target, reason: 'ECONNREFUSED' } },
    ]);
  });

  test('a socket file that is missing makes a 502 that does not name it', async () => {
    const target = `unix:${join(temporaryFolder(), 'missing.sock')}`;
    const front = await startFront(target);
    const answer = await fetchFrom(front);
    expect(answer).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
    expect(JSON.stringify(answer)).not.toContain('missing');
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_UNREACHABLE', details: { reason: 'ENOENT' } }]);
  });

  test.each([{ tcp: true }, { tcp: false }])('a backend that resets makes a 502: %o', async ({ tcp }) => {
    const { target } = await startBackend(
      async ({ socket }) => {
        await once(socket, 'readable');
        // A Unix socket is reset by closing it with unread input.
        if (tcp) socket.resetAndDestroy();
        else socket.destroy();
      },
      { tcp },
    );
    const front = await startFront(target);
    expect((await fetchFrom(front, '/', { method: 'POST', body: Buffer.alloc(300_000) })).status).toBe(502);
    expect(front.errors[0]?.code).toMatch(/^ERR_SCGI_(BACKEND_RESET|RESPONSE_EMPTY)$/);
  });

  test('a backend that does not accept within connectTimeout makes a 504', async () => {
    const front = await startFront(await startDeafListener(), { connectTimeout: 100 });
    expect(await fetchFrom(front)).toMatchObject({ status: 504, body: '504 Gateway Timeout\n' });
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'connect' } }]);
  });

  test('a backend that says nothing within firstByteTimeout makes a 504, and is left', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target, { firstByteTimeout: 50 });
    expect((await fetchFrom(front)).status).toBe(504);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'first byte' } }]);
    await backend.connections[0]?.closed();
  });

  test('firstByteTimeout begins anew when the body is sent', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target, { firstByteTimeout: 50 });
    expect((await fetchFrom(front, '/', { method: 'POST', body: 'x' })).status).toBe(504);
    expect(backend.connections[0]?.bodyBytes).toBe(1);
  });

  test('a backend that stops reading the body for idleTimeout makes a 504', async () => {
    const backend = await startBackend(undefined, { readBody: false });
    const front = await startFront(backend.target, { idleTimeout: 50, lingerTimeout: 50 });
    const client = new RawClient(front);
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 << 20}\r\n\r\n`);
    client.send(Buffer.alloc(16 << 20));
    await client.sees('HTTP/1.1 504 Gateway Timeout\r\n');
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT' }]);
  });

  test('a client that stops sending the body for idleTimeout is told 408', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target, { idleTimeout: 50, lingerTimeout: 50 });
    const client = new RawClient(front);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
    await client.sees('HTTP/1.1 408 Request Timeout\r\n');
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_IDLE_TIMEOUT' }]);
  });

  test('a target that cannot be mapped makes a 400, and the backend hears nothing of it', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target);
    expect((await fetchFrom(front, '/a%00b')).status).toBe(400);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_REQUEST_TARGET' }]);
    expect(backend.connections).toHaveLength(0);
  });
});

describe('after the head of an answer', () => {
  test('a body shorter than its Content-Length breaks the connection off', async () => {
    const { target } = await answering('Status: 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    const front = await startFront(target);
    const { text } = await sendRaw(front, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(text).toMatch(/hello$/);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_TRUNCATED' }]);
    await expect(fetchFrom(front)).rejects.toThrow('aborted');
  });

  test('a reset inside a body of unknown length leaves the chunks without an end', async () => {
    const backend = await startBackend(undefined, { tcp: true });
    const front = await startFront(backend.target);
    const client = new RawClient(front);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const { socket } = await backend.connection();
    socket.write('Status: 200 OK\r\n\r\nhello');
    await client.sees('5\r\nhello\r\n');
    socket.resetAndDestroy();
    await client.closed();
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n/);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET', details: { reason: 'ECONNRESET' } }]);
  });

  test('a reset inside a body that ends with the connection is a reset for the client', async () => {
    const backend = await startBackend(undefined, { tcp: true });
    const client = new RawClient(await startFront(backend.target));
    client.send('GET / HTTP/1.0\r\n\r\n');
    const { socket } = await backend.connection();
    socket.write('Status: 200 OK\r\n\r\nhello');
    await client.sees('hello');
    socket.resetAndDestroy();
    expect(await client.closed()).toBe('reset');
  });

  test('a reset right behind the only bytes of the answer is not taken for its end', async () => {
    const backend = await startBackend(
      ({ socket }) =>
        socket.once('data', () => socket.write('Status: 200 OK\r\n\r\nhello', () => socket.resetAndDestroy())),
      { tcp: true },
    );
    const front = await startFront(backend.target);
    const { text } = await sendRaw(front, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(text).not.toMatch(/\r\n0\r\n\r\n/);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET' }]);
  });

  test('a backend that is silent for idleTimeout breaks the connection off', async () => {
    const backend = await startBackend(({ socket }) => socket.write('Status: 200 OK\r\n\r\nhello'));
    const front = await startFront(backend.target, { idleTimeout: 50 });
    const { text } = await sendRaw(front, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(text).toMatch(/5\r\nhello\r\n$/);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'response' } }]);
  });

  test('a client that takes nothing for idleTimeout is left, and so is the backend', async () => {
    const backend = await startBackend(({ socket }) => {
      socket.write('Status: 200 OK\r\n\r\n');
      socket.write(Buffer.alloc(64 << 20));
    });
    const front = await startFront(backend.target, { idleTimeout: 100 });
    const client = new RawClient(front);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await (await backend.connection()).closed();
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_IDLE_TIMEOUT' }]);
  });

  test('a client that takes nothing once the backend is done is left, too', async () => {
    const backend = await answering('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    const front = await startFront(backend.target, { idleTimeout: 50 });
    // What a full kernel buffer is to the front: nothing that it writes leaves.
    front.server.once('connection', (socket) => Object.assign(socket, { _write: stall, _writev: stall }));
    const client = new RawClient(front);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.closed();
    expect(client.text).toBe('');
  });
});

describe('the hook', () => {
  test('is told the request with the error, after the client is answered', async () => {
    const calls: unknown[] = [];
    const { target } = await answering('');
    const front = await startFront(target, { onError: ({ code }, { method, url }) => calls.push([code, method, url]) });
    await fetchFrom(front, '/here?x', { method: 'PUT', body: 'x' });
    expect(calls).toEqual([['ERR_SCGI_RESPONSE_EMPTY', 'PUT', '/here?x']]);
  });

  test('is not told of a client that left', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target);
    const client = new RawClient(front);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const connection = await backend.connection();
    client.socket.destroy();
    await connection.closed();
    expect(front.errors).toEqual([]);
  });

  test('by default writes failures of the backend to the error log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const { target } = await answering('');
    const server = createHttpFront({ to: target });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await fetchFrom({ server, port, errors: [] }, '/here');
    expect(log.mock.calls).toEqual([
      ['GET /here failed:', expect.objectContaining({ code: 'ERR_SCGI_RESPONSE_EMPTY' })],
    ]);
  });
});

function stall(): void {}
