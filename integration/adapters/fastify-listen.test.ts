// Fastify that listens by itself, on servers that speak SCGI: every form of `app.listen()`, its addresses, and its end.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scgiServerFactory, type ScgiServerOptions } from '@scgi/adapter-fastify';
import { ScgiServer } from '@scgi/core';
import { rawRequest, type RawResponse } from '@scgi/testing';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until, within } from '../support/deadline.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REMOTE_ADDR: '192.0.2.7',
  HTTPS: 'on',
  HTTP_HOST: 'example.com',
  HTTP_X_FORWARDED_FOR: '198.51.100.66',
};

function create(options: ScgiServerOptions = {}, more: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify({ ...more, serverFactory: scgiServerFactory(options) });
  onTestFinished(() => app.close());
  app.get('/', async ({ ip, protocol, hostname, raw }) => ({ ip, protocol, hostname, env: raw.scgi.env['HTTPS'] }));
  return app;
}

const seen = { ip: '192.0.2.7', protocol: 'https', hostname: 'example.com', env: 'on' };

/** Where it listens; TypeScript thinks of Unix sockets. */
function addressesOf(app: FastifyInstance): AddressInfo[] {
  return app.addresses().filter((address: AddressInfo | string) => typeof address === 'object');
}

async function ask(target: string): Promise<unknown> {
  const { body } = await rawRequest(target, { variables });
  return JSON.parse(body.toString());
}

test('takes address, scheme and host from the front end', async () => {
  const app = create();
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  expect(app.server).toBeInstanceOf(ScgiServer);
  expect(await ask(address.replace('http://', ''))).toEqual(seen);
});

test('listens on every address of localhost, which are all that it is told by default', async () => {
  const before = openDescriptors();
  const app = create();
  await app.listen({ port: 0 });
  const addresses = addressesOf(app);
  expect(addresses.length).toBeGreaterThanOrEqual(1);
  for (const { address, family, port } of addresses) {
    expect(['127.0.0.1', '::1']).toContain(address);
    expect(await ask(family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`)).toEqual(seen);
  }
  await within(app.close(), 5_000, 'the end');
  await expectNoLeaks(before);
});

test('listens on a Unix socket, and takes it away at the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-fastify-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'app.sock');
  const app = create();
  expect(await app.listen({ path })).toBe(path);
  expect(app.server.address()).toBe(path);
  expect(await ask(`unix:${path}`)).toEqual(seen);
  await within(app.close(), 5_000, 'the end');
  expect(existsSync(path)).toBe(false);
});

test('calls back once it listens', async () => {
  const app = create();
  const address = await new Promise<string>((resolve, reject) => {
    app.listen({ host: '127.0.0.1', port: 0 }, (error, listening) => (error ? reject(error) : resolve(listening)));
  });
  expect(await ask(address.replace('http://', ''))).toEqual(seen);
});

test('tells its log where it listens, and its onListen hooks that it does', async () => {
  const lines: string[] = [];
  const app = create({}, { logger: { stream: { write: (line) => void lines.push(line) } } });
  let listening = false;
  app.addHook('onListen', async () => void (listening = true));
  await app.listen({ host: '127.0.0.1', port: 0, listenTextResolver: (address) => `SCGI at ${address}` });
  expect(lines.join()).toMatch(/SCGI at http:\/\/127\.0\.0\.1:\d+/);
  expect(listening).toBe(true);
});

test('says if an address is taken', async () => {
  const app = create();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const [{ port } = { port: 0 }] = addressesOf(app);
  await expect(create().listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('refuses addresses that others can reach, unless it is told who may', async () => {
  const refused = create().listen({ host: '0.0.0.0', port: 0 });
  await expect(refused).rejects.toMatchObject({ code: 'ERR_SCGI_ALLOW_FROM' });
  const app = create({ allowFrom: ['127.0.0.1'] });
  await app.listen({ host: '0.0.0.0', port: 0 });
  expect(await ask(`127.0.0.1:${addressesOf(app)[0]?.port}`)).toEqual(seen);
});

test('answers what it cannot take itself, and not as Fastify does in HTTP', async () => {
  const app = create({ maxBodyBytes: 3 });
  const address = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http://', '');
  const answer = await rawRequest(address, { variables: { ...variables, REQUEST_METHOD: 'POST' }, body: 'four' });
  expect(answer.bytes.toString()).toMatch(/^Status: 413 [^]*ERR_SCGI_BODY_TOO_LARGE/);
  expect((await rawRequest(address, 'GET / HTTP/1.1\r\n\r\n')).bytes.toString()).toContain('ERR_SCGI_PLAIN_HTTP');
});

test('leaves the answer to a clientErrorHandler of the application', async () => {
  const errors: unknown[] = [];
  const app = create(
    {},
    {
      clientErrorHandler({ code }, socket) {
        errors.push(code);
        socket.end('Status: 400\r\n\r\nby hand');
      },
    },
  );
  const address = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http://', '');
  expect((await rawRequest(address, '05:')).body.toString()).toBe('by hand');
  expect(errors).toEqual(['ERR_SCGI_NETSTRING_LENGTH']);
});

test('throws for an impossible option when the application is made', () => {
  expect(() => create({ basePath: 'no slash' })).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
});

describe('app.close()', () => {
  test.each([
    ['localhost', {}],
    ['one address', { host: '127.0.0.1' }],
  ])('waits for the requests in flight: %s', async (_what, listen) => {
    const before = openDescriptors();
    const events: string[] = [];
    let finish = (): void => {};
    const app = create();
    app.addHook('onClose', async () => void events.push('onClose'));
    app.get('/slow', async () => {
      events.push('request');
      await new Promise<void>((resolve) => (finish = resolve));
      events.push('answer');
      return 'done';
    });
    await app.listen({ port: 0, ...listen });
    const { address, port } = addressesOf(app).at(-1) ?? expect.unreachable();
    const target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    const answer: Promise<RawResponse> = rawRequest(target, { variables: { ...variables, REQUEST_URI: '/slow' } });
    await until(() => events.length === 1, 5_000, 'the request');
    const closed = app.close();
    await until(() => !app.server.listening, 5_000, 'the end of listening');
    finish();
    expect((await answer).body.toString()).toBe('done');
    await within(closed, 5_000, 'the end');
    expect(events.slice(0, 2)).toEqual(['request', 'answer']);
    expect(events).toContain('onClose');
    await expectNoLeaks(before);
  });

  test('does not wait for those who have connected and sent nothing, if connections are to be closed by force', async () => {
    const app = create({}, { forceCloseConnections: true });
    app.get('/slow', () => new Promise(() => {}));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = rawRequest(address.replace('http://', ''), { variables: { ...variables, REQUEST_URI: '/slow' } });
    await until(() => app.server instanceof ScgiServer && app.server.connectionCount === 1, 5_000, 'the request');
    await within(app.close(), 5_000, 'the end');
    expect((await answer).bytes.length).toBe(0);
  });
});
