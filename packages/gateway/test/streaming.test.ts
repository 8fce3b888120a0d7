// Bodies in both directions: whole, in order, piece by piece, and never more of them in memory than a few buffers.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { startBackend } from './support/backend.js';
import { fetchFrom, open, RawClient, responseTo, startFront } from './support/front.js';
import { turns, until, within } from './support/within.js';

const MIB = 1 << 20;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a body of 16 MiB', () => {
  test.each([{ tcp: true }, { tcp: false }])('goes up and comes back unchanged: %o', async ({ tcp }) => {
    const sent = randomBytes(16 * MIB);
    const backend = await startBackend(
      async (connection) => {
        const body = await connection.body();
        await connection.answer(`Status: 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body);
      },
      { tcp },
    );
    const request = open(await startFront(backend.target), { method: 'PUT' });
    request.setHeader('Content-Length', sent.length);
    request.end(sent);
    const received = await within('the echo', buffer(await responseTo(request)));
    expect(received.length).toBe(sent.length);
    expect(sha256(received)).toBe(sha256(sent));
  });

  test('comes down in chunks unchanged', async () => {
    const sent = randomBytes(16 * MIB);
    const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\n', sent));
    const request = open(await startFront(backend.target));
    request.end();
    expect(sha256(await within('the body', buffer(await responseTo(request))))).toBe(sha256(sent));
  });
});

describe('back-pressure', () => {
  // What two pairs of kernel buffers may take on loopback, far below what is sent.
  const bound = 24 * MIB;
  const size = 96 * MIB;

  test('of a client that does not read reaches the backend, and ends when it reads', async () => {
    const backend = await startBackend();
    const client = new RawClient(await startFront(backend.target));
    client.socket.pause();
    client.send('GET / HTTP/1.0\r\n\r\n');
    const { socket } = await backend.connection();
    socket.write(`Status: 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    const taken = await fill(socket, size);
    expect(taken).toBeLessThan(bound);

    let received = 0;
    client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (received += chunk.length));
    client.socket.resume();
    await until('the client has it all', () => received > size, 20_000);
  });

  test('of a backend that does not read reaches the client, and ends when it reads', async () => {
    const backend = await startBackend(undefined, { readBody: false });
    const client = new RawClient(await startFront(backend.target));
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
    const connection = await backend.connection();
    const taken = await fill(client.socket, size);
    expect(taken).toBeLessThan(bound);

    connection.socket.resume();
    await until('the backend has it all', () => connection.bodyBytes === size, 20_000);
  });

  /** Offers `size` bytes; resolves with what was taken when nothing has moved for many turns of the loop. */
  async function fill(socket: RawClient['socket'], bytes: number): Promise<number> {
    const piece = Buffer.alloc(MIB);
    for (let offered = 0; offered < bytes; offered += piece.length) socket.write(piece);
    let taken = -1;
    for (let still = 0; still < 200;) {
      await turns(1);
      const now = socket.bytesWritten - socket.writableLength;
      still = now === taken ? still + 1 : 0;
      taken = now;
    }
    return taken;
  }
});

test('the head of an answer does not wait for its body', async () => {
  const backend = await startBackend(({ socket }) => socket.write('Status: 200 OK\r\nX-Early: yes\r\n\r\n'));
  const request = open(await startFront(backend.target));
  request.end();
  expect((await responseTo(request)).headers['x-early']).toBe('yes');
});

test('server-sent events arrive one by one', async () => {
  const backend = await startBackend();
  const client = new RawClient(await startFront(backend.target));
  client.send('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  const { socket } = await backend.connection();
  socket.write('Status: 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
  await client.sees('text/event-stream');
  for (let number = 1; number <= 5; number += 1) {
    socket.write(`data: ${number}\n\n`);
    // The next event is only written when this one has arrived.
    await client.sees(`data: ${number}\n\n`);
  }
  socket.end();
  await client.sees('\r\n0\r\n\r\n');
});

test('a backend may answer piece by piece while the body is still on its way', async () => {
  const backend = await startBackend();
  const client = new RawClient(await startFront(backend.target));
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nab');
  const connection = await backend.connection();
  await until('the first piece has come', () => connection.bodyBytes === 2);
  connection.socket.write('Status: 200 OK\r\n\r\n<ab>');
  await client.sees('<ab>');
  client.send('cdef');
  expect((await connection.body()).toString()).toBe('abcdef');
  connection.socket.end('<cdef>');
  await client.sees('<cdef>\r\n0\r\n\r\n');
});

test('a request of many small pieces arrives whole', async () => {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
  const request = open(await startFront(backend.target), { method: 'POST' });
  request.setHeader('Content-Length', 1000);
  for (let number = 0; number < 100; number += 1) {
    request.write('0123456789');
    await turns(1);
  }
  request.end();
  await responseTo(request);
  expect((await backend.connections[0]?.body())?.toString()).toBe('0123456789'.repeat(100));
});

test('a hundred requests at a time get the answers that are theirs', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('REQUEST_URI')}`);
  });
  const front = await startFront(backend.target);
  const paths = Array.from({ length: 100 }, (_, number) => `/${number}`);
  const answers = await Promise.all(paths.map((path) => fetchFrom(front, path)));
  expect(answers.map((answer) => answer.body)).toEqual(paths);
});

test('the connection to the backend stays open both ways until it has answered and closed', async () => {
  const backend = await startBackend();
  const client = new RawClient(await startFront(backend.target));
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const connection = await backend.connection();
  await connection.body();
  let ended = false;
  connection.socket.once('end', () => (ended = true));
  await turns(50);
  // A half-close after the request would be an abort to many servers.
  expect(ended).toBe(false);
  connection.socket.write('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  await client.sees('hello');
  await turns(50);
  // So would leaving before the application has ended its answer, though all of it is here.
  expect(ended).toBe(false);
  connection.socket.end();
  await within('the gateway to close', once(connection.socket, 'close'));
});
