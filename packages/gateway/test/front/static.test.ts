// Folders of a front: what of them is served, and what is asked of a backend.

import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HttpFront } from '../../src/front/http-front.js';
import { Routes } from '../../src/front/routes.js';
import { StaticFolder } from '../../src/front/static-folder.js';
import { scgi } from '../../src/index.js';
import { startBackend, temporaryFolder } from '../support/backend.js';
import { type Front, fetchFrom, RawClient, sendRaw } from '../support/front.js';
import { turns } from '../support/within.js';
import { listenWith, named } from './support.js';

let folder: string;
let front: Front;

beforeEach(async () => {
  const parent = temporaryFolder();
  folder = join(parent, 'public');
  mkdirSync(join(folder, 'pages'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'app.js'), 'console.log(1)');
  writeFileSync(join(folder, 'a b é.txt'), 'named');
  writeFileSync(join(folder, 'pages', 'index.html'), '<p>index</p>');
  writeFileSync(join(folder, '.env'), 'SECRET=1');
  writeFileSync(join(parent, 'secret.txt'), 'secret');
  symlinkSync(join(parent, 'secret.txt'), join(folder, 'out.txt'));
  symlinkSync(parent, join(folder, 'up'));
  front = await listenWith({ static: { '/assets': folder } });
});

