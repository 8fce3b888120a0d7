// TCP listening, what every kind of target has in common, and the errors of the system in plain words.
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveTargets } from '../../src/lifecycle/bind.js';
import { listen, type Endpoint, type ListenSettings } from '../../src/lifecycle/listen.js';
import { failureOf, greeter, greetingFrom, temporaryFolder } from './support.js';

async function open(server: Server, bind: string, settings?: ListenSettings): Promise<Endpoint> {
  const [target] = resolveTargets(bind, {}, process.pid);
  if (target === undefined || target.kind === 'connection') throw new Error('nothing to listen on');
  return listen(server, target, settings);
}

const listenerCount = (server: Server): number =>
  server.eventNames().reduce((sum, name) => sum + server.listenerCount(name), 0);

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('an endpoint', () => {
  test('of TCP has the port that the system chose', async () => {
    const { address, host, port, path } = await open(greeter('hello'), '0');
    expect(host).toBe('127.0.0.1');
    expect(port).toBeGreaterThan(0);
    expect(address).toBe(`127.0.0.1:${port}`);
    expect(path).toBeUndefined();
    expect(await greetingFrom({ host: '127.0.0.1', port: port ?? 0 })).toBe('hello');
  });

  test('of IPv6 has brackets', async (context) => {
    context.skip(!hasIPv6, 'this machine has no ::1');
    const { address, host, port } = await open(greeter('hello'), '[::1]:0');
    expect(address).toBe(`[::1]:${port}`);
    expect(host).toBe('::1');
    expect(await greetingFrom({ host: '::1', port: port ?? 0 })).toBe('hello');
  });

  test('of a host name has the address it stands for, IPv4 first', async () => {
    const { host } = await open(greeter(), 'localhost:0');
    expect(host).toBe('127.0.0.1');
  });

  test('of a Unix socket has its path, and release removes the file', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const endpoint = await open(greeter('hello'), `unix:${path}`);
    expect(endpoint).toMatchObject({ address: `unix:${path}`, path });
    expect(endpoint.host).toBeUndefined();
    expect(await greetingFrom({ path })).toBe('hello');
    await endpoint.release();
    await expect(greetingFrom({ path })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('an address beyond loopback', () => {
  test.for([
    ['0.0.0.0:0', '0.0.0.0:0'],
    ['[::]:0', '[::]:0'],
    // A name for 0.0.0.0 that needs no name server.
    ['0:0', '0.0.0.0:0'],
  ])('%s is refused without allowFrom', async ([bind = '', shown = '']) => {
    const server = greeter();
    const error = await failureOf(() => open(server, bind));
    expect(error.code).toBe('ERR_SCGI_ALLOW_FROM');
    expect(error.message).toContain(shown);
    expect(error.message).toContain('set allowFrom');
    expect(server.listening).toBe(false);
  });

  test('is opened with allowFrom', async () => {
    const { host, port } = await open(greeter('hello'), '0.0.0.0:0', { allowFrom: ['127.0.0.1'] });
    expect(host).toBe('0.0.0.0');
    expect(await greetingFrom({ host: '127.0.0.1', port: port ?? 0 })).toBe('hello');
  });

  test('lets nobody in when it shows only after listening', async () => {
    // A server whose address turns out to be another one than asked for, as with an inherited socket.
    const server = greeter();
    let connections = 0;
    server.on('connection', () => (connections += 1));
    let client: Promise<string> | undefined;
    const ask = server.address.bind(server);
    server.address = () => {
      const bound = ask();
      if (bound === null || typeof bound === 'string') return bound;
      client ??= greetingFrom({ host: '127.0.0.1', port: bound.port });
      return { ...bound, address: '192.0.2.1' };
    };
    const error = await failureOf(() => open(server, '127.0.0.1:0'));
    expect(error.code).toBe('ERR_SCGI_ALLOW_FROM');
    await expect(client).rejects.toMatchObject({ code: /ECONNREFUSED|ECONNRESET/ });
    expect(connections).toBe(0);
    expect(server.listening).toBe(false);
  });
});

describe('an address that cannot be bound', () => {
  test('because another listens there gives the remedy and the cause', async () => {
    const { port } = await open(greeter(), '0');
    const server = greeter();
    const error = await failureOf(() => open(server, `127.0.0.1:${port}`));
    expect(error).toMatchObject({ code: 'ERR_SCGI_BIND', cause: { code: 'EADDRINUSE' } });
    expect(error.message).toContain(`bind "127.0.0.1:${port}"`);
    expect(error.message).toContain('another process listens there');
    expect(error.message).toContain('choose another port');
    expect(server.listening).toBe(false);
  });

  test('because it is not ours gives the remedy', async () => {
    const error = await failureOf(() => open(greeter(), '192.0.2.1:0', { allowFrom: ['192.0.2.2'] }));
    expect(error).toMatchObject({ code: 'ERR_SCGI_BIND', cause: { code: 'EADDRNOTAVAIL' } });
    expect(error.message).toContain('bind to one that it has');
  });

  test('because its name has no address gives the remedy', async () => {
    // A label of 64 characters cannot be asked for, so no name server is.
    const error = await failureOf(() => open(greeter(), `${'a'.repeat(64)}.test:0`));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.message).toContain('write an address such as 127.0.0.1');
  });

  test('because the descriptor is a file gives the remedy', async () => {
    const file = openSync(join(temporaryFolder(), 'file'), 'w');
    onTestFinished(() => closeSync(file));
    const server = greeter();
    const error = await failureOf(() => open(server, `fd:${file}`));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.message).toContain('let the parent process pass a listening socket');
    expect(server.listening).toBe(false);
  });

  test('does not use the server up', async () => {
    const { port } = await open(greeter(), '0');
    const server = greeter('second try');
    await failureOf(() => open(server, `127.0.0.1:${port}`));
    const second = await open(server, '0');
    expect(await greetingFrom({ host: '127.0.0.1', port: second.port ?? 0 })).toBe('second try');
  });
});

test('a server that listens already is refused and goes on', async () => {
  const server = greeter('hello');
  const { port } = await open(server, '0');
  const error = await failureOf(() => open(server, `unix:${join(temporaryFolder(), 'app.sock')}`));
  expect(error.message).toContain('use one server for each address');
  expect(await greetingFrom({ host: '127.0.0.1', port: port ?? 0 })).toBe('hello');
});

test.each(['0', 'localhost:0', 'unix:app.sock', 'fd:3'])('an aborted signal stops %s', async (bind) => {
  const server = createServer();
  const reason = new Error('changed my mind');
  await expect(open(server, bind, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(server.listening).toBe(false);
});

test('a signal that aborts while the host name is looked up stops it', async () => {
  const server = createServer();
  const controller = new AbortController();
  const opening = open(server, 'localhost:0', { signal: controller.signal });
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await expect(opening).rejects.toBe(reason);
  expect(server.listening).toBe(false);
});

test('leaves no listeners on the server, whether it works or not', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const bound = taken.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const server = greeter();
  const before = listenerCount(server);
  await failureOf(() => open(server, `127.0.0.1:${port}`));
  await failureOf(() => open(server, '0.0.0.0:0'));
  expect(listenerCount(server)).toBe(before);
  await open(server, '0');
  expect(listenerCount(server)).toBe(before);
});
