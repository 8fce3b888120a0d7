// Node's HTTP/2 server with the middleware, by its compatibility interface.

import { connect, createServer, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { watched } from './support/app.js';
import { answering, startBackend } from './support/backend.js';
import { within } from './support/within.js';

interface Http2 {
  readonly errors: readonly { readonly code: string }[];
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream;
}

async function startHttp2(target: string): Promise<Http2> {
  const { middleware, errors } = watched('/api', target);
  // The types of the compatibility interface do not say that it is one.
  const server = createServer();
  server.on('request', (request, response) => void Reflect.apply(middleware, undefined, [request, response]));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const session = connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  return { errors, request: (headers) => session.request(headers).on('error', () => {}) };
}

async function answerTo(stream: ClientHttp2Stream): Promise<{ status: unknown; body: string }> {
  const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
  const body = await within('the body', buffer(stream));
  return { status: await status, body: body.toString() };
}

test('requests reach the backend with their host, and bodies without a length reach it whole', async () => {
  const backend = await startBackend(async (connection) => {
    const body = await connection.body();
    await connection.answer(`Status: 200 OK\r\nConnection: x\r\nX: 1\r\n\r\n${body.toString()}`);
  });
  const { request } = await startHttp2(backend.target);
  const stream = request({ ':method': 'POST', ':path': '/api/x?y', ':authority': 'example.org' });
  stream.end('body');
  expect(await answerTo(stream)).toEqual({ status: 200, body: 'body' });
  expect(Object.fromEntries(backend.connections[0]?.variables ?? [])).toMatchObject({
    REQUEST_URI: '/api/x?y',
    SERVER_PROTOCOL: 'HTTP/2.0',
    HTTP_HOST: 'example.org',
    SERVER_NAME: 'example.org',
    CONTENT_LENGTH: '4',
  });
});

test('failures are answered, and do not end the other streams of the connection', async () => {
  const { target } = await answering('');
  const { request, errors } = await startHttp2(target);
  const streams = [request({ ':path': '/api' }), request({ ':path': '/other' })];
  expect(await Promise.all(streams.map(answerTo))).toEqual([
    { status: 502, body: '502 Bad Gateway\n' },
    { status: 404, body: '404 Not Found\n' },
  ]);
  expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_EMPTY' }]);
});

test('an answer that breaks off is a stream that fails', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  const { request } = await startHttp2(target);
  const stream = request({ ':path': '/api' });
  const code = new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode)));
  stream.resume();
  expect(await within('the end', code)).toBe(2);
});

test('an answer during the upload does not wait for it', async () => {
  const { target } = await startBackend(({ socket }) => socket.end('Status: 403 No\r\nContent-Length: 4\r\n\r\nstop'), {
    readBody: false,
  });
  const { request } = await startHttp2(target);
  const stream = request({ ':method': 'POST', ':path': '/api', 'content-length': 100 });
  stream.write('half');
  expect(await answerTo(stream)).toEqual({ status: 403, body: 'stop' });
});

test('a client that leaves is seen by the backend', async () => {
  const backend = await startBackend();
  const { request } = await startHttp2(backend.target);
  const stream = request({ ':path': '/api' });
  const connection = await backend.connection();
  await connection.body();
  stream.close(8);
  await connection.closed();
});
