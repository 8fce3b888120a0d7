// The raw client against peers that do as the test says, and against our own server.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createFront, rawRequest } from '../src/index.js';

/** A TCP peer; returns its target. */
async function startPeer(serve: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}));
    serve(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
}

/** Answers with what it has received when the client has half-closed. */
const echo = (socket: Socket): void => {
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('end', () => socket.end(`Status: 200 OK\r\n\r\n${received}`, 'latin1'));
};

test('sends the parts of a request as SCGI says', async () => {
  const request = { variables: { REQUEST_METHOD: 'POST', REQUEST_URI: '/x' }, body: 'a=1' };
  const { body } = await rawRequest(await startPeer(echo), request, { halfClose: true });
  expect(body.toString('latin1')).toBe(
    '59:CONTENT_LENGTH\x003\0SCGI\x001\0REQUEST_METHOD\0POST\0REQUEST_URI\0/x\0,a=1',
  );
});

test('takes variables in order, with a name twice if the server should see that', async () => {
  const bytes = '36:CONTENT_LENGTH\x000\0SCGI\x001\0A\x001\0A\x002\0,';
  const { body } = await rawRequest(await startPeer(echo), bytes, { halfClose: true });
  expect(body.toString('latin1')).toBe(bytes);
});

test('sends bytes as they are, valid or not', async () => {
  const { body } = await rawRequest(await startPeer(echo), Buffer.from([0xff, 0x00, 0x0a]), { halfClose: true });
  expect([...body]).toEqual([0xff, 0x00, 0x0a]);
});

test('sends the pieces of a list one by one', async () => {
  const packets: string[] = [];
  const target = await startPeer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      packets.push(chunk.toString());
      if (packets.length === 3) socket.end('Status: 204 No Content\r\n\r\n');
    });
  });
  expect((await rawRequest(target, ['1', '2', '3'])).status).toBe(204);
  expect(packets).toEqual(['1', '2', '3']);
});

test('keeps its side open unless told to half-close', async () => {
  let ended = false;
  const target = await startPeer((socket) => {
    socket.on('end', () => (ended = true));
    socket.once('data', () =>
      setImmediate(() => socket.end('Status: 200 OK\r\n\r\n', () => expect(ended).toBe(false))),
    );
  });
  expect((await rawRequest(target, 'x')).ended).toBe('fin');
});

test('reports a response in parts and in bytes', async () => {
  const bytes = 'Status: 404 Not Here\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\ngone';
  const target = await startPeer((socket) => socket.once('data', () => socket.end(bytes)));
  expect(await rawRequest(target, 'x')).toEqual({
    status: 404,
    reason: 'Not Here',
    fields: ['X-A', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b'],
    body: Buffer.from('gone'),
    bytes: Buffer.from(bytes),
    fault: undefined,
    ended: 'fin',
  });
});

test.each([
  ['', 'ERR_SCGI_RESPONSE_EMPTY', undefined],
  ['nonsense\r\n\r\n', 'ERR_SCGI_RESPONSE_HEAD', undefined],
  ['Status: 200 OK\r\nContent-Length: 9\r\n\r\nhalf', 'ERR_SCGI_RESPONSE_TRUNCATED', 200],
])('says what is wrong with %j', async (bytes, code, status) => {
  const target = await startPeer((socket) => socket.once('data', () => socket.end(bytes)));
  const response = await rawRequest(target, 'x');
  expect(response.fault).toMatchObject({ code });
  expect(response.status).toBe(status);
  expect(response.bytes.toString()).toBe(bytes);
});

test('tells a reset from an end, and keeps what came before it', async () => {
  const target = await startPeer((socket) => {
    socket.once('data', () =>
      socket.write('Status: 200 OK\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy())),
    );
  });
  const response = await rawRequest(target, 'x');
  expect(response.ended).toBe('reset');
  expect(response.bytes.toString()).toBe('Status: 200 OK\r\n\r\nhalf');
});

test('expects no body in the answer to HEAD', async () => {
  const target = await startPeer((socket) => {
    socket.once('data', () => socket.end('Status: 200 OK\r\nContent-Length: 9\r\n\r\n'));
  });
  const variables = { REQUEST_METHOD: 'HEAD', REQUEST_URI: '/' };
  expect((await rawRequest(target, { variables })).fault).toBeUndefined();
  expect((await rawRequest(target, 'x', { method: 'HEAD' })).fault).toBeUndefined();
});

test('fails at its deadline and says what has come until then', async () => {
  const target = await startPeer((socket) => socket.write('Status: 200 OK\r\n'));
  await expect(rawRequest(target, 'x', { timeout: 100 })).rejects.toThrow(
    `the SCGI server did not close; received 16 bytes: ${JSON.stringify('Status: 200 OK\r\n')}, within 100 ms`,
  );
});

test('fails if nobody listens', async () => {
  await expect(rawRequest('unix:/nowhere/app.sock', 'x')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('talks to an application that a front serves', async () => {
  const front = await createFront((request, response) => {
    response.setHeader('X-Url', request.url ?? '');
    response.end('ok');
  });
  onTestFinished(() => front.close());
  const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/a?b', SERVER_PROTOCOL: 'HTTP/1.1' };
  const response = await rawRequest(front.target, { variables });
  expect(response).toMatchObject({ status: 200, fault: undefined, ended: 'fin' });
  expect(response.fields).toContain('/a?b');
  expect(response.body.toString()).toBe('ok');
});
