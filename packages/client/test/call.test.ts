// Requests of one backend with the limits they share: waiting, giving up, trying again. The slots are counted on every
// path.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Backend } from '../src/exchange/index.js';
import { ScgiClient, type ScgiClientOptions, type ScgiRequestOptions } from '../src/index.js';
import {
  answering,
  type BackendConnection,
  startBackend,
  type Backend as TestBackend,
  temporaryFolder,
} from './support/backend.js';
import { appear, named, nowhere } from './support/listeners.js';
import { rejection } from './support/rejection.js';
import { turns, until, within } from './support/within.js';

const ok = 'Status: 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A backend that answers when it is told to. */
async function holding(options: ScgiClientOptions = {}): Promise<{ client: ScgiClient; backend: TestBackend }> {
  const backend = await startBackend();
  return { client: new ScgiClient(backend.target, options), backend };
}

const pathOf = (connection: BackendConnection): string => connection.variables?.get('REQUEST_URI') ?? '';

describe('the queue', () => {
  test('1,000 requests with a concurrency of 10 never open an 11th connection, and keep their order', async () => {
    let open = 0;
    let most = 0;
    const order: number[] = [];
    const backend = await startBackend(async (connection) => {
      open += 1;
      most = Math.max(most, open);
      connection.socket.on('close', () => (open -= 1));
      await connection.body();
      order.push(Number(pathOf(connection).slice(1)));
      await connection.answer(ok);
    });
    const client = new ScgiClient(backend.target, { maxConcurrent: 10, maxQueued: 990 });
    const requests = Array.from({ length: 1000 }, async (_, index) => {
      const response = await client.request({ path: `/${index}` });
      expect(client.backend.connections).toBeLessThanOrEqual(10);
      return response.text();
    });
    expect([client.backend.connections, client.backend.queued]).toEqual([10, 990]);
    expect(new Set(await within('all answers', Promise.all(requests), 20_000))).toEqual(new Set(['ok']));
    expect(most).toBeLessThanOrEqual(10);
    // Ten run side by side, so a request is overtaken by those that run with it at the most.
    for (const [place, number] of order.entries()) expect(Math.abs(place - number)).toBeLessThan(20);
    await until('every slot is free', () => client.backend.connections === 0);
  });

  test('with one at a time the order is exact', async () => {
    const order: string[] = [];
    const backend = await startBackend(async (connection) => {
      await connection.body();
      order.push(pathOf(connection));
      await connection.answer(ok);
    });
    const client = new ScgiClient(backend.target, { maxConcurrent: 1 });
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
    await Promise.all(paths.map(async (path) => (await client.request({ path })).text()));
    expect(order).toEqual(paths);
  });

  test('a full queue refuses at once', async () => {
    const { client } = await holding({ maxConcurrent: 1, maxQueued: 1 });
    const waiting = [client.request(), client.request()];
    for (const request of waiting) request.catch(() => {});
    expect(await rejection(client.request())).toMatchObject({ code: 'ERR_SCGI_BACKEND_BUSY', statusHint: 503 });
    client.close();
  });

  test('queueTimeout ends the waiting of those that wait, not of those that have a connection', async () => {
    const { client, backend } = await holding({ maxConcurrent: 1, queueTimeout: 30 });
    const first = client.request();
    const error = await rejection(client.request());
    expect(error).toMatchObject({ code: 'ERR_SCGI_BACKEND_BUSY', details: { queueTimeout: 30 } });
    await (await backend.connection()).answer(ok);
    expect((await first).status).toBe(200);
  });

  test('who is aborted in the queue never connects', async () => {
    const { client, backend } = await holding({ maxConcurrent: 1 });
    const first = client.request();
    const controller = new AbortController();
    const second = client.request({ path: '/second', signal: controller.signal });
    const third = client.request({ path: '/third' });
    await turns(5);
    const failed = rejection(second);
    controller.abort(new Error('enough'));
    expect(await failed).toMatchObject({ message: 'enough' });
    expect(client.backend.queued).toBe(1);
    await (await backend.connection()).answer(ok);
    await (await first).text();
    const connection = await backend.connection(1);
    await connection.answer(ok);
    expect(pathOf(connection)).toBe('/third');
    await (await third).text();
    expect(backend.connections).toHaveLength(2);
  });

  test('closing fails those that wait and lets those that run come to their end', async () => {
    const { client, backend } = await holding({ maxConcurrent: 1 });
    const first = client.request();
    const failed = rejection(client.request());
    await turns(5);
    client.close();
    expect(await failed).toMatchObject({ code: 'ERR_SCGI_CLIENT_CLOSED' });
    await (await backend.connection()).answer(ok);
    expect(await (await first).text()).toBe('ok');
  });
});

