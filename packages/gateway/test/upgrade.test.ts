// Upgrades: to the backend with what they need, a tunnel both ways after a 101, an ordinary answer after everything else.

import { createServer } from 'node:http';
import { createScgiServer } from '@scgi/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { scgi, type GatewayOptions } from '../src/index.js';
import { listenWith } from './front/support.js';
import { startMiddleware } from './support/app.js';
import { startBackend, type Backend, type BackendConnection } from './support/backend.js';
import { RawClient, type Front } from './support/front.js';
import { turns, until, within } from './support/within.js';

const MIB = 1 << 20;
const upgradeHead = 'GET /chat?x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const agreed = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-Token: t\r\n\r\n';

interface Tunnel {
  readonly backend: Backend;
  readonly connection: BackendConnection;
  readonly client: RawClient;
  readonly front: Front;
}

/** A tunnel that is open; what follows the request reaches the backend raw. */
async function openTunnel(options: GatewayOptions = {}, tcp = true): Promise<Tunnel> {
  const backend = await startBackend(undefined, { tcp });
  const front = await startMiddleware(backend.target, options);
  const client = new RawClient(front);
  client.send(upgradeHead);
  const connection = await backend.connection();
  await connection.body();
  connection.socket.removeAllListeners('data');
  connection.socket.write(agreed);
  await client.sees('\r\n\r\n');
  return { backend, connection, client, front };
}

/** What a socket reads from now on. */
function reading({ socket }: BackendConnection): { text: string } {
  const read = { text: '' };
  socket.on('data', (chunk: Buffer) => (read.text += chunk.toString('latin1')));
  return read;
}

test('the backend is told of the upgrade, and of the request as of any other', async () => {
  const { connection } = await openTunnel();
  expect(Object.fromEntries(connection.variables ?? [])).toMatchObject({
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/chat?x',
    HTTP_UPGRADE: 'echo',
    HTTP_CONNECTION: 'upgrade',
    CONTENT_LENGTH: '0',
  });
});

test('a 101 goes to the client with Upgrade, Connection and the fields of the backend', async () => {
  const { client } = await openTunnel();
  expect(client.text).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-Token: t\r\n\r\n',
  );
});

test('bytes go both ways, the earliest of the client included', async () => {
  const backend = await startBackend();
  const client = new RawClient(await startMiddleware(backend.target));
  client.send(`${upgradeHead}early `);
  const connection = await backend.connection();
  await connection.body();
  client.send('and still early ');
  await turns(20);
  connection.socket.removeAllListeners('data');
  const read = reading(connection);
  connection.socket.write(`${agreed}hello`);
  await client.sees('hello');
  client.send('late');
  await until('all has come', () => read.text === 'early and still early late');
});

describe('back-pressure', () => {
  const bound = 24 * MIB;
  const piece = Buffer.alloc(MIB);

  test('of a backend that does not read reaches the client', async () => {
    const { client, connection } = await openTunnel();
    connection.socket.pause();
    let taken = 0;
    const write = (): void => {
      if (taken < 96) client.socket.write(piece, () => ((taken += 1), write()));
    };
    write();
    await settles(() => taken);
    expect(taken * MIB).toBeLessThan(bound);
    connection.socket.resume();
    await until('the rest is taken', () => taken === 96, 10_000);
  });

  test('of a client that does not read reaches the backend', async () => {
    const { client, connection } = await openTunnel();
    client.socket.pause();
    let taken = 0;
    const write = (): void => {
      if (taken < 96) connection.socket.write(piece, () => ((taken += 1), write()));
    };
    write();
    await settles(() => taken);
    expect(taken * MIB).toBeLessThan(bound);
    client.socket.removeAllListeners('data').resume();
    await until('the rest is taken', () => taken === 96, 10_000);
  });
});

/** Waits until a number has stopped growing. */
async function settles(read: () => number): Promise<void> {
  for (let last = -1; read() !== last;) {
    last = read();
    await turns(400);
  }
}

