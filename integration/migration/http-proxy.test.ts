// The page about moving from HTTP proxying is true: its blocks before and after lead the same application, which is compared.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { createServer, Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { createScgiServer, type ScgiListener } from '@scgi/core';
import { inject } from '@scgi/testing';
import { describe, expect, test as plainTest } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { prepare, startSetting } from '../apache/support/documented-block.js';
import { test as apacheTest } from '../apache/support/stage.js';
import { test as lighttpdTest } from '../lighttpd/support/stage.js';
import { startFence, type StartedFence } from '../nginx/support/documented-block.js';
import { test, type Stage } from '../nginx/support/stage.js';
import { pageOf, tableOf } from '../package-check/markdown.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, rawExchange } from '../support/http-client.js';
import { blockOf, freePort, seenBy, serveHttp, telling, type Seen } from './support/blocks.js';
import { unknownDirectives } from './support/directives.js';

const file = 'docs/migrating-from-http-proxy.md';
const before = blockOf(file, 'nginx', 'proxy_pass          http://app;');
const after = blockOf(file, 'nginx', 'listen       80;', 'scgi_pass');

const forged = {
  'X-Forwarded-For': '198.51.100.66',
  'X-Forwarded-Proto': 'https',
  Authorization: 'Bearer token',
};

/** Starts nginx with a block, on a port: on a Unix socket clients have no address. */
async function start(stage: Stage, block: string, httpPort: number): Promise<StartedFence> {
  const port = await freePort();
  const moves = { '127.0.0.1:3000': `127.0.0.1:${httpPort}`, 'listen       80;': `listen localhost:${port};` };
  const started = await startFence(stage, block, moves);
  return block.includes('listen') ? { ...started, origin: `http://127.0.0.1:${port}` } : started;
}

async function startBefore(stage: Stage, listener: ScgiListener): Promise<string> {
  const { port } = await serveHttp(stage, (request, response) => void listener(request, response));
  return (await start(stage, before, port)).origin;
}

async function startAfter(stage: Stage, listener: ScgiListener): Promise<string> {
  const { origin, folder } = await start(stage, after, 1);
  await stage.serve(listener, { bind: `unix:${folder}/run/app/app.sock` });
  return origin;
}

