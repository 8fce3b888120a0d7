// Who can reach the server: loopback unless told otherwise, and nobody beyond it who is not on the list.

import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createScgiServer } from '../../src/index.js';
import type { ScgiServer, ScgiServerOptions } from '../../src/index.js';
import { ending, exchange, head, within } from '../support/raw-client.js';
import { addressOf, connectFrom, hasManyLoopbacks, rejectionOf, serve, temporaryFolder } from './support.js';

function newServer(options: ScgiServerOptions = {}): ScgiServer {
  const server = createScgiServer(options, (_req, res) => res.end('here'));
  onTestFinished(() => void server.close());
  return server;
}

/** A port that was free a moment ago, for the forms that cannot ask for any. */
async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = addressInfo(probe);
  probe.close();
  await once(probe, 'close');
  return port;
}

function addressInfo(server: net.Server): AddressInfo {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP server');
  return bound;
}

describe('createScgiServer().listen()', () => {
  const nothing = (): void => {};
  it.each<[string, (server: ScgiServer, port: number) => unknown]>([
    ['nothing', (server) => server.listen()],
    ['a callback', (server) => server.listen(nothing)],
    ['a port', (server) => server.listen(0)],
    ['a port and a callback', (server) => server.listen(0, nothing)],
    ['a port and a backlog', (server) => server.listen(0, 100)],
    ['a port, a backlog and a callback', (server) => server.listen(0, 100, nothing)],
    ['a port, no host and a callback', (server) => server.listen(0, undefined, nothing)],
    ['a port, no host, a backlog and a callback', (server) => server.listen(0, undefined, 100, nothing)],
    ['a port as text', (server, port) => server.listen(String(port))],
    ['a port as text and a callback', (server, port) => server.listen(String(port), nothing)],
    ['{ port }', (server) => server.listen({ port: 0 })],
    ['{ port } and a callback', (server) => server.listen({ port: 0 }, nothing)],
    ['{ port, backlog, exclusive }', (server) => server.listen({ port: 0, backlog: 100, exclusive: true })],
    ['localhost by its address', (server) => server.listen(0, '127.0.0.1')],
    ['{ port, host }', (server) => server.listen({ port: 0, host: '127.0.0.1' })],
  ])('given %s listens on 127.0.0.1', async (_form, listen) => {
    const server = newServer();
    const port = await freePort();
    const listening = once(server, 'listening');
    expect(listen(server, port)).toBe(server);
    await within('listening', listening);
    expect(addressInfo(server).address).toBe('127.0.0.1');
    expect((await exchange(server.address(), head())).text).toMatch(/here$/);
  });

  it.each<[string, (server: ScgiServer, path: string) => unknown]>([
    ['a path', (server, path) => server.listen(path)],
    ['a path and a callback', (server, path) => server.listen(path, nothing)],
    ['{ path }', (server, path) => server.listen({ path })],
  ])('given %s listens on a Unix socket', async (_form, listen) => {
    const server = newServer();
    const path = join(temporaryFolder(), 'app.sock');
    const listening = once(server, 'listening');
    listen(server, path);
    await within('listening', listening);
    expect(server.address()).toBe(path);
    expect((await exchange(path, head())).text).toMatch(/here$/);
  });

  it('given another server takes over its socket', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const server = newServer();
    const listening = once(server, 'listening');
    server.listen(other);
    await within('listening', listening);
    expect(addressInfo(server).port).toBe(addressInfo(other).port);
    expect((await exchange(server.address(), head())).text).toMatch(/here$/);
  });

  it('calls the callback once, when it listens', async () => {
    const server = newServer();
    let address: unknown;
    const called = new Promise<void>((resolve) => {
      server.listen(0, () => {
        address = server.address();
        resolve();
      });
    });
    await within('the callback', called);
    expect(address).toMatchObject({ address: '127.0.0.1' });
    expect(server.listenerCount('listening')).toBe(newServer().listenerCount('listening'));
  });

  it.each<[string, (server: ScgiServer, callback: () => void) => unknown]>([
    ["(0, '0.0.0.0')", (server, callback) => server.listen(0, '0.0.0.0', callback)],
    ["(0, '::')", (server, callback) => server.listen(0, '::', callback)],
    ["(0, '')", (server, callback) => server.listen(0, '', callback)],
    ["{ host: '0.0.0.0' }", (server, callback) => server.listen({ port: 0, host: '0.0.0.0' }, callback)],
    ["{ host: '0' }, a name for it", (server, callback) => server.listen({ port: 0, host: '0' }, callback)],
  ])('beyond loopback, as %s, is an error event and nobody hears that it listens', async (_form, listen) => {
    const server = newServer();
    let heard = false;
    const failed = once(server, 'error');
    server.on('listening', () => (heard = true));
    listen(server, () => (heard = true));
    const [error] = await within('the error', failed);
    expect(error).toMatchObject({ code: 'ERR_SCGI_ALLOW_FROM', message: expect.stringContaining('set allowFrom') });
    expect(server.listening).toBe(false);
    expect(heard).toBe(false);
  });

  it('taking over a socket beyond loopback is an error event', async () => {
    const other = net.createServer().listen(0, '0.0.0.0');
    await once(other, 'listening');
    const server = newServer();
    const failed = once(server, 'error');
    server.listen(other);
    expect((await within('the error', failed))[0]).toMatchObject({ code: 'ERR_SCGI_ALLOW_FROM' });
  });

  it('beyond loopback works with allowFrom', async () => {
    const server = newServer({ allowFrom: ['127.0.0.0/8'] });
    server.listen(0, '0.0.0.0');
    await within('listening', once(server, 'listening'));
    const { port } = addressInfo(server);
    expect((await exchange({ address: '127.0.0.1', port, family: 'IPv4' }, head())).text).toMatch(/here$/);
  });

  it('listens again after an address was refused', async () => {
    const server = newServer();
    const failed = once(server, 'error');
    server.listen(0, '0.0.0.0');
    await within('the error', failed);
    server.listen(0);
    await within('listening', once(server, 'listening'));
    expect((await exchange(server.address(), head())).text).toMatch(/here$/);
  });
});