describe('a file', () => {
  test('is sent with its type, length and validators', async () => {
    const answer = await fetchFrom(front, '/assets/app.js?v=1');
    expect(answer).toMatchObject({ status: 200, body: 'console.log(1)' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-length': '14',
      'accept-ranges': 'bytes',
      'last-modified': statSync(join(folder, 'app.js')).mtime.toUTCString(),
    });
    expect(answer.headers.etag).toMatch(/^W\/"/);
  });

  test('is found by its encoded name', async () => {
    expect((await fetchFrom(front, '/assets/a%20b%20%C3%A9.txt')).body).toBe('named');
  });

  test('is sent without a body for HEAD', async () => {
    const answer = await fetchFrom(front, '/assets/app.js', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': '14' } });
  });

  test('is not sent again to who has it', async () => {
    const { headers } = await fetchFrom(front, '/assets/app.js');
    const again = await fetchFrom(front, '/assets/app.js', { headers: { 'If-None-Match': headers.etag } });
    expect(again).toMatchObject({ status: 304, body: '' });
    const since = { 'If-Modified-Since': headers['last-modified'] };
    expect(await fetchFrom(front, '/assets/app.js', { headers: since })).toMatchObject({ status: 304 });
    const match = await fetchFrom(front, '/assets/app.js', { headers: { 'If-Match': '"other"' } });
    expect(match).toMatchObject({ status: 412, body: '412 Precondition Failed\n' });
  });

  test('is sent in part', async () => {
    const part = await fetchFrom(front, '/assets/app.js', { headers: { Range: 'bytes=0-6' } });
    expect(part).toMatchObject({ status: 206, body: 'console', headers: { 'content-range': 'bytes 0-6/14' } });
    const beyond = await fetchFrom(front, '/assets/app.js', { headers: { Range: 'bytes=99-' } });
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */14' } });
    expect(beyond.body).toBe('416 Range Not Satisfiable\n');
  });

  test('larger than all buffers comes to a slow client whole', async () => {
    const bytes = Buffer.alloc(16 << 20, 'x');
    writeFileSync(join(folder, 'large.bin'), bytes);
    const client = new RawClient(front);
    client.socket.removeAllListeners('data');
    client.send('GET /assets/large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let received = 0;
    for await (const chunk of client.socket) received += chunk.length;
    expect(received).toBeGreaterThan(bytes.length);
  });
});

describe('a folder', () => {
  test('is its index.html', async () => {
    const answer = await fetchFrom(front, '/assets/pages/');
    expect(answer).toMatchObject({ status: 200, body: '<p>index</p>' });
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('without a slash is redirected to its address with one', async () => {
    const answer = await fetchFrom(front, '/assets/pages?x=1');
    expect(answer).toMatchObject({ status: 301, headers: { location: '/assets/pages/?x=1' } });
  });

  test('without an index.html is not there', async () => {
    for (const path of ['/assets/empty', '/assets/empty/', '/assets/', '/assets']) {
      expect((await fetchFrom(front, path)).status, path).toBe(404);
    }
  });

  test('never redirects to another host', async () => {
    const root = await listenWith({ static: { '/': folder } });
    for (const path of ['//pages', '/%2Fpages', 'http://example.org//pages', '//example.org/..%2fpages']) {
      const { text } = await sendRaw(root, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const location = /\r\nLocation: (.*)\r\n/.exec(text)?.[1];
      expect(location ?? '/', path).toMatch(/^\/(?![/\\])/);
    }
  });
});

test.each([
  '/assets/missing.js',
  '/assets/app.js/',
  '/assets/app.js/more',
  '/assets/.env',
  '/assets/%2eenv',
  '/assets/../secret.txt',
  '/assets/%2e%2e/secret.txt',
  '/assets/..%2fsecret.txt',
  '/assets/pages/../../secret.txt',
  '/assets/out.txt',
  '/assets/up/secret.txt',
  '/assets/app.js%00',
  '/assets/%FF',
  '/assets/%',
  '/assetsapp.js',
  '/app.js',
])('%s is not there', async (path) => {
  const { text } = await sendRaw(front, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(text).not.toContain('secret');
  expect(text).not.toContain('SECRET');
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s finds no files', async (method) => {
  expect((await fetchFrom(front, '/assets/app.js', { method })).status).toBe(404);
});

describe('beside a backend', () => {
  test('what the folder does not have is asked of the backend, and so are other methods', async () => {
    const root = await named('root');
    const both = await listenWith({ static: { '/': folder }, to: root.target });
    expect((await fetchFrom(both, '/app.js')).body).toBe('console.log(1)');
    expect((await fetchFrom(both, '/pages/')).body).toBe('<p>index</p>');
    expect((await fetchFrom(both, '/missing.js?x')).body).toBe('root [] [/missing.js] [x]');
    expect((await fetchFrom(both, '/')).body).toBe('root [] [/] []');
    expect((await fetchFrom(both, '/.env')).body).toBe('root [] [/.env] []');
    expect((await fetchFrom(both, '/app.js', { method: 'POST', body: 'x' })).body).toBe('root [] [/app.js] []');
  });

  test('the longer prefix is asked, and of two alike the folder first', async () => {
    const api = await named('api');
    mkdirSync(join(folder, 'api'));
    writeFileSync(join(folder, 'api', 'file.txt'), 'from the folder');
    const backends = { '/api': api.target };
    const wide = await listenWith({ static: { '/': folder }, backends });
    expect((await fetchFrom(wide, '/api/file.txt')).body).toBe('api [/api] [/file.txt] []');
    const alike = await listenWith({ static: { '/api': join(folder, 'api') }, backends });
    expect((await fetchFrom(alike, '/api/file.txt')).body).toBe('from the folder');
    expect((await fetchFrom(alike, '/api/other')).body).toBe('api [/api] [/other] []');
  });

  test('a client that asks for h2c gets the file by HTTP/1.1, and then the connection closes', async () => {
    const root = await named('root');
    const both = await listenWith({ static: { '/': folder }, to: root.target });
    const fields =
      'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA';
    const file = await sendRaw(both, `GET /app.js HTTP/1.1\r\n${fields}\r\n\r\n`);
    expect(file.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: close\r\n[^]*console\.log\(1\)$/);
    const other = await sendRaw(both, `GET /other HTTP/1.1\r\n${fields}\r\n\r\n`);
    expect(other.text).toContain('root [] [/other] []');
    const nobody = await sendRaw(front, `GET /other HTTP/1.1\r\n${fields}\r\n\r\n`);
    expect(nobody.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });
});

test.each(['', 'Connection: Upgrade\r\nUpgrade: echo\r\n'])(
  'a client that has left while its file was looked for costs the backend nothing: %j',
  async (fields) => {
    const backend = await startBackend();
    let go = (): void => {};
    const looking = new Promise<boolean>((resolve) => (go = () => resolve(false)));
    const slow = new StaticFolder(folder);
    slow.answer = () => looking;
    const server = new HttpFront({
      folders: new Routes('static', { '/': slow }, (_, entry) => entry),
      backends: new Routes('backends', { '/': backend.target }, (_, target) => scgi(target)),
      closeTimeout: 0,
    });
    const asked = new Promise<unknown>((resolve) => server.on(fields === '' ? 'request' : 'upgrade', resolve));
    const left = new Promise<void>((resolve) =>
      server.on('connection', (socket) => socket.on('close', () => resolve())),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    client.write(`GET /x HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    await asked;
    client.resetAndDestroy();
    await left;
    go();
    await turns(20);
    expect(backend.connections).toHaveLength(0);
  },
);