describe('the end of a tunnel', () => {
  test('by the client: the backend sees it, and may still answer', async () => {
    const { client, connection } = await openTunnel();
    const read = reading(connection);
    client.socket.end('bye');
    expect(await connection.closed()).toBe('fin');
    expect(read.text).toBe('bye');
    connection.socket.end('so long');
    await client.sees('so long');
    expect(await client.closed()).toBe('fin');
  });

  test('by the backend: the client sees it, and may still answer', async () => {
    const { client, connection } = await openTunnel();
    const read = reading(connection);
    connection.socket.end('bye');
    await client.sees('bye');
    expect(await client.closed()).toBe('fin');
    client.socket.end('so long');
    await until('the answer', () => read.text === 'so long');
    expect(await connection.closed()).toBe('fin');
  });

  test('by a backend whose client does not end its side: it is cut off after lingerTimeout', async () => {
    const { client, connection } = await openTunnel({ lingerTimeout: 50 });
    connection.socket.resume().end();
    expect(await client.closed()).toBe('fin');
    await connection.closed();
  });

  test.each([{ tcp: true }, { tcp: false }])('by a client that vanishes: the backend sees it: %o', async ({ tcp }) => {
    const { client, connection } = await openTunnel({}, tcp);
    connection.socket.resume();
    client.socket.resetAndDestroy();
    await connection.closed();
  });

  test('by a backend that vanishes: the client sees it, and the operator is told', async () => {
    const { client, connection, front } = await openTunnel();
    connection.socket.resetAndDestroy();
    await client.closed();
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_RESET' }]);
  });

  test('by silence: after tunnelTimeout, and not after idleTimeout', async () => {
    const { client, connection, front } = await openTunnel({ idleTimeout: 20, tunnelTimeout: 200 });
    const read = reading(connection);
    const started = performance.now();
    await client.closed();
    await connection.closed();
    expect(performance.now() - started).toBeGreaterThan(150);
    expect(read.text).toBe('');
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_IDLE_TIMEOUT', details: { idleTimeout: 200 } }]);
  });
});

describe('a client that leaves before the backend has agreed', () => {
  test.each(['destroy', 'end'] as const)('is seen by the backend: %s', async (how) => {
    const backend = await startBackend();
    const front = await startMiddleware(backend.target);
    const client = new RawClient(front);
    client.send(upgradeHead);
    const connection = await backend.connection();
    await connection.body();
    client.socket[how]();
    await connection.closed();
    expect(front.errors).toEqual([]);
  });

  test('is seen while it waits for a connection', async () => {
    const backend = await startBackend();
    const front = await startMiddleware(backend.target, { maxConcurrent: 1 });
    const first = new RawClient(front);
    first.send(upgradeHead);
    await backend.connection();
    const second = new RawClient(front);
    second.send(upgradeHead);
    await turns(20);
    second.socket.destroy();
    await turns(20);
    first.socket.destroy();
    await backend.connections[0]?.closed();
    await turns(20);
    expect(backend.connections).toHaveLength(1);
  });
});

