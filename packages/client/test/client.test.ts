// Requests and answers through the public face.

import { getEventListeners, once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { type RawResponse, scgi, ScgiClient, type ScgiResponse } from '../src/index.js';
import { answering, startBackend } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { turns, until, within } from './support/within.js';

const ok = 'Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

test('gives status, fields and body of an answer', async () => {
  const { target } = await answering(
    'Status: 201 Made\r\nX-A: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\nh\u00c3\u00a4llo',
  );
  const response = await scgi(target, { path: '/x' });
  expect(response).toMatchObject({ status: 201, reason: 'Made', kind: 'document', contentLength: undefined });
  expect(response.fields).toEqual(['X-A', '1', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2']);
  expect(response.headers.get('x-a')).toBe('1');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(response.headers).toBe(response.headers);
  expect(response.location).toBeUndefined();
  expect(response.bodyUsed).toBe(false);
  expect(await response.text()).toBe('hällo');
  expect(response.bodyUsed).toBe(true);
});

test('gives the bytes as a Uint8Array of their own', async () => {
  const { target } = await answering('Status: 200 OK\r\n\r\n\u0000\u00ff');
  const bytes = await (await scgi(target)).bytes();
  expect(bytes.constructor).toBe(Uint8Array);
  expect(bytes.buffer.byteLength).toBe(2);
  expect([...bytes]).toEqual([0, 255]);
});

test('reads JSON, and refuses what is none', async () => {
  const { target } = await answering('Status: 200 OK\r\n\r\n{"a":1}');
  expect(await (await scgi(target)).json()).toEqual({ a: 1 });
  const broken = await answering('Status: 200 OK\r\n\r\n{"a":');
  expect(await rejection((await scgi(broken.target)).json())).toBeInstanceOf(SyntaxError);
});

test('gives the body as a stream', async () => {
  const { target } = await answering(ok);
  const { body } = await scgi(target);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe('hello');
});

test('a body can be read once, whatever the way', async () => {
  const ways: Record<string, (response: ScgiResponse) => Promise<unknown>> = {
    text: (response) => response.text(),
    json: (response) => response.json(),
    bytes: (response) => response.bytes(),
    body: async ({ body }) => {
      for await (const _ of body);
    },
  };
  const { target } = await answering('Status: 200 OK\r\n\r\n1');
  for (const [first, read] of Object.entries(ways)) {
    for (const [second, readAgain] of Object.entries(ways)) {
      const response = await scgi(target);
      await read(response);
      if (first === 'body' && second === 'body') continue; // As with every stream of Node.js: it is over.
      expect(await rejection(readAgain(response)), `${first}, ${second}`).toMatchObject({ code: 'ERR_SCGI_BODY_USED' });
    }
  }
});

test('a body that was looked at but not read can still be read', async () => {
  const { target } = await answering(ok);
  const response = await scgi(target);
  expect(response.body.readableFlowing).toBe(null);
  expect(await response.text()).toBe('hello');
});

test.each(['Content-Length: 9\r\n\r\nhal', 'X: y\r\n\r\nhal'])(
  'a body that breaks off after %j is an error, not an end',
  async (rest) => {
    const backend = await startBackend(
      async (connection) => {
        await connection.body();
        connection.socket.write(`Status: 200 OK\r\n${rest}`, () => connection.socket.resetAndDestroy());
      },
      { tcp: true },
    );
    const code = 'ERR_SCGI_BACKEND_RESET';
    for (const read of ['text', 'json', 'bytes'] as const) {
      const response = await scgi(backend.target);
      expect(await rejection(response[read]())).toMatchObject({ code });
    }
    const { body } = await scgi(backend.target);
    const seen: string[] = [];
    body.on('data', (data: Buffer) => seen.push(data.toString())).on('end', () => seen.push('end'));
    const [error]: unknown[] = await within('the error', once(body, 'error'));
    expect(error).toMatchObject({ code });
    expect(seen).toEqual(['hal']);
  },
);

test('a body that is too short is an error on whoever reads it', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const code = 'ERR_SCGI_RESPONSE_TRUNCATED';
  expect(await rejection((await scgi(target)).text())).toMatchObject({ code });
  const late = await scgi(target);
  await turns(50);
  expect(await rejection(late.text())).toMatchObject({ code });
  const { body } = await scgi(target);
  await turns(50);
  const read = async (): Promise<void> => {
    for await (const _ of body);
  };
  expect(await rejection(read())).toMatchObject({ code });
});

test('a broken body that nobody reads harms nobody', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const client = new ScgiClient(target);
  const response = await client.request();
  const { body } = response;
  await until('the connection is closed', () => client.backend.connections === 0);
  await turns(20);
  expect(body.destroyed).toBe(false);
});

test('back-pressure reaches the backend', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\n');
    const block = Buffer.alloc(65_536);
    while (connection.socket.write(block) || connection.socket.writableLength < 10 * block.length) await turns(1);
    connection.socket.end();
  });
  const response = await scgi(backend.target);
  const { socket } = await backend.connection();
  // The kernel's buffers are full, and what is written now stays here.
  await until('the backend is held back', () => socket.writableLength > 8 * 65_536);
  const held = socket.bytesWritten - socket.writableLength;
  await turns(200);
  expect(socket.bytesWritten - socket.writableLength).toBe(held);
  let bytes = 0;
  for await (const chunk of response.body) bytes += chunk.length;
  expect(bytes).toBe(socket.bytesWritten - 'Status: 200 OK\r\n\r\n'.length);
});

