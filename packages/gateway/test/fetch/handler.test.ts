// Requests and Responses of the Fetch standard, before backends that a test writes byte by byte.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { ScgiError } from '@scgi/core';
import {
  type FetchGatewayContext,
  type ScgiFetchHandler,
  scgiFetchHandler,
  type ScgiFetchOptions,
} from '../../src/index.js';
import { answering, type Backend, startBackend } from '../support/backend.js';
import { within } from '../support/within.js';

interface Scene {
  readonly handler: ScgiFetchHandler;
  readonly errors: ScgiError[];
}

function before(backend: Backend, options: ScgiFetchOptions = {}, prefix = '/'): Scene {
  const errors: ScgiError[] = [];
  const onError = (error: ScgiError): void => void errors.push(error);
  return { handler: scgiFetchHandler(prefix, backend.target, { onError, ...options }), errors };
}

/** Answers with the variables that are asked for. */
function telling(...names: string[]): Promise<Backend> {
  return startBackend(async (connection) => {
    await connection.body();
    const told = names.map((name) => connection.variables?.get(name) ?? null);
    await connection.answer(`Status: 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(told)}`);
  });
}

async function told(scene: Scene, request: Request, context?: FetchGatewayContext): Promise<unknown> {
  return (await scene.handler(request, context)).json();
}

describe('an answer', () => {
  test('keeps status, reason, fields and body', async () => {
    const bytes = 'Status: 418 Short And Stout\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n\r\ntea';
    const { handler } = before(await answering(bytes));
    const response = await handler(new Request('http://localhost/'));
    expect(response.status).toBe(418);
    expect(response.statusText).toBe('Short And Stout');
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('x-a')).toBe('1, 2');
    expect(await response.text()).toBe('tea');
  });

  test('keeps several Set-Cookie fields apart, and Content-Length', async () => {
    const bytes = 'Status: 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok';
    const { handler } = before(await answering(bytes));
    const response = await handler(new Request('http://localhost/'));
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('content-length')).toBe('2');
    expect(await response.text()).toBe('ok');
  });

  test('loses fields of the hop and orders to the gateway', async () => {
    const bytes =
      'Status: 200 OK\r\nConnection: X-Gone\r\nX-Gone: 1\r\nX-Sendfile: /etc/passwd\r\nKeep-Alive: 1\r\n\r\n';
    const { handler } = before(await answering(bytes));
    expect([...(await handler(new Request('http://localhost/'))).headers]).toEqual([]);
  });

  test.each([204, 205, 304])('%i has no body', async (status) => {
    const { handler } = before(await answering(`Status: ${status} x\r\nETag: "a"\r\n\r\n`));
    const response = await handler(new Request('http://localhost/'));
    expect([response.status, response.body, response.headers.get('etag')]).toEqual([status, null, '"a"']);
  });

  test('to HEAD has no body, and its Content-Length', async () => {
    const backend = await answering('Status: 200 OK\r\nContent-Length: 5\r\n\r\n');
    const { handler } = before(backend);
    const response = await handler(new Request('http://localhost/', { method: 'HEAD' }));
    expect([response.body, response.headers.get('content-length')]).toEqual([null, '5']);
    expect(backend.connections[0]?.variables?.get('REQUEST_METHOD')).toBe('HEAD');
  });

  test('comes piece by piece, at the pace of its reader', async () => {
    const backend = await startBackend();
    const { handler } = before(backend);
    const answer = handler(new Request('http://localhost/events'));
    const { socket } = await backend.connection();
    socket.write('Status: 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    const reader = (await within('the head', answer)).body?.getReader();
    for (let number = 0; number < 3; number += 1) {
      socket.write(`data: ${number}\n\n`);
      const piece = await within('the event', reader?.read() ?? Promise.reject(new Error('no body')));
      expect(Buffer.from(piece.value ?? []).toString()).toBe(`data: ${number}\n\n`);
    }
    socket.end();
    expect(await reader?.read()).toMatchObject({ done: true });
  });

  test('that nobody reads is not read from the backend either', async () => {
    const backend = await startBackend();
    const { handler } = before(backend);
    const answer = handler(new Request('http://localhost/'));
    const { socket } = await backend.connection();
    socket.write('Status: 200 OK\r\n\r\n');
    const response = await within('the head', answer);
    const size = 64 << 20;
    const piece = Buffer.alloc(1 << 20);
    for (let offered = 0; offered < size; offered += piece.length) socket.write(piece);
    let taken = -1;
    for (let still = 0; still < 200;) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = socket.bytesWritten - socket.writableLength;
      still = now === taken ? still + 1 : 0;
      taken = now;
    }
    expect(taken).toBeLessThan(16 << 20);
    socket.end();
    expect((await within('the body', response.arrayBuffer(), 20_000)).byteLength).toBe(size);
  });
});

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

