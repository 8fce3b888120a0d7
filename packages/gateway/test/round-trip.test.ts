// One request, one answer: what the HTTP client gets for each kind of response.

import { describe, expect, test } from 'vitest';
import { answering, startBackend } from './support/backend.js';
import { fetchFrom, open, RawClient, responseTo, sendRaw, startFront } from './support/front.js';

describe('a response', () => {
  test('keeps status, reason, fields and body', async () => {
    const { target } = await answering(
      'Status: 207 Many Things\r\nX-Name: \xe9t\xe9\r\nContent-Length: 5\r\n\r\nhello',
    );
    const front = await startFront(target);
    const answer = await fetchFrom(front);
    expect(answer).toMatchObject({ status: 207, reason: 'Many Things', body: 'hello' });
    expect(answer.headers).toMatchObject({ 'x-name': '\xe9t\xe9', 'content-length': '5' });
  });

  test('without Status is a 200, and its lines may end with LF alone', async () => {
    const { target } = await answering('Content-Type: text/plain\n\nhello');
    expect(await fetchFrom(await startFront(target))).toMatchObject({ status: 200, reason: 'OK', body: 'hello' });
  });

  test('may start with an HTTP status line', async () => {
    const { target } = await answering('HTTP/1.1 404 Gone Fishing\r\nContent-Type: text/plain\r\n\r\nno');
    expect(await fetchFrom(await startFront(target))).toMatchObject({
      status: 404,
      reason: 'Gone Fishing',
      body: 'no',
    });
  });

  test('keeps repeated Set-Cookie fields apart and in order', async () => {
    const { target } = await answering('Status: 200 OK\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2\r\n\r\n');
    const { headers } = await fetchFrom(await startFront(target));
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('of unknown length is sent in chunks to an HTTP/1.1 client', async () => {
    const { target } = await answering('Status: 200 OK\r\n\r\nhello');
    const { text } = await sendRaw(await startFront(target), 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    expect(text).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  });

  test('of unknown length ends with the connection for an HTTP/1.0 client', async () => {
    const { target } = await answering('Status: 200 OK\r\n\r\nhello');
    const { text, by } = await sendRaw(await startFront(target), 'GET / HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toMatch(/Transfer-Encoding/i);
    expect(text).toMatch(/\r\n\r\nhello$/);
    expect(by).toBe('fin');
  });

  test('is cut at its Content-Length', async () => {
    const { target } = await answering('Status: 200 OK\r\nContent-Length: 2\r\n\r\nhello');
    expect((await fetchFrom(await startFront(target))).body).toBe('he');
  });

  test('loses an interim response before it', async () => {
    const { target } = await answering('Status: 103 Early Hints\r\nLink: </a>\r\n\r\nStatus: 200 OK\r\n\r\nhello');
    const { text } = await sendRaw(await startFront(target), 'GET / HTTP/1.0\r\n\r\n');
    expect(text).not.toMatch(/103/);
  });
});

describe('a response without a body', () => {
  test('to HEAD keeps the Content-Length', async () => {
    const { target } = await answering('Status: 200 OK\r\nContent-Length: 1234\r\n\r\n');
    const answer = await fetchFrom(await startFront(target), '/', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-length']).toBe('1234');
  });

  test.each([
    ['a 204', 'GET', 'Status: 204 No Content\r\nContent-Length: 4\r\n\r\nbody'],
    ['a 304', 'GET', 'Status: 304 Not Modified\r\nETag: "1"\r\n\r\nbody'],
    ['to HEAD', 'HEAD', 'Status: 200 OK\r\n\r\nbody'],
  ])('%s stays without one, whatever the backend sends, and the connection is kept', async (_, method, bytes) => {
    const { target } = await answering(bytes);
    const client = new RawClient(await startFront(target));
    client.send(`${method} /1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.sees('\r\n\r\n');
    client.send(`${method} /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await client.closed();
    expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(2);
    expect(client.text).not.toMatch(/body|chunked/);
  });

  test('a 204 has no Content-Length', async () => {
    const { target } = await answering('Status: 204 No Content\r\nContent-Length: 0\r\n\r\n');
    expect((await fetchFrom(await startFront(target))).headers).not.toHaveProperty('content-length');
  });
});

describe('a redirect', () => {
  test.each([
    ['local', 'Location: /elsewhere?x=1\r\n\r\n', '/elsewhere?x=1'],
    ['to another host', 'Location: https://example.org/\r\n\r\n', 'https://example.org/'],
  ])('%s without Status is a 302 for the client', async (_, bytes, location) => {
    const { target } = await answering(bytes);
    const answer = await fetchFrom(await startFront(target));
    expect(answer).toMatchObject({ status: 302, reason: 'Found', body: '' });
    expect(answer.headers.location).toBe(location);
  });
});

describe('a request body', () => {
  test('of known length goes on with this length', async () => {
    const backend = await startBackend(async (connection) => {
      const body = await connection.body();
      await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('CONTENT_LENGTH')} ${body}`);
    });
    const answer = await fetchFrom(await startFront(backend.target), '/', { method: 'POST', body: 'a=1&b=2' });
    expect(answer.body).toBe('7 a=1&b=2');
  });

  test('sent in chunks is held back until its length is known', async () => {
    const backend = await startBackend(async (connection) => {
      const body = await connection.body();
      await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('CONTENT_LENGTH')} ${body}`);
    });
    const front = await startFront(backend.target);
    const request = open(front, { method: 'POST' });
    request.write('first ');
    request.end('second');
    expect((await responseTo(request)).statusCode).toBe(200);
    const [connection] = backend.connections;
    expect(connection?.variables?.get('CONTENT_LENGTH')).toBe('12');
    expect(connection?.variables?.has('HTTP_TRANSFER_ENCODING')).toBe(false);
    expect((await connection?.body())?.toString()).toBe('first second');
  });

  test('sent in chunks may be empty', async () => {
    const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
    const bytes = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect((await sendRaw(await startFront(backend.target), bytes)).text).toMatch(/^HTTP\/1\.1 200 /);
    expect(backend.connections[0]?.variables?.get('CONTENT_LENGTH')).toBe('0');
  });

  test('without a length is refused with 411 when it is too large to hold, and never reaches the backend', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target, { maxHeldBody: 10, maxSpooledBody: 10 });
    const client = new RawClient(front);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n');
    await client.sees('HTTP/1.1 411 Length Required\r\n');
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_LENGTH_REQUIRED' }]);
    // The rest is read and dropped, and the connection goes on.
    client.send('0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await (await backend.connection()).answer('Status: 200 OK\r\n\r\nnext');
    await client.sees('next');
    expect(backend.connections).toHaveLength(1);
  });
});

describe('Expect: 100-continue', () => {
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';

  test('is granted when the backend has accepted the connection', async () => {
    const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
    const client = new RawClient(await startFront(backend.target));
    client.send(head);
    await client.sees('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    await client.sees('HTTP/1.1 200 OK\r\n');
    expect((await backend.connections[0]?.body())?.toString()).toBe('body');
    expect(backend.connections[0]?.variables?.has('HTTP_EXPECT')).toBe(false);
  });

  test('is not granted when the backend is down: the client keeps its body, and the connection closes', async () => {
    const backend = await startBackend();
    await new Promise((resolve) => backend.server.close(resolve));
    const client = new RawClient(await startFront(backend.target, { lingerTimeout: 50 }));
    client.send(head);
    await client.closed();
    expect(client.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(client.text).toMatch(/\r\nConnection: close\r\n/);
  });

  test('is granted for a body in chunks, which has to be held back first', async () => {
    const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
    const client = new RawClient(await startFront(backend.target));
    client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n');
    await client.sees('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('4\r\nbody\r\n0\r\n\r\n');
    await client.sees('HTTP/1.1 200 OK\r\n');
  });
});

test('several requests share a client connection', async () => {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
  const client = new RawClient(await startFront(backend.target));
  client.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await client.closed();
  expect(client.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(backend.connections.map((connection) => connection.variables?.get('REQUEST_URI'))).toEqual(['/1', '/2']);
});