test('destroying the body closes the connection', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const client = new ScgiClient(backend.target);
  const { body } = await client.request();
  body.destroy();
  await (await backend.connection()).closed();
  await until('the slot is free', () => client.backend.connections === 0);
});

test('destroying the body fails a read that is under way', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const response = await scgi(backend.target);
  const text = response.text();
  response.body.destroy();
  expect(await rejection(text)).toMatchObject({ code: 'ERR_SCGI_CLIENT_GONE' });
});

test('a body that was received and then destroyed unread is no empty body', async () => {
  const { target } = await answering(ok);
  const client = new ScgiClient(target);
  const response = await client.request();
  await until('the answer is complete', () => client.backend.connections === 0);
  response.body.destroy();
  expect(await rejection(response.text())).toMatchObject({ code: 'ERR_SCGI_CLIENT_GONE' });
});

test('a body that was read can be destroyed', async () => {
  const { target } = await answering(ok);
  const response = await scgi(target);
  expect(await response.text()).toBe('hello');
  response.body.destroy();
  expect(response.body.errored).toBe(null);
});

test('a response that nobody reads is given up after idleTimeout', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\n');
    connection.socket.write(Buffer.alloc(4_000_000));
  });
  const client = new ScgiClient(backend.target, { idleTimeout: 50 });
  const response = await client.request();
  await until('the connection is closed', () => client.backend.connections === 0);
  expect(await rejection(response.text())).toMatchObject({ code: 'ERR_SCGI_IDLE_TIMEOUT' });
});

test.each([
  { method: 'HEAD', head: 'Status: 200 OK\r\nContent-Length: 9\r\n\r\n' },
  { method: 'GET', head: 'Status: 204 No Content\r\n\r\nbody' },
  { method: 'GET', head: 'Status: 304 Not Modified\r\nContent-Length: 9\r\n\r\n' },
])('an answer without a body is over with its head: $method, $head', async ({ method, head }) => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write(head);
  });
  const response = await scgi(backend.target, { method });
  expect(await within('the end', response.text())).toBe('');
});

test('the raw mode gives the bytes as they come', async () => {
  const { target } = await answering('20 text/gemini\r\n# Hi');
  const response: RawResponse = await scgi(target, { raw: true });
  expect(await response.text()).toBe('20 text/gemini\r\n# Hi');
  const empty = await answering();
  expect(await (await scgi(empty.target, { raw: true })).bytes()).toHaveLength(0);
});

test('an upgrade gives a socket', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    const { socket } = connection;
    socket.write('Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nready ');
    socket.removeAllListeners('data');
    socket.on('data', (data: Buffer) => socket.write(data.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye'));
  });
  const client = new ScgiClient(backend.target);
  const response = await client.request({ headers: { Upgrade: 'echo' } });
  expect((await backend.connection()).variables?.get('HTTP_UPGRADE')).toBe('echo');
  expect(response).toMatchObject({ status: 101, kind: 'upgrade' });
  expect(await response.text()).toBe('');
  const { socket } = response;
  if (socket === undefined) throw new Error('no socket');
  let text = '';
  socket.setEncoding('utf8').on('data', (data: string) => (text += data));
  socket.write('hello ');
  await until('the echo is there', () => text === 'ready HELLO ');
  const closed = within('the end', once(socket, 'close'));
  socket.end();
  await closed;
  expect(text).toBe('ready HELLO bye');
  await until('the slot is free', () => client.backend.connections === 0);
});