describe('a slot comes back', () => {
  const cases: [string, (connection: BackendConnection) => unknown, (() => ScgiRequestOptions)?][] = [
    ['after an answer', (connection) => connection.answer(ok)],
    [
      'after an answer whose connection stays open',
      async (connection) => {
        await connection.body();
        connection.socket.write(ok);
      },
    ],
    ['after an end without an answer', (connection) => connection.socket.end()],
    ['after a reset', (connection) => connection.socket.resetAndDestroy()],
    ['after a head that is none', (connection) => connection.answer('nonsense\r\n\r\n')],
    ['after a head that is too large', (connection) => connection.answer(`X: ${'x'.repeat(9000)}`)],
    ['after silence', () => {}, () => ({ firstByteTimeout: 20 })],
    [
      'after too much',
      (connection) => connection.answer('Status: 200 OK\r\n\r\n', Buffer.alloc(500)),
      () => ({ maxResponseSize: 100 }),
    ],
    [
      'after too much that was announced',
      (connection) => connection.answer('Content-Length: 500\r\n\r\n'),
      () => ({ maxResponseSize: 100 }),
    ],
    ['after the total time', () => {}, () => ({ totalTimeout: 20 })],
    ['after an abort', () => {}, () => ({ signal: AbortSignal.timeout(20) })],
    ['after a body that was too short', () => {}, () => ({ body: new PassThrough().end('x'), contentLength: 2 })],
  ];
  test.each(cases)('%s', async (_, serve, options = () => ({})) => {
    let first = true;
    const backend = await startBackend(
      (connection) => {
        if (!first) return connection.answer(ok);
        first = false;
        return serve(connection);
      },
      { tcp: true },
    );
    const client = new ScgiClient(backend.target, { maxConcurrent: 1 });
    const settled = client.request(options()).then(
      (response) => response.text().catch(() => 'broken'),
      () => 'failed',
    );
    await within('the outcome', settled);
    const next = await within('the next answer', client.request());
    expect(await next.text()).toBe('ok');
    expect(backend.connections).toHaveLength(2);
    await until('every slot is free', () => client.backend.connections === 0);
  });

  test('after an address that refuses', async () => {
    const client = new ScgiClient(nowhere(), { maxConcurrent: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect(await rejection(client.request())).toMatchObject({ code: 'ERR_SCGI_BACKEND_UNREACHABLE' });
    }
    await until('every slot is free', () => client.backend.connections === 0);
  });

  test('after an abort while it waits to try again', async () => {
    const client = new ScgiClient(nowhere(), { maxConcurrent: 1, retries: 5, retryDelay: 100_000 });
    const controller = new AbortController();
    const failed = rejection(client.request({ signal: controller.signal }));
    await turns(50);
    expect(client.backend.connections).toBe(1);
    controller.abort();
    expect(await failed).toMatchObject({ name: 'AbortError' });
    expect(client.backend.connections).toBe(0);
  });

  test('after the total time while it waits to try again', async () => {
    const client = new ScgiClient(nowhere(), { maxConcurrent: 1, retries: 5, retryDelay: 100_000 });
    const error = await rejection(client.request({ totalTimeout: 20 }));
    expect(error).toMatchObject({ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { totalTimeout: 20 } });
    expect(client.backend.connections).toBe(0);
  });
});

describe('trying again', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s is tried as often as retries says', async (method) => {
    const place = nowhere();
    const client = new ScgiClient(place, { retries: 3, retryDelay: 5 });
    const start = performance.now();
    expect(await rejection(client.request({ method }))).toMatchObject({ code: 'ERR_SCGI_BACKEND_UNREACHABLE' });
    expect(performance.now() - start).toBeGreaterThan(5 + 10 + 20 - 5);
  });

  test.each(['POST', 'PATCH', 'MKCOL'])('%s is not', async (method) => {
    const client = new ScgiClient(nowhere(), { retries: 3, retryDelay: 100_000 });
    expect(await rejection(client.request({ method }))).toMatchObject({ code: 'ERR_SCGI_BACKEND_UNREACHABLE' });
  });

  test('a backend that starts meanwhile answers, and gets the whole body', async () => {
    const place = nowhere();
    const client = new ScgiClient(place, { retries: 20, retryDelay: 1 });
    const request = client.request({ method: 'PUT', body: 'x' });
    request.catch(() => {});
    await turns(20);
    const stop = await appear(place, 'back');
    expect(await (await request).text()).toBe('back');
    await stop();
  });

  test('a stream is read only once a connection is there', async () => {
    const b = await named('b');
    const body = new PassThrough().end('abc');
    const client = new ScgiClient([nowhere(), nowhere(), b.target]);
    const response = await client.request({ method: 'POST', body, contentLength: 3 });
    expect(await response.text()).toBe('b');
    expect((await (await b.backend.connection()).body()).toString()).toBe('abc');
  });
});