describe('a request body', () => {
  const echo = (): Promise<Backend> =>
    startBackend(async (connection) => {
      const body = await connection.body();
      await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('CONTENT_LENGTH')} ${body}`);
    });

  test('of known length is streamed', async () => {
    const backend = await startBackend();
    const { handler } = before(backend);
    const { readable, writable } = new TransformStream<Uint8Array>();
    const headers = { 'Content-Length': '6' };
    const request = new Request('http://localhost/', { method: 'POST', headers, body: readable, duplex: 'half' });
    const answer = handler(request);
    const writer = writable.getWriter();
    await writer.write(Buffer.from('abc'));
    const connection = await backend.connection();
    while (connection.bodyBytes < 3) await once(connection.socket, 'data');
    await writer.write(Buffer.from('def'));
    await writer.close();
    await connection.answer('Status: 200 OK\r\n\r\nok');
    expect(await (await answer).text()).toBe('ok');
    expect((await connection.body()).toString()).toBe('abcdef');
  });

  test('of unknown length is kept until its length is known', async () => {
    const { handler } = before(await echo(), { maxHeldBody: 4 });
    const body = new Blob(['abcdefgh']).stream();
    const request = new Request('http://localhost/', { method: 'POST', body, duplex: 'half' });
    expect(await (await handler(request)).text()).toBe('8 abcdefgh');
  });

  test('may be a form', async () => {
    const { handler } = before(await echo());
    const body = new URLSearchParams({ a: '1' });
    expect(await (await handler(new Request('http://localhost/', { method: 'POST', body }))).text()).toBe('3 a=1');
  });

  test('that is missing is told from an empty one', async () => {
    const backend = await telling('CONTENT_LENGTH', 'HTTP_CONTENT_LENGTH');
    const scene = before(backend);
    expect(await told(scene, new Request('http://localhost/'))).toEqual(['0', null]);
    const headers = { 'Content-Length': '0' };
    expect(await told(scene, new Request('http://localhost/', { method: 'POST', headers }))).toEqual(['0', '0']);
  });

  test('that fails fails the request, and the backend is left', async () => {
    const backend = await startBackend();
    const { handler, errors } = before(backend);
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('abc')),
      pull: (controller) => controller.error(new Error('broken')),
    });
    const headers = { 'Content-Length': '10' };
    const request = new Request('http://localhost/', { method: 'POST', headers, body, duplex: 'half' });
    expect((await handler(request)).status).toBe(500);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_SOURCE' }]);
    await (await backend.connection()).closed();
  });
});

describe('variables', () => {
  const place = ['SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI'];

  test('say where the handler is mounted', async () => {
    const scene = before(await telling(...place), {}, '/api');
    const asked = await told(scene, new Request('http://localhost/api/caf%C3%A9?x=1#y'));
    expect(asked).toEqual(['/api', '/café', 'x=1', '/api/caf%C3%A9?x=1']);
    expect(await told(scene, new Request('http://localhost/api'))).toEqual(['/api', '', '', '/api']);
  });

  test('take the part that an adapter has cut off for the mount point as well', async () => {
    const scene = before(await telling(...place), {}, '/api');
    const request = new Request('http://localhost/api/x');
    expect(await told(scene, request, { basePath: '/app' })).toEqual(['/app/api', '/x', '', '/app/api/x']);
  });

  test('hold host and scheme of the URL', async () => {
    const names = ['HTTP_HOST', 'SERVER_NAME', 'SERVER_PORT', 'HTTPS', 'REQUEST_SCHEME'];
    const scene = before(await telling(...names));
    const https = new Request('https://example.org:8443/');
    expect(await told(scene, https)).toEqual(['example.org:8443', 'example.org', '8443', 'on', 'https']);
    const http = new Request('http://example.org/', { headers: { host: 'other.example' } });
    expect(await told(scene, http)).toEqual(['other.example', 'other.example', '80', null, 'http']);
  });

  const peer = ['REMOTE_ADDR', 'REMOTE_PORT', 'HTTPS', 'SERVER_PORT', 'SERVER_PROTOCOL'];

  test('know nothing of the client without a context', async () => {
    const scene = before(await telling(...peer));
    expect(await told(scene, new Request('http://localhost/'))).toEqual([null, null, null, '80', 'HTTP/1.1']);
  });

  test('take the client from the variables of an SCGI request, never from fields', async () => {
    const scene = before(await telling(...peer));
    const env = {
      REMOTE_ADDR: '192.0.2.1',
      REMOTE_PORT: '5555',
      HTTPS: 'on',
      SERVER_PORT: '443',
      SERVER_PROTOCOL: 'HTTP/2.0',
    };
    const request = new Request('http://localhost/', { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    expect(await told(scene, request, { env })).toEqual(['192.0.2.1', '5555', 'on', '443', 'HTTP/2.0']);
    expect(await told(scene, request, { remoteAddress: '2001:db8::1' })).toMatchObject({ 0: '2001:db8::1' });
  });

  test('take the client from Node’s request', async () => {
    const scene = before(await telling(...peer));
    const incoming = { socket: { remoteAddress: '::ffff:192.0.2.7', remotePort: 7, localPort: 8080 } };
    const asked = await told(scene, new Request('http://localhost/'), { incoming });
    expect(asked).toEqual(['192.0.2.7', '7', null, '8080', 'HTTP/1.1']);
  });

  test('never hold HTTP_PROXY, fields of the hop, or names with an underscore', async () => {
    const backend = await telling('REQUEST_METHOD');
    const headers = { Proxy: 'x', Connection: 'X-Gone', 'X-Gone': '1', X_Y: '1', 'X-Kept': '1' };
    await told(before(backend), new Request('http://localhost/', { headers }));
    const names = [...(backend.connections[0]?.variables?.keys() ?? [])].filter((name) => name.startsWith('HTTP_'));
    expect(names.toSorted()).toEqual(['HTTP_HOST', 'HTTP_X_KEPT']);
  });

  test('get what the env function makes of the request', async () => {
    const scene = before(await telling('REMOTE_USER'), {
      env: (request) => ({ REMOTE_USER: request.headers.get('x-user') }),
    });
    expect(await told(scene, new Request('http://localhost/', { headers: { 'x-user': 'ada' } }))).toEqual(['ada']);
  });
});

describe('a prefix', () => {
  test('leaves other paths a 404, and tells before', async () => {
    const backend = await startBackend();
    const { handler, errors } = before(backend, {}, '/api');
    const other = new Request('http://localhost/apis');
    expect(handler.handles(other)).toBe(false);
    const response = await handler(other);
    expect([response.status, await response.text()]).toEqual([404, '404 Not Found\n']);
    expect(handler.handles(new Request('http://localhost/%61pi?x'))).toBe(true);
    expect([errors, backend.connections]).toEqual([[], []]);
  });
});

describe('a local redirect', () => {
  const redirecting = (): Promise<Backend> =>
    startBackend(async (connection) => {
      await connection.body();
      const of = (name: string): string => connection.variables?.get(name) ?? '';
      if (of('PATH_INFO') === '/new')
        await connection.answer(
          `Status: 200 OK\r\n\r\n${of('REQUEST_METHOD')} ${of('SCRIPT_NAME')} ${of('CONTENT_TYPE')} ${of('REDIRECT_URL')}`,
        );
      else await connection.answer(`Location: ${of('QUERY_STRING')}\r\n\r\n`);
    });

  test('is a 302 by default', async () => {
    const { handler } = before(await redirecting(), {}, '/api');
    const response = await handler(new Request('http://localhost/api/old?/api/new'));
    expect([response.status, response.headers.get('location')]).toEqual([302, '/api/new']);
  });

  test('can be followed, by a GET without the body', async () => {
    const { handler } = before(await redirecting(), { localRedirect: 'follow' }, '/api');
    const request = new Request('http://localhost/api/old?/api/new', { method: 'POST', body: 'x' });
    expect(await (await handler(request)).text()).toBe('GET /api  /api/old');
  });

  test('out of the mount point is a 302 all the same', async () => {
    const { handler } = before(await redirecting(), { localRedirect: 'follow' }, '/api');
    const response = await handler(new Request('http://localhost/api/old?/other'));
    expect([response.status, response.headers.get('location')]).toEqual([302, '/other']);
  });

  test('without an end is a 502', async () => {
    const { handler, errors } = before(await redirecting(), { localRedirect: 'follow', maxLocalRedirects: 2 }, '/api');
    // Each answer points to a page whose query is the next place.
    const target = 'http://localhost/api/old?/api/old?/api/old?/api/old?/api/new';
    expect((await handler(new Request(target))).status).toBe(502);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_REDIRECT_LOOP' }]);
  });

  test('goes where the function says', async () => {
    const seen: unknown[] = [];
    const localRedirect = (location: string, request: Request): string => (
      seen.push([location, request.url]),
      '/api/new'
    );
    const { handler } = before(await redirecting(), { localRedirect }, '/api');
    expect((await handler(new Request('http://localhost/api/old?/x'))).status).toBe(200);
    expect(seen).toEqual([['/x', 'http://localhost/api/old?/x']]);
  });
});

test('files cannot be sent for the backend', () => {
  const options: object = { sendfile: { root: '/srv' } };
  expect(() => scgiFetchHandler(4000, options)).toThrow(/sendfile.*cannot send files/);
});
