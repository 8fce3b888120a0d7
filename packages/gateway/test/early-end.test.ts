// One side ends before the other: clients that leave, backends that answer before they have read the request.

import { describe, expect, test } from 'vitest';
import { startBackend } from './support/backend.js';
import { RawClient, startFront } from './support/front.js';
import { turns, until } from './support/within.js';

const MIB = 1 << 20;

describe('a client that leaves', () => {
  test('while the answer is awaited: the backend sees it at once', async () => {
    const backend = await startBackend();
    const client = new RawClient(await startFront(backend.target));
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const connection = await backend.connection();
    await connection.body();
    client.socket.destroy();
    await connection.closed();
  });

  test('in the middle of its upload: the backend sees it at once', async () => {
    const backend = await startBackend();
    const client = new RawClient(await startFront(backend.target));
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    const connection = await backend.connection();
    await until('the first half has come', () => connection.bodyBytes === 4);
    client.socket.destroy();
    await connection.closed();
    expect(connection.bodyBytes).toBe(4);
  });

  test('while the backend reads nothing of a large upload: the backend sees it when it reads', async () => {
    const backend = await startBackend(undefined, { readBody: false });
    const client = new RawClient(await startFront(backend.target));
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
    client.send(Buffer.alloc(16 * MIB));
    const connection = await backend.connection();
    await turns(50);
    client.socket.resetAndDestroy();
    connection.socket.resume();
    await connection.closed();
  });

  test('in the middle of a download: the backend sees it at once', async () => {
    const backend = await startBackend();
    const client = new RawClient(await startFront(backend.target));
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const connection = await backend.connection();
    connection.socket.write('Status: 200 OK\r\n\r\nhello');
    await client.sees('hello');
    client.socket.destroy();
    await connection.closed();
  });

  test('in the middle of a download that waits for it: the backend sees it at once', async () => {
    const backend = await startBackend(({ socket }) => {
      socket.write('Status: 200 OK\r\n\r\n');
      socket.write(Buffer.alloc(64 * MIB));
    });
    const client = new RawClient(await startFront(backend.target));
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const connection = await backend.connection();
    await turns(50);
    client.socket.destroy();
    await connection.closed();
  });

  test('while its body is held back: the backend is never called', async () => {
    const backend = await startBackend();
    const front = await startFront(backend.target);
    const client = new RawClient(front);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await turns(20);
    client.socket.destroy();
    await turns(20);
    expect(backend.connections).toHaveLength(0);
    expect(front.errors).toEqual([]);
  });
});