describe('a Unix socket whose backlog is full', () => {
  /** A process that listens and never accepts. */
  async function stuck(): Promise<string> {
    const path = join(temporaryFolder(), 'stuck.sock');
    const code = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => {
      require('node:fs').writeSync(1, 'up');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await within('the listener', once(child.stdout, 'data'));
    return `unix:${path}`;
  }

  /** As many requests as the backlog takes, and then some. */
  const fill = (client: ScgiClient): Promise<unknown>[] =>
    Array.from({ length: 20 }, () =>
      client.request({ signal: AbortSignal.timeout(2000) }).catch((error: unknown) => error),
    );

  test('is busy, not down', async () => {
    const client = new ScgiClient(await stuck());
    const first = await within('an outcome', Promise.race(fill(client)));
    expect(first).toMatchObject({ code: 'ERR_SCGI_BACKEND_BUSY', statusHint: 503, details: { reason: 'EAGAIN' } });
  });

  test('leaves the request to another address', async () => {
    const b = await named('b');
    const client = new ScgiClient([await stuck(), b.target]);
    const response = await within('an answer', Promise.race(fill(client)));
    expect(response).toMatchObject({ status: 200 });
  });
});

describe('deadlines', () => {
  test('firstByteTimeout counts from the end of the request', async () => {
    const { client } = await holding({ firstByteTimeout: 30 });
    expect(await rejection(client.request())).toMatchObject({
      code: 'ERR_SCGI_BACKEND_TIMEOUT',
      statusHint: 504,
      details: { awaited: 'first byte' },
    });
  });

  test('idleTimeout counts between bytes, inside the head as well', async () => {
    const { client, backend } = await holding({ idleTimeout: 40 });
    const failed = rejection(client.request());
    const { socket } = await backend.connection();
    socket.write('Status: 2');
    expect(await failed).toMatchObject({ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'response' } });
  });

  test('totalTimeout ends a body that drips', async () => {
    const { client, backend } = await holding({ totalTimeout: 100 });
    const request = client.request();
    const connection = await backend.connection();
    connection.socket.write('Status: 200 OK\r\n\r\n');
    const drip = setInterval(() => connection.socket.write('x'), 5);
    const response = await request;
    expect(await rejection(response.text())).toMatchObject({ code: 'ERR_SCGI_BACKEND_TIMEOUT' });
    clearInterval(drip);
  });

  test('totalTimeout ends the waiting for a connection', async () => {
    const { client } = await holding({ maxConcurrent: 0 });
    const error = await rejection(client.request({ totalTimeout: 20 }));
    expect(error).toMatchObject({ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'free connection' } });
    expect(client.backend.queued).toBe(0);
  });

  test('the time that a reader lets pass is not the backend\u2019s', async () => {
    const backend = await startBackend(async (connection) => {
      await connection.body();
      connection.socket.write('Status: 200 OK\r\n\r\n');
      connection.socket.write(Buffer.alloc(1_000_000));
    });
    const client = new ScgiClient(backend.target, { idleTimeout: 150 });
    const { body } = await client.request();
    const iterator = body[Symbol.asyncIterator]();
    await iterator.next();
    let bytes = 0;
    // Each pause is shorter than the time, all of them together are longer.
    for (let round = 0; round < 5; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const { value } = await iterator.next();
      bytes += value.length;
    }
    expect(bytes).toBeGreaterThan(0);
    body.destroy();
  });

  test('an upgraded connection has no total time', async () => {
    const { client, backend } = await holding();
    const request = client.request({ totalTimeout: 60 });
    const peer = await backend.connection();
    peer.socket.write('Status: 101 Switching Protocols\r\n\r\n');
    const { socket } = await request;
    await new Promise((resolve) => setTimeout(resolve, 100));
    peer.socket.write('still here');
    const [data]: unknown[] = await within('the bytes', once(socket ?? new PassThrough(), 'data'));
    expect(String(data)).toBe('still here');
    socket?.destroy();
  });
});

