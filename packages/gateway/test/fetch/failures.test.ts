// What goes wrong between a backend and a Fetch handler, at every stage.

import { describe, expect, test } from 'vitest';
import { scgiFetchHandler } from '../../src/index.js';
import { answering, startBackend } from '../support/backend.js';
import { before } from './support.js';

describe('an answer that breaks off', () => {
  test('errors the stream with the typed error, which the hook hears too', async () => {
    const { handler, errors } = before(await answering('Status: 200 OK\r\nContent-Length: 100\r\n\r\nshort'));
    const response = await handler(new Request('http://localhost/'));
    await expect(response.text()).rejects.toMatchObject({ code: 'ERR_SCGI_RESPONSE_TRUNCATED' });
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_TRUNCATED' }]);
  });

  test('beyond maxResponseSize errors the stream', async () => {
    const backend = await answering(`Status: 200 OK\r\n\r\n${'x'.repeat(100)}`);
    const { handler } = before(backend, { maxResponseSize: 50 });
    const response = await handler(new Request('http://localhost/'));
    // The bytes came with the head, so the head may not have come at all.
    if (response.status === 200) {
      await expect(response.text()).rejects.toMatchObject({ code: 'ERR_SCGI_RESPONSE_TOO_LARGE' });
    } else {
      expect(response.status).toBe(502);
    }
  });
});

describe('a failure before the head is a Response with its status and nothing of its cause', () => {
  test('502 for a backend that is not there', async () => {
    const handler = scgiFetchHandler('unix:/nowhere/app.sock', { onError: () => {} });
    const response = await handler(new Request('http://localhost/'));
    expect([response.status, response.statusText]).toEqual([502, 'Bad Gateway']);
    expect(await response.text()).toBe('502 Bad Gateway\n');
  });

  test('502 for a malformed head, which the hook hears of with the request', async () => {
    const heard: [string, Request][] = [];
    const backend = await answering('nonsense\r\n\r\n');
    const { handler } = before(backend, { onError: ({ code }, request) => void heard.push([code, request]) });
    const request = new Request('http://localhost/');
    expect((await handler(request)).status).toBe(502);
    expect(heard).toEqual([['ERR_SCGI_RESPONSE_HEAD', request]]);
  });

  test('504 for a silent backend', async () => {
    const { handler, errors } = before(await startBackend(), { timeout: 30 });
    expect((await handler(new Request('http://localhost/'))).status).toBe(504);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT' }]);
  });

  test('503 for a busy one', async () => {
    const backend = await startBackend();
    const { handler, errors } = before(backend, { maxConcurrent: 1, maxQueued: 0 });
    const controller = new AbortController();
    const first = handler(new Request('http://localhost/', { signal: controller.signal }));
    expect((await handler(new Request('http://localhost/'))).status).toBe(503);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_BUSY' }]);
    controller.abort();
    await expect(first).rejects.toBe(controller.signal.reason);
  });

  test('503 when the handler is closed', async () => {
    const { handler } = before(await startBackend());
    handler.close();
    expect((await handler(new Request('http://localhost/'))).status).toBe(503);
  });

  test('411 for a body that is too large to keep', async () => {
    const { handler } = before(await startBackend(), { maxHeldBody: 10, maxSpooledBody: 20 });
    const body = new Blob(['x'.repeat(30)]).stream();
    const request = new Request('http://localhost/', { method: 'POST', body, duplex: 'half' });
    expect((await handler(request)).status).toBe(411);
  });

  test('500 for a body that somebody has read', async () => {
    const backend = await startBackend();
    const { handler, errors } = before(backend);
    const request = new Request('http://localhost/', { method: 'POST', body: 'x' });
    await request.text();
    expect((await handler(request)).status).toBe(500);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_USED' }]);
    expect(backend.connections).toHaveLength(0);
  });

  test('502 for a status that no Response can have', async () => {
    const { handler, errors } = before(await answering('Status: 799 x\r\n\r\n'));
    expect((await handler(new Request('http://localhost/'))).status).toBe(502);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_STATUS' }]);
  });

  test('502 for an upgrade that nobody asked for', async () => {
    const { handler, errors } = before(await startBackend(({ socket }) => socket.write('Status: 101 x\r\n\r\n')));
    expect((await handler(new Request('http://localhost/'))).status).toBe(502);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_STATUS' }]);
  });
});

describe('a client that leaves', () => {
  test('before the head ends the call, and is nobody’s failure', async () => {
    const backend = await startBackend();
    const { handler, errors } = before(backend);
    const controller = new AbortController();
    const answer = handler(new Request('http://localhost/', { signal: controller.signal }));
    const connection = await backend.connection();
    const reason = new Error('gone');
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await connection.closed();
    expect(errors).toEqual([]);
  });

  test('inside the body ends the call', async () => {
    const backend = await startBackend(({ socket }) => socket.write('Status: 200 OK\r\n\r\nbegun'));
    const { handler, errors } = before(backend);
    const controller = new AbortController();
    const response = await handler(new Request('http://localhost/', { signal: controller.signal }));
    controller.abort();
    await (await backend.connection()).closed();
    await expect(response.text()).rejects.toBe(controller.signal.reason);
    expect(errors).toEqual([]);
  });

  test('by cancelling the body closes the connection to the backend', async () => {
    const backend = await startBackend(({ socket }) => socket.write('Status: 200 OK\r\n\r\nbegun'));
    const { handler, errors } = before(backend);
    const response = await handler(new Request('http://localhost/'));
    await response.body?.cancel();
    await (await backend.connection()).closed();
    expect(errors).toEqual([]);
  });
});
