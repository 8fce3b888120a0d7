// serve-static, as it is, over SCGI: whole files, ranges, validators, HEAD, indexes, redirects, and what it hides.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import serveStatic from 'serve-static';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpRequest } from '../support/http-client.js';
import { originOf, serveBothWays, type BothWays } from './support/both-ways.js';

let folder: string;
const large = Buffer.alloc(1_500_000, 'abcdefghij');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scgi-static-'));
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'index.html'), '<h1>start</h1>');
  writeFileSync(join(folder, 'docs/index.html'), '<h1>docs</h1>');
  writeFileSync(join(folder, 'digits.txt'), '0123456789');
  writeFileSync(join(folder, '.secret'), 'hidden');
  writeFileSync(join(folder, 'größe.txt'), 'über');
  writeFileSync(join(folder, 'large.bin'), large);
});
afterAll(() => rmSync(folder, { recursive: true }));

function serve(options: serveStatic.ServeStaticOptions = {}): Promise<BothWays> {
  return serveBothWays(() => express().use(serveStatic(folder, options)));
}

describe('serve-static', () => {
  test('sends a file with its type, length and validators', async () => {
    const app = await serve({ maxAge: '1h', immutable: true });
    const answer = await app.same((agent) => agent.get('/digits.txt'));
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=3600, immutable',
      etag: expect.stringMatching(/^W\/"/),
      'last-modified': expect.stringMatching(/GMT$/),
    });
    expect(answer.text).toBe('0123456789');
  });

  test('sends a large file whole', async () => {
    const app = await serve();
    expect((await app.same((agent) => agent.get('/large.bin'))).body.equals(large)).toBe(true);
  });

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
  ])('sends the part %s', async (range, text, contentRange) => {
    const app = await serve();
    const answer = await app.same((agent) => agent.get('/digits.txt').set('Range', range));
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({ 'content-range': contentRange, 'content-length': `${text.length}` });
    expect(answer.text).toBe(text);
  });

  test('refuses a part that is not there with 416 and the size', async () => {
    const app = await serve();
    const answer = await app.same((agent) => agent.get('/digits.txt').set('Range', 'bytes=50-60'));
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe('bytes */10');
  });

  test('sends the whole where If-Range names another version', async () => {
    const app = await serve();
    const answer = await app.same((agent) =>
      agent.get('/digits.txt').set('Range', 'bytes=0-1').set('If-Range', '"another"'),
    );
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('0123456789');
  });

  test.each(['etag', 'last-modified'])('answers 304 without a body to who has it already, by %s', async (validator) => {
    const app = await serve();
    const value = (await app.scgi((agent) => agent.get('/digits.txt'))).headers[validator] ?? '';
    const condition = validator === 'etag' ? 'If-None-Match' : 'If-Modified-Since';
    const answer = await app.same((agent) => agent.get('/digits.txt').set(condition, value));
    expect(answer.status).toBe(304);
    expect(answer.body).toHaveLength(0);
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  test('answers 412 where If-Match names another version', async () => {
    const app = await serve();
    const answer = await app.same((agent) => agent.get('/digits.txt').set('If-Match', '"another"'));
    expect(answer.status).toBe(412);
  });

  test('answers HEAD with the length of the file and no body', async () => {
    const app = await serve();
    const answer = await app.same((agent) => agent.head('/large.bin'));
    expect(answer.headers['content-length']).toBe(`${large.byteLength}`);
    expect(answer.body).toHaveLength(0);
  });

  test('sends the index of a folder, after a redirect to its slash', async () => {
    const app = await serve();
    expect((await app.same((agent) => agent.get('/'))).text).toBe('<h1>start</h1>');
    const redirect = await app.same((agent) => agent.get('/docs?q=1'));
    expect(redirect.status).toBe(301);
    expect(redirect.headers['location']).toBe('/docs/?q=1');
    expect((await app.same((agent) => agent.get('/docs/'))).text).toBe('<h1>docs</h1>');
  });

  test.each([
    ['ignore', 404],
    ['deny', 403],
    ['allow', 200],
  ])('treats a dotfile as it was told: %s', async (dotfiles, status) => {
    const app = await serve({ dotfiles, fallthrough: false });
    expect((await app.same((agent) => agent.get('/.secret'))).status).toBe(status);
  });

  test('finds a name beyond ASCII', async () => {
    const app = await serve();
    expect((await app.same((agent) => agent.get('/gr%C3%B6%C3%9Fe.txt'))).text).toBe('über');
  });

  test.each(['/../package.json', '/%2e%2e/package.json', '/docs/..%2f..%2fpackage.json'])(
    'does not leave its folder for %s',
    async (path) => {
      const app = await serve();
      const statuses = await Promise.all(
        [app.front.url, originOf(app.http)].map(async (origin) => (await httpRequest({ origin, path })).status),
      );
      expect(statuses[0]).toBeGreaterThanOrEqual(403);
      expect(statuses[0]).toBe(statuses[1]);
    },
  );

  test('refuses other methods where nothing comes after it', async () => {
    const app = await serve({ fallthrough: false });
    const answer = await app.same((agent) => agent.post('/digits.txt').send('x'));
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });
});
