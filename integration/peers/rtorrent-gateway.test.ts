// A real rTorrent behind an Express application and nothing else: /RPC2 without a web server.

import { scgi } from '@scgi/gateway';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeAnswer } from '../../examples/rtorrent/xml-rpc-answer.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { openDescriptors } from '../support/leaks.js';
import { startRtorrent, type Rtorrent } from '../support/rtorrent.js';
import { listenHttp } from './support/listen.js';
import { callOfLength, mebibyte, multicall, version } from './support/rtorrent-calls.js';

describeWith('rtorrent', 'rTorrent behind an Express application, without a web server', () => {
  let rtorrent: Rtorrent;
  let origin: string;
  const errors: string[] = [];

  beforeAll(async () => {
    rtorrent = await startRtorrent({ xmlrpcSizeLimit: 16 * mebibyte });
    const app = express();
    app.get('/', (_request, response) => void response.send('a page'));
    app.use('/RPC2', scgi(rtorrent.address, { onError: ({ code }) => errors.push(code) }));
    origin = await listenHttp(app);
  });
  afterAll(async () => void (await rtorrent?.stop()));
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${origin}/RPC2`, { method: 'POST', headers: { 'content-type': 'text/xml', ...headers }, body });

  test('is called by fetch', async () => {
    const response = await post(version);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/xml']);
    expect(decodeAnswer(await response.text())).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await (await fetch(origin)).text()).toBe('a page');
  });

  test('is called by a browser with all its fields', async () => {
    const chromium = {
      'accept-encoding': 'gzip, deflate, br, zstd',
      'accept-language': 'en-GB,en-US;q=0.9,en;q=0.8',
      'cache-control': 'no-cache',
      cookie: `session=${'0123456789abcdef'.repeat(4)}`,
      pragma: 'no-cache',
      referer: `${origin}/some/page/of/the/application`,
      'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
      'sec-ch-ua-mobile': '?0',
      'sec-ch-ua-platform': '"Linux"',
      'user-agent':
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    };
    expect((await post(version, chromium)).status).toBe(200);
  });

  test('takes 2 MiB and answers with more than 5 MB', async () => {
    const echo: string = decodeAnswer(await (await post(callOfLength(2 * mebibyte))).text());
    expect(echo.length).toBeGreaterThan(2 * mebibyte - 300);
    const answer = Buffer.from(await (await post(multicall('system.listMethods', 140))).arrayBuffer());
    expect(answer.length).toBeGreaterThan(5_000_000);
    expect(decodeAnswer(answer.toString())).toHaveLength(140);
  });

  test.each([
    ['a head beyond its limit', { 'x-large': 'x'.repeat(2500) }, version, 'ERR_SCGI_BACKEND_RESET'],
    ['a body beyond its limit', {}, callOfLength(2 * mebibyte + 1), 'ERR_SCGI_BACKEND_RESET'],
    ['no body', {}, '', 'ERR_SCGI_RESPONSE_EMPTY'],
  ])('makes a 502 of %s', async (_, headers, body, code) => {
    errors.length = 0;
    const response = await post(body, headers);
    expect([response.status, await response.text()]).toEqual([502, '502 Bad Gateway\n']);
    expect(errors).toEqual([code]);
    expect((await post(version)).status).toBe(200);
  });

  test('answers 100 calls at once', async () => {
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await post(version)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('is left when its client leaves', async () => {
    const before = openDescriptors(rtorrent.pid).length;
    const aborted = new AbortController();
    const call = fetch(`${origin}/RPC2`, {
      method: 'POST',
      body: multicall('system.listMethods', 500),
      signal: aborted.signal,
    });
    const response = await call;
    aborted.abort();
    await expect(response.text()).rejects.toThrow();
    await until(() => openDescriptors(rtorrent.pid).length <= before, 10_000, 'the end of the connection to rTorrent');
    expect((await post(version)).status).toBe(200);
  });
});
