// The page about lighttpd is true: a real lighttpd accepts every block, the blocks do what the page says of them, and the
// lines and answers of its tables are the ones that lighttpd gives.

import { spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test as plainTest } from 'vitest';
import { answerTo } from '../lighttpd/support/ask.js';
import { mirror, test, type LighttpdBefore, type Mirrored, type Stage } from '../lighttpd/support/stage.js';
import { createCertificate } from '../nginx/support/certificate.js';
import { until } from '../support/deadline.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { formatLighttpdConfig } from '../support/lighttpd-config.js';
import { requireLighttpdTls, type Lighttpd, type LighttpdOptions } from '../support/lighttpd.js';
import { fencesOf, pageOf, tableOf, type Fence } from './markdown.js';

const page = pageOf('docs/deployment-lighttpd.md');
const fences = fencesOf('lighttpd');
const title = ({ file, line }: Fence): string => `${file}:${line}`;

describeWith(['lighttpd', 'openssl'], 'the lighttpd blocks', () => {
  test.for(fences.map((fence) => [title(fence), fence] as const))(
    'are accepted: %s',
    async ([, fence], { stage, skip }) => {
      if (fence.code.includes('mod_openssl')) requireLighttpdTls({ skip });
      expect(await check(stage, fence.code)).toEqual({ status: 0, warnings: [] });
    },
  );

  test('are refused if they are wrong', async ({ stage }) => {
    expect((await check(stage, 'scgi.server = (')).status).not.toBe(0);
    const { warnings } = await check(stage, 'scgi.servers = ()');
    expect(warnings.join()).toContain('unknown config-key: scgi.servers');
  });

  // Each block that passes requests on is asked for a page; those that only set limits are not.
  const serving = fences.filter(({ code }) => code.includes('/run/app/'));
  test.for(serving.map((fence) => [title(fence), fence] as const))(
    'pass requests on: %s',
    async ([, fence], { stage, lighttpd, skip }) => {
      if (fence.code.includes('mod_openssl')) requireLighttpdTls({ skip });
      const place = await prepare(stage, fence.code);
      for (const [, name] of fence.code.matchAll(/\/run\/app\/(\w+)\.sock/g)) {
        await stage.serve(mirror, { bind: `unix:${place.folder}/run/app/${name}.sock`, basePath: '/app' });
      }
      const { origin } = await lighttpd({ locations: [], directives: [place.block] });
      const { status, text } = await httpRequest({ origin, path: '/app/x%2Fy?q' });
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ url: '/x%2Fy?q', originalUrl: '/app/x%2Fy?q' });
    },
  );

  const start = async (stage: Stage, lighttpd: LighttpdBefore, words: string, listener: typeof mirror = mirror) => {
    const fence = fences.find(({ code }) => code.includes(words)) ?? expect.unreachable(`no block with ${words}`);
    const place = await prepare(stage, fence.code);
    await stage.serve(listener, { bind: `unix:${place.folder}/run/app/app.sock`, basePath: 'SCRIPT_NAME' });
    return { ...place, server: await lighttpd({ locations: [], directives: [place.block] }) };
  };

  test('with a prefix leave what only begins like it to lighttpd', async ({ stage, lighttpd }) => {
    const { server } = await start(stage, lighttpd, '^/app(/|$)');
    expect((await answerTo(server, 'GET /app HTTP/1.1')).status).toBe(200);
    expect((await answerTo(server, 'GET /appzzz HTTP/1.1')).text).toContain('<h1>404');
  });

  test('with TLS serve HTTPS', async ({ stage, lighttpd, skip }) => {
    requireLighttpdTls({ skip });
    const { tlsPort } = await start(stage, lighttpd, 'ssl.engine');
    const { text } = await httpRequest({ origin: `https://127.0.0.1:${tlsPort}` });
    const { socket }: Mirrored = JSON.parse(text);
    expect(socket).toMatchObject({ encrypted: true });
  });

  test('with X-Sendfile send the file', async ({ stage, lighttpd }) => {
    let path = '';
    const { server, folder } = await start(stage, lighttpd, 'x-sendfile', async (_, response) => {
      response.setHeader('Content-Type', 'text/plain').setHeader('X-Sendfile', path).end();
    });
    path = join(folder, 'srv/files/report.txt');
    writeFileSync(path, 'the report');
    expect(await httpRequest({ origin: server.origin })).toMatchObject({ status: 200, text: 'the report' });
  });

  test('with mod_extforward show the client of the balancer', async ({ stage, lighttpd }) => {
    const { server } = await start(stage, lighttpd, 'mod_extforward');
    const fields = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' };
    const { text } = await httpRequest({ origin: server.origin, headers: fields });
    const { socket }: Mirrored = JSON.parse(text);
    expect(socket).toMatchObject({ remoteAddress: '203.0.113.9', encrypted: true });
  });

  test('with mod_auth show the user that was let in', async ({ stage, lighttpd }) => {
    const { server } = await start(stage, lighttpd, 'mod_auth');
    const ask = (user: string) =>
      httpRequest({
        origin: server.origin,
        path: '/admin/x',
        headers: { Authorization: `Basic ${Buffer.from(user).toString('base64')}` },
      });
    expect((await ask('ada:wrong')).status).toBe(401);
    const { env }: Mirrored = JSON.parse((await ask('ada:secret')).text);
    expect(env).toMatchObject({ REMOTE_USER: 'ada' });
  });
});

