// Files in the place of answers: found below their folders and nowhere else, sent with all that HTTP asks of a file.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GatewayOptions } from '../src/index.js';
import { startMiddleware } from './support/app.js';
import { answering, startBackend, temporaryFolder } from './support/backend.js';
import { fetchFrom, RawClient, type Answer } from './support/front.js';

const text = 'The quick brown fox jumps over the lazy dog.\n';

/** A root with files in it, and secrets beside it. */
function makeRoot(): string {
  const folder = temporaryFolder();
  const root = join(folder, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'root-secret'));
  writeFileSync(join(root, 'file.txt'), text);
  writeFileSync(join(root, 'sub/a b%20c.txt'), 'odd');
  writeFileSync(join(root, '.hidden'), 'hidden');
  writeFileSync(join(folder, 'secret'), 'secret');
  writeFileSync(join(folder, 'root-secret/file'), 'secret');
  symlinkSync(join(folder, 'secret'), join(root, 'link-out'));
  symlinkSync(folder, join(root, 'folder-out'));
  symlinkSync('file.txt', join(root, 'link-in'));
  return root;
}

async function ask(
  fields: string,
  options: GatewayOptions,
  request: Parameters<typeof fetchFrom>[2] = {},
): Promise<Answer & { readonly codes: string[] }> {
  const { target } = await answering(`Status: 200 OK\r\n${fields}\r\nContent-Length: 7\r\n\r\ndropped`);
  const front = await startMiddleware(target, options);
  const answer = await fetchFrom(front, '/', request);
  return { ...answer, codes: front.errors.map(({ code }) => code) };
}

