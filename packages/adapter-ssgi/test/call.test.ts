// The arguments an application is called with, and what `res.extensions` adds.

import http from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { formatAddress } from '../src/addresses.js';
import type { SsgiApp } from '../src/index.js';
import { ask, askOnce, serve, type Question } from './support/stage.js';

/** What an application gets, but for the functions. */
async function argumentsOf(question: Question, options = {}): Promise<unknown> {
  const app: SsgiApp = (...call) => {
    const [type, server, remote, method, path, query, getHeader, res] = call;
    if (type === 'http') res.send(JSON.stringify([type, server, remote, method, path, query, typeof getHeader]));
  };
  return JSON.parse((await ask((await serve(app, options)).address, question)).text);
}

describe('the arguments', () => {
  test('are type, addresses, method, path, query and getHeader', async () => {
    const variables = { SERVER_ADDR: '10.0.0.1', SERVER_PORT: '8080', REMOTE_ADDR: '192.0.2.7', REMOTE_PORT: '4711' };
    expect(await argumentsOf({ method: 'PATCH', target: '/a/b?c=d&e', variables })).toEqual([
      'http',
      '10.0.0.1:8080',
      '192.0.2.7:4711',
      'PATCH',
      '/a/b',
      'c=d&e',
      'function',
    ]);
  });

  test.each([
    ['/caf%C3%A9/%2F', '/caf%C3%A9/%2F', ''],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['//x//?%20+', '//x//', '%20+'],
    ['/\xe9', '/\xe9', ''],
  ])('have the target %s as it was sent', async (target, path, query) => {
    const found = await argumentsOf({ target });
    expect(found).toMatchObject({ 4: path, 5: query });
  });

  test('have the path behind basePath', async () => {
    expect(await argumentsOf({ target: '/app/x?y' }, { basePath: '/app' })).toMatchObject({ 4: '/x', 5: 'y' });
  });

  test('have the name of the server where the front end gives no address', async () => {
    expect(await argumentsOf({ variables: { SERVER_NAME: 'server.test', SERVER_PORT: '443' } })).toMatchObject({
      1: 'server.test:443',
    });
  });

  test('have empty addresses where nothing is known', async () => {
    const variables = { SERVER_NAME: '', SERVER_PORT: '', REMOTE_ADDR: 'unix:', REMOTE_PORT: '' };
    expect(await argumentsOf({ variables })).toMatchObject({ 1: '', 2: '' });
  });

  test('are not bound to the exchange', async () => {
    const seen: unknown[] = [];
    const { address } = await serve(function (this: unknown, ...call) {
      seen.push(this);
      if (call[0] === 'http') call[7].send('x');
    });
    await ask(address);
    expect(seen).toEqual([undefined]);
  });

  test('are of type http for a request to upgrade where the front end cannot carry the answer', async () => {
    const wish = { HTTP_CONNECTION: 'Upgrade', HTTP_UPGRADE: 'websocket' };
    expect(await argumentsOf({ variables: { ...wish, SERVER_SOFTWARE: 'Apache/2.4.62' } })).toMatchObject({
      0: 'http',
    });
    expect(await argumentsOf({ variables: { ...wish, HTTP_UPGRADE: 'h2c' } })).toMatchObject({ 0: 'http' });
    expect(await argumentsOf({ method: 'POST', variables: wish })).toMatchObject({ 0: 'http' });
  });
});

test.each([
  ['192.0.2.7', 80, '192.0.2.7:80'],
  ['192.0.2.7', undefined, '192.0.2.7'],
  ['::1', 80, '[::1]:80'],
  ['::1', undefined, '[::1]'],
  ['[::1]', 80, '[::1]:80'],
  ['fe80::1%eth0', 1, '[fe80::1%eth0]:1'],
  ['name.test', 80, 'name.test:80'],
  ['', 80, ''],
  [undefined, 80, ''],
])('%s and port %s are the address %j', (host, port, address) => {
  expect(formatAddress(host, port)).toBe(address);
});

describe('res.extensions', () => {
  test('has all variables', async () => {
    const { text } = await askOnce((res) => res.send(`${res.extensions.env.REMOTE_USER}`), {
      variables: { REMOTE_USER: 'ada', HTTP_PROXY: 'evil' },
    });
    expect(text).toBe('ada');
  });

  test('collects the variables once, without HTTP_PROXY', async () => {
    const { text } = await askOnce(
      (res) => {
        const { extensions } = res;
        const { env } = extensions;
        res.send(`${env === extensions.env} ${extensions === res.extensions} ${env.HTTP_PROXY}`);
      },
      { variables: { HTTP_PROXY: 'evil' } },
    );
    expect(text).toBe('true true undefined');
  });

  test('has what the front end says of the connection', async () => {
    const { text } = await askOnce(
      (res) => res.send(JSON.stringify(res.extensions.scgi)),
      { target: '/app/x?y', variables: { HTTPS: 'on' } },
      { basePath: '/app' },
    );
    expect(JSON.parse(text)).toEqual({
      basePath: '/app',
      target: '/app/x?y',
      encrypted: true,
      serverName: 'server.test',
    });
  });
});

test('no object of node:http is made for a request', async () => {
  const made: string[] = [];
  const handler: ProxyHandler<typeof http.IncomingMessage> & ProxyHandler<typeof http.ServerResponse> = {
    construct(target, args, newTarget) {
      made.push(target.name);
      return Reflect.construct(target, args, newTarget);
    },
  };
  const IncomingMessage = new Proxy(http.IncomingMessage, handler);
  const ServerResponse = new Proxy(http.ServerResponse, handler);
  const emit = vi.spyOn(http.Server.prototype, 'emit');
  const app: SsgiApp = async (...call) => {
    if (call[0] === 'http') call[7].send(await call[7].getData());
  };
  const { address } = await serve(app, { IncomingMessage, ServerResponse });
  expect((await ask(address, { method: 'POST', body: 'abc' })).text).toBe('abc');
  expect(made).toEqual([]);
  expect(emit.mock.calls.map(([event]) => event)).not.toContain('request');
  emit.mockRestore();
});