describeWith('lighttpd', 'the log lines of lighttpd', () => {
  const backend = async (stage: Stage, ...args: Parameters<Stage['serve']>): Promise<string> =>
    (await stage.serve(...args)).address;

  /** What brings each line about: options for a lighttpd that is then asked. */
  const causes: Record<string, (stage: Stage) => Promise<LighttpdOptions>> = {
    'establishing connection failed: socket: unix:…: No such file or directory': async (stage) => ({
      to: stage.freeAddress('unix'),
    }),
    'establishing connection failed: socket: unix:…: Connection refused': async (stage) => ({
      to: await leaveSocketBehind(stage),
    }),
    'establishing connection failed: socket: tcp:…: Connection refused': async () => ({
      to: `127.0.0.1:${await freePort()}`,
    }),
    'all handlers for … are down': async (stage) => ({ to: stage.freeAddress('unix') }),
    'response not received, request sent: … on socket: tcp:…, closing connection': async (stage) => {
      const options = { bind: '0.0.0.0:0', allowFrom: ['192.0.2.1'] };
      return { to: (await backend(stage, () => {}, options)).replace('0.0.0.0', '127.0.0.1') };
    },
    'response already sent out, but backend returned error on socket: tcp:…': async (stage) => {
      const breakOff: Parameters<Stage['serve']>[0] = (_request, response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('half', () => setImmediate(() => response.destroy()));
      };
      return { to: await backend(stage, breakOff, { over: 'tcp' }) };
    },
    'response headers too large for': async (stage) => ({
      to: await backend(stage, (_request, response) => response.setHeader('X-Big', 'x'.repeat(70_000)).end()),
    }),
    'read timeout on socket: …': async (stage) => ({
      to: await backend(stage, () => {}),
      backendOptions: { 'read-timeout': 1 },
    }),
    'request-size too long: … -> 413': async (stage) => ({
      to: await backend(stage, () => {}),
      directives: ['server.max-request-size = 1'],
    }),
    'oversized request-header -> sending Status 431': async (stage) => ({
      to: await backend(stage, () => {}),
      directives: ['server.max-request-field-size = 100'],
    }),
    'not under configured x-sendfile-docroot': async (stage) => ({
      to: await backend(stage, (_request, response) => response.setHeader('X-Sendfile', '/etc/hostname').end()),
      backendOptions: { 'x-sendfile': 'enable', 'x-sendfile-docroot': [stage.folder()] },
    }),
    'unexpected end-of-file (perhaps the fastcgi process died)': async (stage) => {
      const path = (await backend(stage, () => {})).slice('unix:'.length);
      const line = `fastcgi.server = ( "/" => (( "socket" => "${path}", "check-local" => "disable" )) )`;
      return { locations: [], directives: ['server.modules += ( "mod_fastcgi" )', line] };
    },
  };
  // The tests' lighttpd opens any socket when it is root.
  const unprovoked = ['establishing connection failed: socket: unix:…: Permission denied'];

  plainTest('are those of the page', () => {
    const lines = tableOf(page, 'line').map(([line = '']) => line.replaceAll('`', ''));
    expect(lines.toSorted()).toEqual([...Object.keys(causes), ...unprovoked].toSorted());
  });

  test.for(Object.entries(causes))('%s', { timeout: 20_000 }, async ([line, cause], { stage, lighttpd }) => {
    const options = await cause(stage);
    const pattern = new RegExp(line.split('…').map(escapeRegExp).join('.*'));
    const { origin, errorLog } = await lighttpd(options);
    const ask = (): Promise<unknown> =>
      httpRequest({ origin, body: 'x'.repeat(2_000), headers: { 'X-Long': 'v'.repeat(200) } }).catch(() => {});
    // Again and again: lighttpd says nothing of a connection that was closed before it had written.
    await until(
      async () => pattern.test(errorLog()) || (await ask(), pattern.test(errorLog())),
      10_000,
      () => `${line} in ${errorLog()}`,
    );
  });
});