test('a tunnel has back-pressure in both directions', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 101 Switching Protocols\r\n\r\n');
    connection.socket.pause();
  });
  const { socket } = await scgi(backend.target);
  if (socket === undefined) throw new Error('no socket');
  onTestFinished(() => {
    socket.destroy();
  });
  const block = Buffer.alloc(65_536);
  let written = 0;
  while (socket.write(block) && written < 1000) {
    written += 1;
    await turns(2);
  }
  expect(written).toBeLessThan(1000);
  const peer = (await backend.connection()).socket;
  peer.resume();
  await within('the drain', once(socket, 'drain'));
});

test('what was written to a tunnel goes out, though the backend has ended its side', async () => {
  let received = 0;
  const backend = await startBackend(async (connection) => {
    await connection.body();
    const { socket } = connection;
    socket.pause();
    socket.removeAllListeners('data');
    socket.on('data', (data: Buffer) => (received += data.length));
    socket.write('Status: 101 Switching Protocols\r\n\r\n');
  });
  const client = new ScgiClient(backend.target);
  const { socket } = await client.request();
  if (socket === undefined) throw new Error('no socket');
  socket.resume();
  for (let count = 0; count < 20; count += 1) socket.write(Buffer.alloc(100_000));
  const peer = (await backend.connection()).socket;
  await turns(10);
  peer.end();
  await turns(20);
  peer.resume();
  await within('the end', once(peer, 'end'));
  expect(received).toBe(2_000_000);
  await until('the slot is free', () => client.backend.connections === 0);
});

test('destroying a tunnel that the backend has ended closes it', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.pause();
    connection.socket.end('Status: 101 Switching Protocols\r\n\r\n');
  });
  const client = new ScgiClient(backend.target);
  const { socket } = await client.request();
  socket?.resume().write(Buffer.alloc(2_000_000));
  await turns(20);
  expect(client.backend.connections).toBe(1);
  socket?.destroy();
  await until('the slot is free', () => client.backend.connections === 0);
});

test('who writes into a tunnel that is half open does not wait for ever', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.pause();
    connection.socket.end('Status: 101 Switching Protocols\r\n\r\n');
  });
  const client = new ScgiClient(backend.target, { idleTimeout: 50 });
  const { socket } = await client.request();
  if (socket === undefined) throw new Error('no socket');
  const written = within(
    'the write',
    new Promise((resolve) => socket.resume().write(Buffer.alloc(2_000_000), resolve)),
  );
  await written;
  await until('the slot is free', () => client.backend.connections === 0);
});

test('destroying a tunnel closes the connection', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 101 Switching Protocols\r\n\r\n');
  });
  const { socket } = await scgi(backend.target);
  socket?.destroy();
  await (await backend.connection()).closed();
});

test('send takes complete variables as they are', async () => {
  const backend = await answering(ok);
  const client = new ScgiClient(backend.target);
  const variables = ['REQUEST_METHOD', 'POST', 'X', 'y'];
  const response = await client.send({ method: 'POST', variables, body: Readable.from(['ab', 'c']), bodyLength: 3 });
  expect(await response.text()).toBe('hello');
  const connection = await backend.connection();
  expect(connection.flat).toEqual(['CONTENT_LENGTH', '3', 'SCGI', '1', ...variables]);
  expect((await connection.body()).toString()).toBe('abc');
});

test('a closed client refuses', async () => {
  const { target } = await answering(ok);
  const client = new ScgiClient(target);
  client.close();
  expect(await rejection(client.request())).toMatchObject({ code: 'ERR_SCGI_CLIENT_CLOSED' });
});

test('a listener of the signal is gone when the exchange is over', async () => {
  const { target } = await answering(ok);
  const { signal } = new AbortController();
  const response = await scgi(target, { signal });
  expect(await response.text()).toBe('hello');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