describe('a call', () => {
  test('refuses variables that cannot be sent, even if it would have to wait', () => {
    const backend = new Backend(1, { maxConcurrent: 0 });
    const handler = { onConnect() {}, onDrain() {}, onHead() {}, onBody: () => true, onEnd() {}, onError() {} };
    const request = { method: 'GET', variables: ['A', 'nul\0'], bodyLength: 0 };
    expect(() => backend.open(request, handler)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_VARIABLE' }));
    expect([backend.connections, backend.queued]).toEqual([0, 0]);
  });

  test('half-closes only if it is told to', async () => {
    for (const halfClose of [false, true]) {
      const ends: string[] = [];
      const backend = await startBackend(async (connection) => {
        connection.socket.on('end', () => ends.push('end'));
        await connection.body();
        await turns(20);
        ends.push('answer');
        connection.socket.end(ok);
      });
      const client = new ScgiClient(backend.target, { halfClose });
      expect(await (await client.request({ body: new PassThrough().end('abc'), contentLength: 3 })).text()).toBe('ok');
      expect(ends[0]).toBe(halfClose ? 'end' : 'answer');
    }
  });

  test('maxResponseSize takes exactly that much, and 0 nothing', async () => {
    const { target } = await answering('Status: 200 OK\r\n\r\n12345');
    const client = new ScgiClient(target);
    expect(await (await client.request({ maxResponseSize: 5 })).text()).toBe('12345');
    const code = 'ERR_SCGI_RESPONSE_TOO_LARGE';
    expect(await rejection((await client.request({ maxResponseSize: 4 })).text())).toMatchObject({ code });
    expect(await rejection((await client.request({ maxResponseSize: 0 })).text())).toMatchObject({ code });
    const counted = await answering(ok);
    expect(await rejection(new ScgiClient(counted.target).request({ maxResponseSize: 1 }))).toMatchObject({ code });
    const head = await new ScgiClient(counted.target).request({ maxResponseSize: 0, method: 'HEAD' });
    expect(head.contentLength).toBe(2);
  });
});