describe('the answers behind lighttpd', () => {
  describeWith('lighttpd', 'that leave no line in the log', () => {
    test('are a 400 for proxy.server', async ({ stage, lighttpd }) => {
      const path = (await stage.serve(() => {})).address.slice('unix:'.length);
      const line = `proxy.server = ( "/" => (( "socket" => "${path}" )) )`;
      const server = await lighttpd({ locations: [], directives: ['server.modules += ( "mod_proxy" )', line] });
      const { status, text } = await answerTo(server, 'GET / HTTP/1.1');
      expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining('ERR_SCGI_PLAIN_HTTP') });
      expectQuiet(server);
    });

    test('are a 404 with check-local', async ({ stage, lighttpd }) => {
      const { address } = await stage.serve(mirror);
      const server = await lighttpd({ to: address, backendOptions: { 'check-local': 'enable' } });
      expect((await answerTo(server, 'GET /no/file HTTP/1.1')).text).toContain('<h1>404');
      expectQuiet(server);
    });

    test('are a 500 for a response that has no head', async ({ stage, lighttpd }) => {
      const { address } = await stage.serve((_, response) => void response.destroy());
      const server = await lighttpd({ to: address });
      expect((await answerTo(server, 'GET / HTTP/1.1')).text).toContain('<h1>500');
      expectQuiet(server);
    });
  });
});

function expectQuiet({ errorLog }: Lighttpd): void {
  const lines = errorLog().split('\n').filter(Boolean);
  expect(lines).toEqual([expect.stringContaining('server started')]);
}

interface Place {
  readonly block: string;
  readonly folder: string;
  readonly tlsPort: number;
}

/** A block of the documentation, with the places replaced by ones of this test. */
async function prepare(stage: Stage, code: string): Promise<Place> {
  const folder = stage.folder();
  for (const name of ['run/app', 'ssl', 'srv/files']) mkdirSync(join(folder, name), { recursive: true });
  const { certificate, key } = createCertificate(join(folder, 'ssl'));
  copyFileSync(certificate, join(folder, 'ssl/example.com.pem'));
  copyFileSync(key, join(folder, 'ssl/example.com.key'));
  const password = spawnSync(requireFrontEnd('openssl'), ['passwd', '-5', 'secret']).stdout.toString().trim();
  writeFileSync(join(folder, 'ssl/htpasswd'), `ada:${password}\n`);
  const tlsPort = await freePort();
  const block = code
    .replaceAll('/run/', `${folder}/run/`)
    .replaceAll('/etc/ssl/', `${folder}/ssl/`)
    .replaceAll('/srv/', `${folder}/srv/`)
    .replaceAll('0.0.0.0:443', `127.0.0.1:${tlsPort}`);
  return { block, folder, tlsPort };
}

/** What `lighttpd -tt` says, which also loads and sets up the modules. */
async function check(stage: Stage, code: string): Promise<{ status: number | null; warnings: string[] }> {
  const { block, folder } = await prepare(stage, code);
  const file = join(folder, 'lighttpd.conf');
  const place = { folder, port: 1, tlsPort: 1 };
  writeFileSync(file, formatLighttpdConfig({ locations: [], directives: [block] }, place));
  const { status, stderr } = spawnSync(requireFrontEnd('lighttpd'), ['-tt', '-f', file]);
  return { status, warnings: stderr.toString().split('\n').filter(Boolean) };
}

/** A socket file on which nobody listens any more. */
async function leaveSocketBehind(stage: Stage): Promise<string> {
  const folder = stage.folder();
  const [path, stale] = [join(folder, 'a.sock'), join(folder, 'b.sock')];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  linkSync(path, stale);
  await new Promise((resolve) => server.close(resolve));
  return `unix:${stale}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