describe.each([{ tcp: true }, { tcp: false }])('an answer during the upload: %o', ({ tcp }) => {
  const refusal = 'Status: 403 Forbidden\r\nContent-Length: 4\r\n\r\nstop';

  test('is passed on at once, the rest of the body is dropped, and the client connection goes on', async () => {
    const backend = await startBackend(
      (connection) => {
        if (backend.connections.length === 1) connection.socket.end(refusal);
        else void connection.answer('Status: 200 OK\r\n\r\nnext');
      },
      { tcp, readBody: false },
    );
    const client = new RawClient(await startFront(backend.target));
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`);
    client.send(Buffer.alloc(4 * MIB));
    await client.sees('\r\n\r\nstop');
    client.send(Buffer.alloc(4 * MIB));
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees('next');
    expect(client.text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  test('of unknown length ends before the upload does', async () => {
    const backend = await startBackend(({ socket }) => socket.end('Status: 403 Forbidden\r\n\r\nstop'), {
      tcp,
      readBody: false,
    });
    const client = new RawClient(await startFront(backend.target));
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await client.sees('4\r\nstop\r\n0\r\n\r\n');
  });

  test.each([
    ['HTTP/1.1\r\nHost: x\r\nConnection: close', refusal],
    ['HTTP/1.0', refusal],
    ['HTTP/1.0\r\nConnection: keep-alive', 'Status: 403 Forbidden\r\n\r\nstop'],
  ])('reaches a client of %j, which is not reset under it', async (version, answer) => {
    const backend = await startBackend(({ socket }) => socket.end(answer), { tcp, readBody: false });
    const client = new RawClient(await startFront(backend.target));
    client.send(`POST / ${version}\r\nContent-Length: ${8 * MIB}\r\n\r\n`);
    client.send(Buffer.alloc(4 * MIB));
    await client.sees('\r\n\r\nstop');
    client.send(Buffer.alloc(4 * MIB));
    await client.flushed();
    expect(await client.closed()).toBe('fin');
    expect(client.error).toBeUndefined();
  });

  test('survives a backend that closes with unread input and so resets', async () => {
    // Answer and reset may both be there before the front reads: its write fails first then.
    const backend = await startBackend(({ socket }) => socket.write(refusal, () => socket.destroy()), {
      tcp,
      readBody: false,
    });
    const front = await startFront(backend.target);
    for (let round = 0; round < 20; round += 1) {
      const client = new RawClient(front);
      client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * MIB}\r\n\r\n`);
      client.send(Buffer.alloc(4 * MIB));
      await client.sees('\r\n\r\nstop');
      client.socket.destroy();
    }
    expect(front.errors).toEqual([]);
  });

  test('is broken off if it has no length and the backend resets: it may be short', async () => {
    const backend = await startBackend(
      ({ socket }) => socket.write('Status: 200 OK\r\n\r\nperhaps', () => socket.destroy()),
      { tcp, readBody: false },
    );
    const front = await startFront(backend.target, { lingerTimeout: 50 });
    const client = new RawClient(front);
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * MIB}\r\n\r\n`);
    client.send(Buffer.alloc(4 * MIB));
    await client.closed();
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET' }]);
  });
});

test('a client that uploads on after the answer is cut off when lingerTimeout is over', async () => {
  const backend = await startBackend(({ socket }) => socket.end('Status: 403 Forbidden\r\nContent-Length: 0\r\n\r\n'), {
    readBody: false,
  });
  const client = new RawClient(await startFront(backend.target, { lingerTimeout: 50 }));
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
  await client.sees('403 Forbidden');
  await client.closed();
});

test('a client that ends its upload within lingerTimeout keeps its connection', async () => {
  const backend = await startBackend(({ socket }) => socket.end('Status: 403 No\r\nContent-Length: 0\r\n\r\n'), {
    readBody: false,
  });
  const front = await startFront(backend.target, { lingerTimeout: 50 });
  const client = new RawClient(front);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf');
  await client.sees('403 No');
  client.send('half');
  // The second one is cut off: by then the deadline of the first has passed as well.
  const other = new RawClient(front);
  other.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf');
  await other.closed();
  client.text = '';
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.sees('403 No');
});

test('a client that does not wait for 100 Continue is not reset under the error it gets', async () => {
  const backend = await startBackend();
  await new Promise((resolve) => backend.server.close(resolve));
  const client = new RawClient(await startFront(backend.target));
  client.send(`POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${8 * MIB}\r\n\r\n`);
  client.send(Buffer.alloc(4 * MIB));
  await client.sees('\r\n\r\n502 Bad Gateway\n');
  client.send(Buffer.alloc(4 * MIB));
  await client.flushed();
  expect(await client.closed()).toBe('fin');
  expect(client.error).toBeUndefined();
});

describe('the backend is left at once when its answer is whole', () => {
  const promptly = 1000;

  test('and the upload is not', async () => {
    const backend = await startBackend(({ socket }) => socket.write('Status: 403 No\r\nContent-Length: 0\r\n\r\n'));
    const client = new RawClient(await startFront(backend.target));
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await client.sees('403 No');
    await (await backend.connection()).closed(promptly);
  });

  test('and it sends on', async () => {
    const backend = await startBackend(({ socket }) => {
      const sendOn = (): void => {
        if (socket.writable) socket.write('more', () => setImmediate(sendOn));
      };
      socket.write('Status: 200 OK\r\n\r\n', sendOn);
    });
    const client = new RawClient(await startFront(backend.target));
    client.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees('200 OK');
    await (await backend.connection()).closed(promptly);
  });
});

test('a backend that never closes after its answer is left in the end', async () => {
  const backend = await startBackend(({ socket }) => socket.write('Status: 204 No Content\r\n\r\n'));
  const client = new RawClient(await startFront(backend.target));
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await (await backend.connection()).closed();
});
