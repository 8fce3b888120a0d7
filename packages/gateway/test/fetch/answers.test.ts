// Answers of backends as Responses of the Fetch standard.

import { describe, expect, test } from 'vitest';
import { ScgiApp, scgiFetchHandler } from '../../src/index.js';
import { answering, type Backend, startBackend } from '../support/backend.js';
import { within } from '../support/within.js';
import { before } from './support.js';

describe('an answer', () => {
  test('keeps status, reason, fields and body', async () => {
    const bytes = 'Status: 418 Short And Stout\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: gr\xfcn\r\n\r\ntea';
    const { handler } = before(await answering(bytes));
    const response = await handler(new Request('http://localhost/'));
    expect(response.status).toBe(418);
    expect(response.statusText).toBe('Short And Stout');
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('x-a')).toBe('1, gr\u00fcn');
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

test('a handler and its mounts share their connections', async () => {
  const app = new ScgiApp((await answering('Status: 200 OK\r\n\r\nok')).target, { onError: () => {} });
  const handler = app.fetch('/app');
  expect(await (await handler(new Request('http://localhost/app'))).text()).toBe('ok');
  app.close();
  expect((await handler(new Request('http://localhost/app'))).status).toBe(503);
});
