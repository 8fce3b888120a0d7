// Requests of the Fetch standard as they reach a backend: place, client, body.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type Backend, startBackend, telling } from '../support/backend.js';
import { before, told } from './support.js';

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