describe('an answer other than 101', () => {
  test('is written as to any request, and closes the connection', async () => {
    const backend = await startBackend((connection) =>
      connection.answer('Status: 403 Forbidden\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nno'),
    );
    const client = new RawClient(await startMiddleware(backend.target));
    client.send(upgradeHead);
    expect(await client.closed()).toBe('fin');
    expect(client.text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nX-A: 1\r\nContent-Length: 2\r\n[^]*\r\n\r\nno$/);
    expect(client.text).toContain('\r\nConnection: close\r\n');
  });

  test('is sent piece by piece at the pace of the client', async () => {
    const backend = await startBackend(({ socket }) => {
      socket.write('Status: 200 OK\r\n\r\n');
      socket.end(Buffer.alloc(8 * MIB, 'x'));
    });
    const client = new RawClient(await startMiddleware(backend.target));
    client.socket.pause();
    client.send(upgradeHead);
    await turns(50);
    client.socket.resume();
    expect(await client.closed()).toBe('fin');
    expect(client.text.length).toBeGreaterThan(8 * MIB);
    expect(client.text).toMatch(/\r\n0\r\n\r\n$/);
  });

  test.each([
    ['Status: 999\r\n\r', 'ERR_SCGI_RESPONSE_HEAD', 502],
    ['', 'ERR_SCGI_RESPONSE_EMPTY', 502],
  ])('that is none makes an error answer: %j', async (bytes, code, status) => {
    const backend = await startBackend((connection) => connection.answer(bytes));
    const front = await startMiddleware(backend.target);
    const client = new RawClient(front);
    client.send(upgradeHead);
    expect(await client.closed()).toBe('fin');
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(front.errors).toMatchObject([{ code }]);
  });

  test('of a backend that does not exist makes a 502', async () => {
    const backend = await startBackend(undefined, { tcp: true });
    await new Promise((resolve) => backend.server.close(resolve));
    const client = new RawClient(await startMiddleware(backend.target));
    client.send(upgradeHead);
    await client.closed();
    expect(client.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*502 Bad Gateway\n$/);
  });
});

describe('what is no upgrade', () => {
  test('h2c, which curl asks for with every first request, is not passed on', async () => {
    const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nplain'));
    const client = new RawClient(await startMiddleware(backend.target));
    const fields = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    client.send(`GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    await client.closed();
    expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*plain/);
    const { variables } = await backend.connection();
    expect([...(variables?.keys() ?? [])].filter((name) => /UPGRADE|HTTP2|CONNECTION/.test(name))).toEqual([]);
  });

  test.each(['h2c', 'echo'])('the body of a request that asks for %s is passed on as it comes', async (protocol) => {
    const backend = await startBackend(async (connection) => {
      const body = await connection.body();
      await connection.answer(`Status: 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body);
    });
    const client = new RawClient(await startMiddleware(backend.target));
    const fields = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: 9\r\n`;
    client.send(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\none`);
    const connection = await backend.connection();
    await until('the first piece has come', () => connection.bodyBytes === 3);
    client.send('two');
    await until('the second piece has come', () => connection.bodyBytes === 6);
    client.send('sixandmore');
    expect(await client.closed()).toBe('fin');
    expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nonetwosix$/);
  });

  test('a large body of such a request comes whole, and waits for a backend that reads late', async () => {
    const backend = await startBackend(undefined, { readBody: false });
    const client = new RawClient(await startMiddleware(backend.target));
    const head = `Connection: Upgrade\r\nUpgrade: h2c\r\nExpect: 100-continue\r\nContent-Length: ${32 * MIB}\r\n`;
    client.send(`PUT / HTTP/1.1\r\nHost: x\r\n${head}\r\n`);
    await client.sees('HTTP/1.1 100 Continue\r\n\r\n');
    client.send(Buffer.alloc(32 * MIB, 'x'));
    const connection = await backend.connection();
    await turns(100);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    connection.socket.resume();
    expect((await connection.body()).length).toBe(32 * MIB);
    connection.socket.end('Status: 204 No Content\r\n\r\n');
    await client.sees('HTTP/1.1 204 No Content\r\n');
  });

  test('bytes behind the body belong to the tunnel', async () => {
    const backend = await startBackend(undefined, { tcp: true });
    const client = new RawClient(await startMiddleware(backend.target));
    const fields = 'Connection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 4\r\n';
    client.send(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\nbodyearly`);
    const connection = await backend.connection();
    expect((await connection.body()).toString()).toBe('body');
    connection.socket.removeAllListeners('data');
    const read = reading(connection);
    connection.socket.write(agreed);
    await until('the early bytes', () => read.text === 'early');
  });

  test('a body in chunks is refused with 411, unless Node takes them apart', async () => {
    const backend = await startBackend(async (connection) => {
      const body = await connection.body();
      await connection.answer(`Status: 200 OK\r\n\r\n${body.toString()}`);
    });
    const front = await startMiddleware(backend.target);
    let unread = true;
    front.server.on('upgrade', (request) => (unread = request.complete && request.readableLength === 0));
    const client = new RawClient(front);
    const fields = 'Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n';
    client.send(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n4\r\nbody\r\n0\r\n\r\n`);
    await client.closed();
    expect(client.text).toMatch(unread ? /^HTTP\/1\.1 411 Length Required\r\n/ : /^HTTP\/1\.1 200 OK\r\n[^]*body/);
    expect(front.errors.map(({ code }) => code)).toEqual(unread ? ['ERR_SCGI_LENGTH_REQUIRED'] : []);
    expect(backend.connections).toHaveLength(unread ? 0 : 1);
  });

  test("a request with a body that is nobody's gets its 404 as well", async () => {
    const backend = await startBackend();
    const front = await listenWith({ backends: { '/api': backend.target } });
    const client = new RawClient(front);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 9\r\n\r\none');
    await client.sees('HTTP/1.1 404 Not Found\r\n');
    expect(await client.closed()).toBe('fin');
  });

  test('a request outside of the prefix is left to other listeners, and gets a 404 if there are none', async () => {
    const backend = await startBackend();
    const middleware = scgi('/ws', backend.target);
    const server = createServer(middleware);
    server.on('upgrade', middleware.upgrade);
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const alone = new RawClient({ server, port, errors: [] });
    alone.send(upgradeHead);
    await alone.closed();
    expect(alone.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);

    server.on('upgrade', (_, socket) => socket.end('taken'));
    const shared = new RawClient({ server, port, errors: [] });
    shared.send(upgradeHead);
    await shared.sees('taken');
    expect(shared.text).toBe('taken');
    expect(backend.connections).toHaveLength(0);
  });
});