describe('X-Sendfile', () => {
  test.each([
    ['an absolute path', (root: string) => join(root, 'file.txt')],
    ['a path below the root', () => 'file.txt'],
    ['a path with dots that stays below it', () => 'sub/../file.txt'],
    ['a link that stays below it', () => 'link-in'],
  ])('sends %s', async (_, name) => {
    const root = makeRoot();
    const { status, headers, body, codes } = await ask(`X-Sendfile: ${name(root)}`, { sendfile: { root } });
    expect({ status, body, codes }).toEqual({ status: 200, body: text, codes: [] });
    expect(headers).toMatchObject({
      'content-length': String(text.length),
      'content-type': 'text/plain; charset=utf-8',
    });
    expect(headers['x-sendfile']).toBeUndefined();
  });

  test('is not a URI: a percent sign is one', async () => {
    const root = makeRoot();
    expect((await ask('X-Sendfile: sub/a b%20c.txt', { sendfile: { root } })).body).toBe('odd');
  });

  test.each([
    ['a file outside', (root: string) => join(root, '../secret')],
    ['a way out by dots', () => '../secret'],
    ['a folder whose name begins as the root does', (root: string) => `${root}-secret/file`],
    ['a link that leads out', () => 'link-out'],
    ['a folder behind a link that leads out', () => 'folder-out/secret'],
    ['a file that is not there', () => 'missing'],
    ['a folder', () => 'sub'],
    ['the root itself', () => '.'],
  ])('never sends %s: 404, and the operator is told', async (_, name) => {
    const root = makeRoot();
    const answer = await ask(`X-Sendfile: ${name(root)}`, { sendfile: { root } });
    expect(answer).toMatchObject({ status: 404, body: '404 Not Found\n', codes: ['ERR_SCGI_FILE_NOT_FOUND'] });
    expect(JSON.stringify(answer.headers)).not.toContain('secret');
  });

  test('keeps the fields of the backend but those of the body it did not send', async () => {
    const root = makeRoot();
    const fields =
      'X-Sendfile: file.txt\r\nContent-Type: text/x-fox\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nETag: "mine"';
    const { headers } = await ask(fields, { sendfile: { root } });
    expect(headers).toMatchObject({
      'content-type': 'text/x-fox',
      'content-length': String(text.length),
      'set-cookie': ['a=1', 'b=2'],
      etag: '"mine"',
    });
  });

  test('answers ranges', async () => {
    const root = makeRoot();
    const { status, headers, body } = await ask(
      'X-Sendfile: file.txt',
      { sendfile: { root } },
      { headers: { Range: 'bytes=4-8' } },
    );
    expect({ status, body }).toEqual({ status: 206, body: 'quick' });
    expect(headers['content-range']).toBe(`bytes 4-8/${text.length}`);
  });

  test('refuses ranges that are not there with 416', async () => {
    const root = makeRoot();
    const { status, headers, codes } = await ask(
      'X-Sendfile: file.txt',
      { sendfile: { root } },
      { headers: { Range: 'bytes=999-' } },
    );
    expect({ status, codes }).toEqual({ status: 416, codes: [] });
    expect(headers['content-range']).toBe(`bytes */${text.length}`);
  });

  test('answers a client that has the file with 304', async () => {
    const root = makeRoot();
    const { headers } = await ask('X-Sendfile: file.txt', { sendfile: { root } });
    const again = await ask(
      'X-Sendfile: file.txt',
      { sendfile: { root } },
      { headers: { 'If-None-Match': headers.etag ?? '' } },
    );
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  test('answers HEAD without the file', async () => {
    const root = makeRoot();
    const { status, headers, body } = await ask('X-Sendfile: file.txt', { sendfile: { root } }, { method: 'HEAD' });
    expect({ status, body, length: headers['content-length'] }).toEqual({
      status: 200,
      body: '',
      length: String(text.length),
    });
  });

  test('takes the path that a function gives, or its word that there is none', async () => {
    const root = makeRoot();
    const sendfile = async (name: string): Promise<string | null> => (name === 'fox' ? join(root, 'file.txt') : null);
    expect((await ask('X-Sendfile: fox', { sendfile })).body).toBe(text);
    expect(await ask('X-Sendfile: dog', { sendfile })).toMatchObject({
      status: 404,
      codes: ['ERR_SCGI_FILE_NOT_FOUND'],
    });
  });

  test('makes a 500 of a function that throws', async () => {
    const sendfile = (): never => {
      throw new Error('broken');
    };
    expect(await ask('X-Sendfile: x', { sendfile })).toMatchObject({ status: 500, codes: ['ERR_SCGI_OPTION'] });
  });

  test('leaves the connection of a client that still uploads as it is', async () => {
    const root = makeRoot();
    const backend = await startBackend(({ socket }) => socket.end('X-Sendfile: file.txt\r\n\r\n'), { readBody: false });
    const client = new RawClient(await startMiddleware(backend.target, { sendfile: { root } }));
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf');
    await client.sees(text);
    client.text = '';
    client.send('restGET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees(text);
  });
});

describe('X-Accel-Redirect', () => {
  test('sends a file by its place in the URI space, which is percent-encoded', async () => {
    const root = makeRoot();
    const accelRedirect = { '/files/': root, '/files/deep/': join(root, 'sub') };
    expect((await ask('X-Accel-Redirect: /files/file.txt?x', { accelRedirect })).body).toBe(text);
    expect((await ask('X-Accel-Redirect: /files/deep/a%20b%2520c.txt', { accelRedirect })).body).toBe('odd');
  });

  test.each([
    '/files/../secret',
    '/files/%2e%2e/secret',
    '/files/link-out',
    '/files//etc/passwd',
    '/other/file.txt',
    '/files/%',
    'file.txt',
  ])('never leaves the folder, nor finds one that is not given: %s', async (uri) => {
    const answer = await ask(`X-Accel-Redirect: ${uri}`, { accelRedirect: { '/files/': makeRoot() } });
    expect(answer).toMatchObject({ status: 404, codes: ['ERR_SCGI_FILE_NOT_FOUND'] });
  });

  test('asks a function', async () => {
    const root = makeRoot();
    const accelRedirect = (uri: string): string => join(root, uri.slice('/protected/'.length));
    expect((await ask('X-Accel-Redirect: /protected/file.txt', { accelRedirect })).body).toBe(text);
  });
});

test.each([
  'X-Sendfile',
  'X-LIGHTTPD-send-file',
  'X-Accel-Redirect',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
  'X-Accel-Charset',
])('off by default: %s is no order, and never reaches the client', async (name) => {
  const { status, headers, body } = await ask(`${name}: /etc/passwd\r\nX-Kept: 1`, {});
  expect({ status, body }).toEqual({ status: 200, body: 'dropped' });
  expect(headers[name.toLowerCase()]).toBeUndefined();
  expect(headers['x-kept']).toBe('1');
});

test('X-Accel-Buffering goes on, for the web server that may be in front', async () => {
  expect((await ask('X-Accel-Buffering: no', {})).headers['x-accel-buffering']).toBe('no');
});
