// Every form of `bind` really listens, and one server answers behind all of them.

import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BindSpec, Endpoint } from '../../src/index.js';
import { connect, ending, exchange, head, turns, within } from '../support/raw-client.js';
import { addressOf, firstAddress, hasIPv6, rejectionOf, serve, temporaryFolder } from './support.js';

async function textFrom(endpoint: Endpoint | undefined): Promise<string> {
  return (await exchange(addressOf(endpoint), head())).text;
}

describe('bind', () => {
  it.each<[string, BindSpec]>([
    ['a number', 0],
    ['a port as text', '0'],
    ['host:port', '127.0.0.1:0'],
    ['a host name', 'localhost:0'],
    ['{ host, port }', { host: '127.0.0.1', port: 0 }],
    ['{ port }', { port: 0 }],
  ])('as %s listens on 127.0.0.1 and tells the port that it got', async (_form, bind) => {
    const { endpoints, server } = await serve((_req, res) => res.end('here'), { bind });
    expect(endpoints).toHaveLength(1);
    const [endpoint] = endpoints;
    expect(endpoint).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) });
    expect(endpoint?.port).toBeGreaterThan(0);
    expect(endpoint?.address).toBe(`127.0.0.1:${endpoint?.port}`);
    expect(server.address()).toMatchObject({ address: '127.0.0.1', port: endpoint?.port });
    expect(await textFrom(endpoint)).toMatch(/here$/);
  });

  it('as [::1]:port listens on IPv6', async (context) => {
    context.skip(!hasIPv6, 'this machine has no ::1');
    const { endpoints } = await serve((_req, res) => res.end('here'), { bind: '[::1]:0' });
    expect(endpoints[0]).toMatchObject({ host: '::1', address: `[::1]:${endpoints[0]?.port}` });
    expect(await textFrom(endpoints[0])).toMatch(/here$/);
  });

  it.each([
    ['0660 without a mode', '', 0o660],
    ['the mode it names', '?mode=0606', 0o606],
  ])('as unix:/path makes a socket with %s', async (_name, query, mode) => {
    const path = join(temporaryFolder(), 'app.sock');
    const { endpoints, server } = await serve((_req, res) => res.end('here'), { bind: `unix:${path}${query}` });
    expect(endpoints[0]).toMatchObject({ address: `unix:${path}`, path });
    expect(endpoints[0]).not.toHaveProperty('port');
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(server.address()).toBe(path);
    expect(await textFrom(endpoints[0])).toMatch(/here$/);
  });

  it('as { path, mode } makes the same socket', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const { endpoints } = await serve((_req, res) => res.end('here'), { bind: { path, mode: 0o600 } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await textFrom(endpoints[0])).toMatch(/here$/);
  });

  it('as several listens on all of them, served by one server', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const bind: BindSpec[] = [0, `unix:${path}`, '127.0.0.1:0'];
    if (hasIPv6) bind.push('[::1]:0');
    let requests = 0;
    const { endpoints, server } = await serve((_req, res) => res.end('here'), { bind });
    server.on('request', () => (requests += 1));
    expect(endpoints).toHaveLength(bind.length);
    expect(new Set(endpoints.map(({ address }) => address)).size).toBe(bind.length);
    for (const endpoint of endpoints) expect(await textFrom(endpoint)).toMatch(/here$/);
    expect(requests).toBe(bind.length);
  });

  it('as several shows applications the one server, whichever address the request came by', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const seen: unknown[] = [];
    const running = await serve(
      (req, res) => {
        seen.push(Reflect.get(req.socket, 'server'));
        res.end();
      },
      { bind: [0, `unix:${path}`] },
    );
    for (const endpoint of running.endpoints) await textFrom(endpoint);
    expect(seen).toEqual([running.server, running.server]);
  });

  it('as a list with one impossible address holds none of them', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const taken = await serve(() => {});
    const used = taken.endpoints[0]?.port ?? 0;
    const error = await rejectionOf(serve(() => {}, { bind: [`unix:${path}`, used] }));
    expect(error).toMatchObject({ code: 'ERR_SCGI_BIND', cause: { code: 'EADDRINUSE' } });
    expect(existsSync(path)).toBe(false);
  });

  it.each<[string, BindSpec | BindSpec[]]>([
    ['an empty list', []],
    ['a port beyond 65535', 65_536],
    ['a URL', 'http://127.0.0.1:4000'],
    ['a path without unix:', '/run/app.sock'],
  ])('as %s is refused with a message that shows what is accepted', async (_name, bind) => {
    const error = await rejectionOf(serve(() => {}, { bind }));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.message).toContain('accepted');
  });
});

describe('endpoints', () => {
  it('are data that survive JSON, for a log or a ready message', async () => {
    const { endpoints } = await serve(() => {});
    const { port } = endpoints[0] ?? {};
    expect(JSON.parse(JSON.stringify(endpoints))).toEqual([{ address: `127.0.0.1:${port}`, host: '127.0.0.1', port }]);
  });

  it('name the address that parseBind reads back', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const first = await serve((_req, res) => res.end('first'), { bind: [0, `unix:${path}`] });
    const addresses = first.endpoints.map(({ address }) => address);
    await within('the close', first.close());
    const second = await serve((_req, res) => res.end('second'), { bind: addresses });
    expect(second.endpoints.map(({ address }) => address)).toEqual(addresses);
    expect((await exchange(firstAddress(second), head())).text).toMatch(/second$/);
  });
});

describe('a connection that is open already', () => {
  /** Both ends: what a server would get, and the client's. */
  async function sockets(): Promise<{ near: net.Socket; far: net.Socket }> {
    const acceptor = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(acceptor, 'listening');
    const accepted = once(acceptor, 'connection');
    const far = await connect(acceptor.address());
    const [near] = await accepted;
    acceptor.close();
    onTestFinished(() => void far.destroy());
    return { near, far };
  }

  it('is served in place of an address, once whoever has called can hear of it', async () => {
    const { near, far } = await sockets();
    far.write(head());
    const running = await serve((_req, res) => res.end('here'), { bind: { connection: near } });
    const requested = once(running.server, 'request');
    expect(running.endpoints).toEqual([]);
    await within('the request', requested);
    expect((await ending(far)).text).toMatch(/here$/);
  });

  it('is served beside addresses', async () => {
    const { near, far } = await sockets();
    const { endpoints } = await serve((_req, res) => res.end('here'), { bind: [{ connection: near }, 0] });
    far.write(head());
    expect((await ending(far)).text).toMatch(/here$/);
    expect(await textFrom(endpoints[0])).toMatch(/here$/);
  });

  it('is waited for by close(), and broken off in the end', async () => {
    const { near, far } = await sockets();
    const running = await serve(() => {}, { bind: { connection: near } });
    far.write(head());
    await within('the request', once(running.server, 'request'));
    const closed = running.close({ timeout: 200 });
    let over = false;
    void closed.then(() => (over = true));
    await turns(20);
    expect(over).toBe(false);
    await within('the close', closed);
    expect(near.destroyed).toBe(true);
  });

  it('stays as it is where an address cannot be had', async () => {
    const { near, far } = await sockets();
    const bind = [{ connection: near }, 'unix:/nowhere/app.sock'];
    await rejectionOf(serve((_req, res) => res.end('here'), { bind }));
    expect(near.destroyed).toBe(false);
    await serve((_req, res) => res.end('here'), { bind: { connection: near } });
    far.write(head());
    expect((await ending(far)).text).toMatch(/here$/);
  });
});
