// The page about Apache is true: every apache block of the documentation is loaded by a real Apache and leads where it
// says, the first one of the page together with the page's own program. Its log lines are in integration/apache.

import type { ScgiListener } from '@scgi/core';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { prepare, startBlock, startSetting } from '../apache/support/documented-block.js';
import { seenBy } from '../apache/support/mirror.js';
import { test } from '../apache/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { fencesOf, pageOf, type Fence } from './markdown.js';
import { root } from './workspace.js';

const page = pageOf('docs/deployment-apache.md');
/** Those of every page; the first one of ours is the minimal one. */
const fences = fencesOf('apache');
const minimal = fencesOf('apache', page.file)[0]?.code ?? '';
const title = ({ file, line }: Fence): string => `${file}:${line}`;

describeWith(['apache', 'openssl'], 'the apache blocks', () => {
  test.for(fences.map((fence) => [title(fence), fence] as const))(
    'pass the check of Apache: %s',
    async ([, { code }], { stage }) => {
      const setting = prepare(stage, code);
      const file = join(setting.folder, 'httpd.conf');
      writeFileSync(file, setting.format({ folder: setting.folder, port: 1, tlsPort: 2 }));
      const args = ['-t', '-d', setting.folder, '-f', file];
      const { stderr } = await promisify(execFile)(requireFrontEnd('apache'), args);
      expect(stderr).toMatch(/^Syntax OK$/m);
    },
  );

  test('do not pass it if they are wrong', async ({ stage }) => {
    await expect(startBlock(stage, 'ProxyPasses "/" "scgi://127.0.0.1:1/"')).rejects.toThrow('ProxyPasses');
  });

  const leading = fences.filter(({ code }) => /\/run\/app\/|10\.0\.0\.7:4000/.test(code));
  test.for(leading.map((fence) => [title(fence), fence] as const))(
    'lead to the application: %s',
    async ([, { code }], { stage }) => {
      const { apache, isTls } = await startBlock(stage, code);
      const origin = isTls ? apache.tlsOrigin : apache.origin;
      const path = '/app/a%20b?q';
      const encoded = code.includes('NoDecode') ? '/app/a%2Fb?q' : path;
      const headers = {
        Authorization: 'Bearer token',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-For': '198.51.100.66',
      };
      const seen = await seenBy({ origin, path: encoded, headers });
      expect(seen.url).toBe(encoded);
      expect(seen.encrypted).toBe(isTls || code.includes('HTTPS=on'));
      expect(seen.headers['authorization']).toBe(code.includes('CGIPassAuth On') ? 'Bearer token' : undefined);
      // The balancer of the page is in a network of which this client is no part.
      expect(seen.remoteAddress).toBe('127.0.0.1');
      expect(await seenBy({ origin, path, body: 'hello' })).toMatchObject({ method: 'POST', body: 'hello' });
    },
  );

  test('and the program of the page work together', async ({ stage }) => {
    const [program] = fencesOf('js', page.file);
    const setting = prepare(stage, minimal);
    const code = (program?.code ?? '').replace('/run/', `${setting.folder}/run/`).replace('&group=www-data', '');
    const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: join(root, 'integration') });
    stage.add(() => child.kill('SIGKILL'));
    child.stdin.end(code);
    const socket = join(setting.folder, 'run/app/app.sock');
    await until(() => existsSync(socket), 10_000, 'the socket');
    chmodSync(socket, 0o666); // The tests' user is not in the group of the workers.
    const apache = await startSetting(stage, setting);
    const { status, text } = await httpRequest({ origin: apache.origin, path: '/a%2Fb' });
    expect({ status, text }).toEqual({ status: 200, text: 'Hello 127.0.0.1, you asked for /a%2Fb\n' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await within(ended, 5_000, 'the graceful end')).toBe(0);
  });

  test('serve files beside the application', async ({ stage }) => {
    const { apache, folder } = await startBlock(stage, blockWith('Alias'));
    writeFileSync(join(folder, 'srv/app/assets/a.txt'), 'a file', { mode: 0o644 });
    expect((await httpRequest({ origin: apache.origin, path: '/assets/a.txt' })).text).toBe('a file');
    expect((await seenBy({ origin: apache.origin, path: '/assets' })).url).toBe('/assets');
  });

  test('let in whom the password file knows, and say who it is', async ({ stage }) => {
    const { apache } = await startBlock(stage, blockWith('AuthUserFile'));
    const path = '/admin/x';
    expect((await httpRequest({ origin: apache.origin, path })).status).toBe(401);
    const headers = { Authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}` };
    const seen = await seenBy({ origin: apache.origin, path, headers });
    expect(seen.env['REMOTE_USER']).toBe('ada');
  });

  test('send files that the application names', async ({ stage }) => {
    const send: ScgiListener = (request, response) => {
      response.setHeader('X-Sendfile', String(request.headers['x-file'])).end();
    };
    const { apache, folder } = await startBlock(stage, `${minimal}\n${blockWith('ProxySCGISendfile')}`, send);
    const file = join(folder, 'srv/app/assets/report.txt');
    writeFileSync(file, 'the report', { mode: 0o644 });
    const request = { origin: apache.origin, path: '/download/1', headers: { 'X-File': file } };
    expect((await httpRequest(request)).text).toBe('the report');
  });

  test('refuse methods', async ({ stage }) => {
    const { apache } = await startBlock(stage, `${minimal}\n${blockWith('AllowMethods')}`);
    expect((await httpRequest({ origin: apache.origin, method: 'TRACE' })).status).toBe(405);
    expect((await httpRequest({ origin: apache.origin, method: 'FROB' })).status).toBe(405);
    expect((await httpRequest({ origin: apache.origin, method: 'PATCH' })).status).toBe(200);
  });

  test('raise the limits of requests', async ({ stage }) => {
    const { apache } = await startBlock(stage, `${minimal}\n${blockWith('LimitRequestFieldSize')}`);
    const headers = { 'X-Large': 'v'.repeat(12_000) };
    expect((await seenBy({ origin: apache.origin, headers })).headers['x-large']).toHaveLength(12_000);
  });

  test('carry WebSocket on a way of its own', async ({ stage }) => {
    const web = createHttpServer();
    stage.add(() => web.close());
    new WebSocketServer({ server: web }).on('connection', (socket) =>
      socket.on('message', (data) => socket.send(data)),
    );
    const block = blockWith('upgrade=websocket').replace('127.0.0.1:3000', await listen(web));
    const { apache } = await startBlock(stage, block);
    const socket = new WebSocket(`ws://127.0.0.1:${apache.port}/socket/echo`);
    stage.add(() => socket.terminate());
    const echo = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.once('open', () => socket.send('hello'));
    expect(await within(echo, 5_000, 'the echo')).toBe('hello');
    // Through mod_proxy_scgi the handshake is a plain GET.
    const refused = new WebSocket(`ws://127.0.0.1:${apache.port}/other`);
    const refusal = new Promise<Error>((resolve) => refused.once('error', resolve));
    expect((await within(refusal, 5_000, 'the refusal')).message).toBe('Unexpected server response: 200');
  });

  test('with several processes lose no request while one after the other restarts', async ({ stage }) => {
    const setting = prepare(stage, blockWith('balancer://'));
    const start = (name: string) =>
      stage.serve((request, response) => request.resume().on('end', () => response.end(name)), {
        bind: `unix:${setting.folder}/run/app/${name}.sock?mode=0666`,
      });
    const running = [await start('1'), await start('2')];
    const { origin } = await startSetting(stage, setting);
    const answers = new Map<string, number>();
    let going = true;
    const client = async (): Promise<void> => {
      while (going) {
        const { status, text } = await httpRequest({ origin, body: 'x' });
        const answer = status === 200 ? text : String(status);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 6 }, client);
    for (const index of [0, 1, 0, 1]) {
      await running[index]?.close();
      running[index] = await start(`${index + 1}`);
      answers.clear();
      await until(() => answers.has(`${index + 1}`), 5_000, `answers of member ${index + 1}`);
      expect([...answers.keys()].filter((answer) => answer.length > 1)).toEqual([]);
    }
    going = false;
    await Promise.all(clients);
    expect([...answers.keys()].filter((answer) => answer.length > 1)).toEqual([]);
  });

  test('hold for every VirtualHost when they stand outside, as the page says', async ({ stage }) => {
    const isProxy = (line: string): boolean => line.startsWith('ProxyPass');
    const [outside, inside] = [false, true].map((wanted) =>
      minimal.split('\n').filter((line) => isProxy(line) === wanted),
    );
    const block = `${outside?.join('\n')}\n<VirtualHost *:80>\n${inside?.join('\n')}\n</VirtualHost>`;
    const { apache } = await startBlock(stage, block);
    const headers = { Authorization: 'Bearer token' };
    const seen = await seenBy({ origin: apache.origin, path: '/a%2Fb', headers });
    expect(seen).toMatchObject({ url: '/a%2Fb', headers: { authorization: 'Bearer token' } });
    expect(seen.env).toMatchObject({ AP_TRUST_CGILIKE_CL: '1' }); // Apache sends what SetEnvIf sets.
  });
});

function blockWith(text: string): string {
  const block = fencesOf('apache', page.file).find(({ code }) => code.includes(text));
  return block?.code ?? expect.unreachable(`no block with ${text}`);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
