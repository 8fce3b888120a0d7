// The tests' own tools: nginx starts, passes requests on as configured, says what is wrong, and leaves nothing behind.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { describeWith } from './front-ends.js';
import { abortRequest, httpRequest, openRequest, rawExchange } from './http-client.js';
import { expectNoLeaks, openDescriptors } from './leaks.js';
import { startNginx, type Nginx, type NginxOptions } from './nginx.js';
import { until } from './deadline.js';

describeWith('nginx', 'nginx as a front end', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  const nginxBefore = async (options: NginxOptions): Promise<Nginx> => {
    const nginx = await startNginx(options);
    cleanups.push(nginx.stop);
    return nginx;
  };
  const responder = async (name = 'responder', onUnix = false): Promise<Responder> => {
    const started = await startResponder(name, onUnix);
    cleanups.push(started.close);
    return started;
  };

  test('sends the stock parameters and the configured ones over TCP', async () => {
    const { address } = await responder();
    const { origin } = await nginxBefore({ to: address, params: { SCRIPT_NAME: '/app', X_METHOD: '$request_method' } });
    const { status, text } = await httpRequest({ origin, path: '/a%2Fb/../c?q=1' });
    expect(status).toBe(200);
    expect(text).toContain('REQUEST_URI=/a%2Fb/../c?q=1\n');
    expect(text).toContain('SCRIPT_NAME=/app\n');
    expect(text).toContain('X_METHOD=GET\n');
  });

  test('reaches a Unix socket, and serves HTTP on one', async () => {
    const { address } = await responder('responder', true);
    const { socketPath } = await nginxBefore({ to: address });
    const { text } = await httpRequest({ origin: `unix:${socketPath}`, path: '/x', body: 'hello' });
    expect(text).toContain('CONTENT_LENGTH=5\n');
    expect(text).toContain('body hello');
  });

  test('passes each location to its own backend, SCGI or HTTP', async () => {
    const [first, second] = [await responder('first'), await responder('second')];
    const plain = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhttp'));
    cleanups.push(() => plain.close());
    const locations = [
      { path: '/', to: first.address },
      { path: '/two/', to: second.address },
      { path: '/http/', to: await listen(plain), protocol: 'http' as const },
    ];
    const { origin } = await nginxBefore({ locations });
    expect((await httpRequest({ origin, path: '/one' })).text).toMatch(/^first\n/);
    expect((await httpRequest({ origin, path: '/two/x' })).text).toMatch(/^second\n/);
    expect((await httpRequest({ origin, path: '/http/x' })).text).toBe('http');
  });

  test('tries the next server of an upstream when the first does not listen', async () => {
    const { address } = await responder();
    const { origin, errorLog } = await nginxBefore({ to: ['unix:/nonexistent/app.sock', address] });
    expect((await httpRequest({ origin })).status).toBe(200);
    expect(errorLog()).toContain('/nonexistent/app.sock failed');
  });

  test.for([
    { requestBuffering: true, arrived: 'CONTENT_LENGTH=6' },
    { requestBuffering: false, arrived: 'HTTP_CONTENT_LENGTH=6' },
  ])('streams request bodies with requestBuffering $requestBuffering', async ({ requestBuffering, arrived }) => {
    const { address, requests } = await responder();
    const { origin } = await nginxBefore({ to: address, requestBuffering });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc');
      await held;
      yield Buffer.from('def');
    }
    const exchange = httpRequest({ origin, headers: { 'Content-Length': '6' }, body: body() });
    if (requestBuffering) {
      release();
      await exchange;
    } else {
      await until(() => requests[0]?.includes('abc') === true, 5_000, 'half a body at the backend');
      release();
      await exchange.catch(() => {}); // The responder believes nginx's CONTENT_LENGTH and answers early.
    }
    expect(requests[0]?.replaceAll('\0', '=')).toContain(arrived);
  });

  test('hands out the response head at once with buffering off', async () => {
    const { address } = await responder();
    const { origin } = await nginxBefore({ to: address, buffering: false });
    const { response, abort } = await openRequest({ origin, path: '/endless' });
    expect(response.statusCode).toBe(200);
    abort();
  });

  test('lets a client leave at every stage', async () => {
    const { address, requests } = await responder();
    const { origin } = await nginxBefore({ to: address, buffering: false, requestBuffering: false });
    for (const stage of ['request-head', 'request-body', 'request-sent'] as const) {
      await abortRequest({ origin, path: '/endless' }, stage);
    }
    await abortRequest({ origin, path: '/endless' }, 'response-head');
    await abortRequest({ origin, path: '/endless' }, 'response-body');
    expect(requests.length).toBeGreaterThanOrEqual(2);
  });

  test('takes raw bytes', async () => {
    const { address } = await responder();
    const { port } = await nginxBefore({ to: address });
    const answer = await rawExchange(`127.0.0.1:${port}`, 'GET / HTTP/1.0\r\n\r\n');
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('reports what nginx finds wrong in its configuration', async () => {
    const start = startNginx({ to: '127.0.0.1:1', directives: ['no_such_directive on;'] });
    await expect(start).rejects.toThrow(/unknown directive "no_such_directive"/);
  });

  test('ends with its workers and removes its folder', async () => {
    const before = openDescriptors();
    const nginx = await startNginx({ to: '127.0.0.1:1' });
    await until(() => nginx.workerPids().length === 1, 5_000, 'a worker');
    const pids = [nginx.pid, ...nginx.workerPids()];
    await nginx.stop();
    await nginx.stop();
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(dirname(nginx.socketPath))).toBe(false);
    await expectNoLeaks(before);
  });
});

interface Responder {
  /** As `scgi_pass` wants it. */
  readonly address: string;
  /** The bytes of each request so far, as latin1. */
  readonly requests: readonly string[];
  close(): void;
}

/** A hand-made SCGI server: it answers with its name, what it was sent, and never ends for targets with "endless". */
async function startResponder(name: string, onUnix: boolean): Promise<Responder> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    const index = requests.push('') - 1;
    socket.on('error', () => {}); // nginx resets connections whose client has left.
    socket.setEncoding('latin1').on('data', (data) => {
      const request = `${requests[index]}${data}`;
      requests[index] = request;
      const [, payloadLength = ''] = /^(\d+):/.exec(request) ?? [];
      const payloadStart = payloadLength.length + 1;
      const bodyStart = payloadStart + Number(payloadLength) + 1;
      const strings = request.slice(payloadStart, bodyStart - 2).split('\0');
      const lines = strings.map((text, at) => (at % 2 === 0 ? text : `=${text}\n`)).join('');
      const bodyLength = Number(strings[1]); // CONTENT_LENGTH is the first variable.
      if (request.length < bodyStart + bodyLength || socket.writableEnded) return;
      socket.write('Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n');
      socket.write(`${name}\n${lines}body ${request.slice(bodyStart)}`);
      if (!request.includes('endless')) socket.end();
    });
  });
  const folder = onUnix ? mkdtempSync(join(tmpdir(), 'scgi-responder-')) : undefined;
  return {
    address: await listen(server, folder && join(folder, 'app.sock')),
    requests,
    close() {
      server.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listen(server: Server, path?: string): Promise<string> {
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve),
  );
  if (path !== undefined) return `unix:${path}`;
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return `127.0.0.1:${address.port}`;
}