describe('a ws server behind it, unchanged', () => {
  async function startChat(): Promise<{ url: string; sockets: WebSocketServer }> {
    const server = createScgiServer();
    const sockets = new WebSocketServer({ server });
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const front = await startMiddleware(typeof address === 'object' ? (address?.port ?? 0) : 0);
    return { url: `ws://127.0.0.1:${front.port}/chat`, sockets };
  }

  test('echoes messages of every size, and closes with its code', async () => {
    const { url, sockets } = await startChat();
    sockets.on('connection', (socket, request) => {
      socket.send(request.url ?? '');
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
        if (!isBinary) socket.close(4001, 'done');
      });
    });
    const client = new WebSocket(url);
    const received: Buffer[] = [];
    client.on('message', (data: Buffer) => received.push(data));
    const closed = new Promise((resolve) => client.once('close', (code, reason) => resolve([code, `${reason}`])));
    await within('the greeting', new Promise((resolve) => client.once('message', resolve)));
    client.send(Buffer.alloc(3 * MIB, 7));
    client.send('last');
    expect(await within('the close', closed)).toEqual([4001, 'done']);
    expect(received.map((data) => data.length)).toEqual([5, 3 * MIB, 4]);
    expect(received[1]?.every((byte) => byte === 7)).toBe(true);
  });

  test('refuses a handshake with its own answer', async () => {
    const { url, sockets } = await startChat();
    sockets.options.verifyClient = () => false;
    const client = new WebSocket(url);
    const status = new Promise((resolve) =>
      client.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
    );
    expect(await within('the refusal', status)).toBe(401);
    client.on('error', () => {}).terminate();
  });

  test('sees a client that vanishes', async () => {
    const { url, sockets } = await startChat();
    const gone = new Promise((resolve) => sockets.on('connection', (socket) => socket.once('close', resolve)));
    const client = new WebSocket(url);
    await within('the tunnel', new Promise((resolve) => client.once('open', resolve)));
    client.terminate();
    expect(await within('the close', gone)).toBe(1006);
  });
});