describe('serveScgi beyond loopback', () => {
  it.each(['0.0.0.0:0', '[::]:0', '0:0'])('rejects for %s without allowFrom', async (bind) => {
    expect(await rejectionOf(serve(() => {}, { bind }))).toMatchObject({ code: 'ERR_SCGI_ALLOW_FROM' });
  });

  it('rejects with an empty allowFrom, which names nobody', async () => {
    const error = await rejectionOf(serve(() => {}, { bind: '0.0.0.0:0', allowFrom: [] }));
    expect(error.code).toBe('ERR_SCGI_ALLOW_FROM');
  });

  it('holds no other address of the list either', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    await rejectionOf(serve(() => {}, { bind: [`unix:${path}`, '0.0.0.0:0'] }));
    await expect(exchange(path, head())).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe.runIf(hasManyLoopbacks)('a peer that is not in allowFrom', () => {
  it.each([
    ['an address', ['127.0.0.1']],
    ['a block', ['127.0.0.0/31']],
  ])('of %s is closed before a byte is read, others are served', async (_name, allowFrom) => {
    let requests = 0;
    const { server, endpoints } = await serve(
      (_req, res) => {
        requests += 1;
        res.end('here');
      },
      { allowFrom },
    );
    server.on('clientError', () => (requests += 1));
    const accepted = once(server, 'connection');
    const stranger = await connectFrom('127.0.0.2', endpoints[0]?.port ?? 0);
    const end = ending(stranger);
    stranger.write(head());
    const [socket] = await within('the connection', accepted);
    expect((await end).text).toBe('');
    expect(socket.bytesRead).toBe(0);
    expect(requests).toBe(0);
    expect(server.connectionCount).toBe(0);
    const friend = await connectFrom('127.0.0.1', endpoints[0]?.port ?? 0);
    const answer = ending(friend);
    friend.write(head());
    expect((await answer).text).toMatch(/here$/);
  });

  it('is closed on every address of the server', async () => {
    const { endpoints } = await serve((_req, res) => res.end('here'), {
      bind: ['127.0.0.1:0', '127.0.0.1:0'],
      allowFrom: ['127.0.0.1'],
    });
    for (const { port = 0 } of endpoints) {
      const stranger = await connectFrom('127.0.0.2', port);
      const end = ending(stranger);
      stranger.write(head());
      expect((await end).text).toBe('');
    }
  });

  it('is closed even where the server listens on loopback only', async () => {
    const { endpoints } = await serve((_req, res) => res.end('here'), { allowFrom: ['10.0.0.0/8'] });
    const stranger = await connectFrom('127.0.0.1', endpoints[0]?.port ?? 0);
    const end = ending(stranger);
    stranger.write(head());
    expect((await end).text).toBe('');
  });

  it('may still come by a Unix socket: its mode is the guard there', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const { endpoints } = await serve((_req, res) => res.end('here'), {
      bind: ['127.0.0.1:0', `unix:${path}`],
      allowFrom: ['10.0.0.0/8'],
    });
    expect((await exchange(addressOf(endpoints[1]), head())).text).toMatch(/here$/);
  });

  it('is shut out even if it was gone before it was accepted and has no address any more', async () => {
    let requests = 0;
    const { server, endpoints } = await serve(() => (requests += 1), { allowFrom: ['127.0.0.1'] });
    const strangers = [];
    const closed = new Promise<void>((resolve) => {
      let left = 20;
      server.on('connection', (socket) => void socket.on('close', () => (left -= 1) === 0 && resolve()));
    });
    for (let index = 0; index < 20; index += 1) {
      strangers.push(
        connectFrom('127.0.0.2', endpoints[0]?.port ?? 0).then((stranger) => {
          stranger.on('error', () => {});
          stranger.write(head(), () => stranger.resetAndDestroy());
        }),
      );
    }
    await Promise.all(strangers);
    await within('the closing of them all', closed);
    expect(requests).toBe(0);
  });
});