describeWith('nginx', 'an application behind nginx, before and after', () => {
  test('sees the same, but for who says who the client is', async ({ stage }) => {
    const origins = [await startBefore(stage, telling('loopback')), await startAfter(stage, telling(false))] as const;
    const [proxied, scgi] = await Promise.all(
      origins.map((origin) => seenBy({ origin, path: '/a%20b/x?q=1', headers: forged, body: 'body' })),
    );
    const same = ['url', 'originalUrl', 'method', 'body', 'hostname', 'remoteAddress', 'httpVersion'] as const;
    for (const name of same) expect([name, scgi?.[name]]).toEqual([name, proxied?.[name]]);
    expect(scgi).toMatchObject({ ip: '127.0.0.1', protocol: 'http' });
    // What nobody adds to is what the client sent.
    expect(proxied?.headers).toMatchObject({
      'x-forwarded-for': '198.51.100.66, 127.0.0.1',
      'x-forwarded-proto': 'http',
    });
    expect(scgi?.headers).toMatchObject({ 'x-forwarded-for': '198.51.100.66', 'x-forwarded-proto': 'https' });
    expect(scgi?.headers['authorization']).toBe('Bearer token');
  });

  test('sees the HTTP version of the client, and not that of nginx', async ({ stage }) => {
    const version = async (origin: string): Promise<string> => {
      const answer = await rawExchange(origin, 'GET / HTTP/1.0\r\nHost: example.com\r\n\r\n');
      const seen: Seen = JSON.parse(answer.toString().split('\r\n\r\n')[1] ?? '');
      return seen.httpVersion;
    };
    expect(await version(await startBefore(stage, telling('loopback')))).toBe('1.1');
    expect(await version(await startAfter(stage, telling(false)))).toBe('1.0');
  });

  test('greets the same client with the programs of the page', async ({ stage }) => {
    const run = (code: string): void => {
      const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: join(import.meta.dirname, '..') });
      stage.add(() => child.kill('SIGKILL'));
      child.stdin.end(code);
    };
    const httpPort = await freePort();
    run(blockOf(file, 'js', "'loopback'").replace('3000', String(httpPort)));
    const proxied = (await start(stage, before, httpPort)).origin;
    const { origin, folder } = await start(stage, after, 1);
    run(blockOf(file, 'js', 'adapter-express').replace('/run/', `${folder}/run/`).replace('&group=www-data', ''));
    const socket = join(folder, 'run/app/app.sock');
    const hello = 'Hello 127.0.0.1, you came over http\n';
    const greets = async (way: string, headers = {}): Promise<boolean> =>
      (await httpRequest({ origin: way, headers })).text === hello;
    await until(() => greets(proxied), 20_000, 'the greeting before');
    await until(() => existsSync(socket), 20_000, 'the socket');
    await until(() => greets(origin, forged), 20_000, 'the greeting after');
  });

  test('keeps its WebSockets', async ({ stage }) => {
    const echo = async (origin: string): Promise<string> => {
      const socket = new WebSocket(origin.replace('http', 'ws'));
      stage.add(() => socket.terminate());
      socket.once('open', () => socket.send('hello'));
      const reply = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
      return within(reply, 5_000, 'the echo');
    };
    const listen = (server: HttpServer): void => {
      new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    };
    const plain = createServer();
    listen(plain);
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    stage.add(() => plain.close());
    const address = plain.address();
    expect(
      await echo((await start(stage, before, typeof address === 'object' ? (address?.port ?? 0) : 0)).origin),
    ).toBe('hello');
    const { origin, folder } = await start(stage, after, 1);
    const { server } = await stage.serve(() => {}, { bind: `unix:${folder}/run/app/app.sock` });
    listen(server);
    expect(await echo(origin)).toBe('hello');
  });

  test('may be asked in both ways at once', async ({ stage }) => {
    const listener = telling('loopback');
    const { port } = await serveHttp(stage, listener);
    const { origin, folder } = await start(stage, blockOf(file, 'nginx', '/reports/'), port);
    await stage.serve(listener, { bind: `unix:${folder}/run/app/app.sock` });
    const [proxied, scgi] = [await seenBy({ origin, path: '/x' }), await seenBy({ origin, path: '/reports/x' })];
    expect([proxied.headers['x-forwarded-for'], scgi.headers['x-forwarded-for']]).toEqual(['127.0.0.1', undefined]);
    expect([proxied.ip, scgi.ip]).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  test('sees the same path below a prefix', async ({ stage }) => {
    const path = '/app/x%20y?q';
    const { port } = await serveHttp(stage, telling(false));
    const proxied = await start(stage, blockOf(file, 'nginx', 'location /app/ {'), port);
    const { origin, folder } = await start(stage, blockOf(file, 'nginx', 'location /app {'), 1);
    await stage.serve(telling(false), { bind: `unix:${folder}/run/app/app.sock`, basePath: '/app' });
    const [old, now] = [await seenBy({ origin: proxied.origin, path }), await seenBy({ origin, path })];
    expect([old.url, now.url, now.originalUrl]).toEqual(['/x%20y?q', '/x%20y?q', path]);
  });

  test('gets fields that nginx makes, and its answers lose what nginx hides', async ({ stage }) => {
    const { origin, folder } = await start(stage, blockOf(file, 'nginx', 'HTTP_X_REQUEST_ID'), 1);
    await stage.serve(telling(false), { bind: `unix:${folder}/run/app/app.sock` });
    const { headers, text } = await httpRequest({ origin, headers: { 'X-Request-Id': 'forged' } });
    const seen: Seen = JSON.parse(text);
    expect(seen.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

describe('an application that is asked in both ways', () => {
  const request = { url: '/', remoteAddress: '203.0.113.9', headers: { 'X-Forwarded-For': '198.51.100.66' } };

  plainTest("may trust 'loopback': over SCGI nobody is there", async () => {
    expect((await inject(telling('loopback'), request)).json()).toMatchObject({ ip: '203.0.113.9' });
  });

  plainTest('must not trust all, or it believes the client', async () => {
    expect((await inject(telling(true), request)).json()).toMatchObject({ ip: '198.51.100.66' });
  });
});

describeWith('nginx', 'the table of directives', () => {
  const rows = tableOf(pageOf(file), 'proxy');
  const names = (cell = ''): string[] => [...cell.matchAll(/`(\w+_\w+)`/g)].map(([, name = '']) => name);

  test('has names that nginx knows, and none that it could have named', async ({ stage }) => {
    const [proxy, scgi] = [rows.flatMap(([cell]) => names(cell)), rows.flatMap(([, cell]) => names(cell))];
    expect(proxy.length).toBeGreaterThan(30);
    expect(unknownDirectives(stage.folder(), [...proxy, ...scgi])).toEqual([]);
    const without = rows.filter(([, cell]) => cell === 'none').flatMap(([cell]) => names(cell));
    const counterparts = without.map((name) => name.replace('proxy_', 'scgi_'));
    expect(unknownDirectives(stage.folder(), counterparts)).toEqual(counterparts);
  });

  test('sets names side by side that differ in their beginning only', () => {
    const renamed = rows.filter(([, cell]) => cell !== 'none' && !cell?.includes('scgi_param'));
    for (const [proxy, scgi] of renamed) {
      expect(names(scgi)).toEqual(names(proxy).map((name) => name.replace('proxy_', 'scgi_')));
    }
  });
});

plainTest('the time-outs are those of the two servers', () => {
  const rows = tableOf(pageOf(file), "Node's HTTP server").flat().join('\n');
  const ours = createScgiServer();
  const theirs = createServer();
  expect([theirs.headersTimeout, theirs.requestTimeout, theirs.timeout]).toEqual([60_000, 300_000, 0]);
  expect([ours.headersTimeout, ours.requestTimeout, ours.idleTimeout]).toEqual([10_000, 300_000, 60_000]);
  for (const words of [
    '`headersTimeout` 60 s',
    '`headersTimeout` 10 s',
    '`requestTimeout` 5 min',
    '`idleTimeout` 60 s',
  ]) {
    expect(rows).toContain(words);
  }
});

test('the health check of the page tells a well application from a sick one, and from none', async ({ stage }) => {
  let status = 200;
  const { address } = await stage.serve((_request, response) => response.writeHead(status).end());
  const check = (at: string): Promise<number | null> => {
    const child = spawn(process.execPath, ['--input-type=module', '-'], {
      cwd: join(import.meta.dirname, '..'),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    stage.add(() => child.kill('SIGKILL'));
    child.stdin?.end(blockOf(file, 'js', '/healthz').replace('unix:/run/app/app.sock', at));
    return within(new Promise((resolve) => child.once('exit', resolve)), 20_000, 'the check');
  };
  expect(await check(address)).toBe(0);
  status = 503;
  expect(await check(address)).toBe(1);
  expect(await check(`${address}.missing`)).toBe(1);
});

describeWith(['apache', 'openssl'], 'an application behind Apache, before and after', () => {
  apacheTest('sees the same, without fields of Apache', async ({ stage }) => {
    const { port } = await serveHttp(stage, telling('loopback'));
    const old = blockOf(file, 'apache', 'ProxyPassReverse').replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`);
    const proxied = await startSetting(stage, prepare(stage, old));
    const setting = prepare(stage, blockOf(file, 'apache', 'scgi://localhost/'));
    const socket = join(setting.folder, 'run/app/app.sock');
    await stage.serve(telling(false), { bind: `unix:${socket}` });
    chmodSync(socket, 0o666);
    const scgi = await startSetting(stage, setting);
    const [was, is] = await seenTheSame(proxied.origin, scgi.origin);
    expect(addedFields(was)).toEqual([
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-server',
    ]);
    expect(addedFields(is)).toEqual([]);
    const chunks = [Buffer.from('a'), Buffer.from('b')];
    expect((await seenBy({ origin: proxied.origin, method: 'POST', body: chunks })).body).toBe('ab');
    expect((await httpRequest({ origin: scgi.origin, method: 'POST', body: chunks })).status).toBe(411);
  });
});

describeWith('lighttpd', 'an application behind lighttpd, before and after', () => {
  lighttpdTest('sees the same, without fields of lighttpd', async ({ stage, lighttpd }) => {
    const { port } = await serveHttp(stage, telling('loopback'));
    const old = blockOf(file, 'lighttpd', 'proxy.server').replace('3000', String(port));
    const proxied = await lighttpd({ locations: [], directives: [old] });
    const { address } = await stage.serve(telling(false));
    const now = blockOf(file, 'lighttpd', 'scgi.server').replace('/run/app/app.sock', address.slice('unix:'.length));
    const scgi = await lighttpd({ locations: [], directives: [now] });
    const [was, is] = await seenTheSame(proxied.origin, scgi.origin);
    expect(addedFields(was)).toEqual(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-host']);
    expect(addedFields(is)).toEqual([]);
  });
});

/** What an application sees of one request before and after. All but fields must be equal. */
async function seenTheSame(before: string, after: string): Promise<readonly [was: Seen, is: Seen]> {
  const request = { path: '/a%20b?q', headers: { Host: 'example.com' }, body: 'body' };
  const was = await seenBy({ origin: before, ...request });
  const is = await seenBy({ origin: after, ...request });
  for (const name of ['url', 'method', 'body', 'ip', 'protocol', 'hostname'] as const) {
    expect([name, is[name]]).toEqual([name, was[name]]);
  }
  return [was, is];
}

/** By a proxy. */
function addedFields({ headers }: Seen): string[] {
  return Object.keys(headers)
    .filter((name) => name.startsWith('x-'))
    .toSorted();
}
