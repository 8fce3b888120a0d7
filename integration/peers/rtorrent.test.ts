// A real rTorrent as backend: calls, faults, large calls, its limits, and torrents.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { scgi, ScgiClient, type ScgiResponse } from '@scgi/client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Rtorrent as Caller } from '../../examples/rtorrent/rtorrent.js';
import { decodeAnswer } from '../../examples/rtorrent/xml-rpc-answer.js';
import { encodeCall } from '../../examples/rtorrent/xml-rpc-call.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { startRtorrent, type Rtorrent } from '../support/rtorrent.js';
import { callOfLength, mebibyte, multicall, version } from './support/rtorrent-calls.js';
import { createTorrent } from './support/torrent-file.js';

describeWith('rtorrent', 'rTorrent', () => {
  describe.each(['unix', 'tcp'] as const)('by %s', (listen) => {
    let rtorrent: Rtorrent;

    beforeAll(async () => {
      rtorrent = await startRtorrent({ listen, xmlrpcSizeLimit: 16 * mebibyte });
    });
    afterAll(async () => void (await rtorrent?.stop()));
    const post = (body: string, options = {}): Promise<ScgiResponse> =>
      scgi(rtorrent.address, { path: '/RPC2', headers: { 'content-type': 'text/xml' }, body, ...options });
    const stillAnswers = async (): Promise<void> => {
      expect(decodeAnswer(await (await post(version)).text())).toMatch(/^\d+\.\d+\.\d+$/);
    };

    test('tells its version', async () => {
      const response = await post(version);
      expect(response).toMatchObject({ status: 200, reason: 'OK', kind: 'document' });
      expect(response.headers.get('content-type')).toBe('text/xml');
      const body = await response.bytes();
      expect(response.contentLength).toBe(body.length);
      expect(decodeAnswer(Buffer.from(body).toString())).toMatch(/^\d+\.\d+\.\d+$/);
    });

    test('answers a fault with status 200', async () => {
      const response = await post(encodeCall('no.such.method', []));
      expect(response.status).toBe(200);
      const text = await response.text();
      expect(() => decodeAnswer(text)).toThrow(expect.objectContaining({ code: -506 }));
    });

    test('answers a multicall with more than 5 MB, whole', async () => {
      const methods: unknown = decodeAnswer(await (await post(encodeCall('system.listMethods', []))).text());
      const response = await post(multicall('system.listMethods', 140));
      const body = await response.bytes();
      expect(body.length).toBeGreaterThan(5_000_000);
      expect(body.length).toBe(response.contentLength);
      const results: unknown[] = decodeAnswer(Buffer.from(body).toString());
      expect(results).toHaveLength(140);
      for (const result of results) expect(result).toEqual([methods]);
    });

    test('takes a body of 2 MiB, the most it can, whole and from a stream', async () => {
      const call = callOfLength(2 * mebibyte);
      const bodies = [
        () => ({ body: call }),
        () => ({ body: Readable.from([call.slice(0, 99), call.slice(99)]), contentLength: call.length }),
        () => ({ body: Readable.from([call.slice(0, 99), call.slice(99)]) }),
      ];
      for (const body of bodies) {
        const text: string = decodeAnswer(await (await scgi(rtorrent.address, body())).text());
        expect(text).toMatch(/^x+$/);
        expect(text.length).toBeGreaterThan(2 * mebibyte - 300);
      }
    });

    test('answers others again once the client has given up an answer that nobody reads', async () => {
      const client = new ScgiClient(rtorrent.address, { idleTimeout: 300 });
      const unread = await client.request({ body: multicall('system.listMethods', 500) });
      await stillAnswers();
      await until(() => client.backend.connections === 0, 5_000, 'the end of the connection');
      await expect(unread.text()).rejects.toMatchObject({ code: 'ERR_SCGI_IDLE_TIMEOUT' });
    });

    test('resets what is longer, which is a typed error', async () => {
      await expect(post(callOfLength(2 * mebibyte + 1))).rejects.toMatchObject({ code: 'ERR_SCGI_BACKEND_RESET' });
      await expect(post(callOfLength(5 * mebibyte))).rejects.toMatchObject({ code: 'ERR_SCGI_BACKEND_RESET' });
      await stillAnswers();
    });

    test('takes a head with 1,500 bytes more than what a request has of itself', async () => {
      const response = await post(version, { env: { EXTRA: 'x'.repeat(1500) } });
      expect(response.status).toBe(200);
      await response.bytes();
    });

    test('resets a head of more than 2,000 bytes, which is a typed error', async () => {
      const call = post(version, { env: { EXTRA: 'x'.repeat(2000) } });
      await expect(call).rejects.toMatchObject({ code: 'ERR_SCGI_BACKEND_RESET' });
      await stillAnswers();
    });

    test('closes without an answer when there is no body, which is a typed error', async () => {
      await expect(scgi(rtorrent.address)).rejects.toMatchObject({ code: 'ERR_SCGI_RESPONSE_EMPTY' });
      await stillAnswers();
    });

    test.each([
      ['longer', version.length - 1],
      ['shorter', version.length + 1],
    ])('never gets a body that is %s than its CONTENT_LENGTH: it would hang', async (_, contentLength) => {
      const call = scgi(rtorrent.address, { body: Readable.from([version]), contentLength });
      await expect(within(call, 5_000, 'the error')).rejects.toMatchObject({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' });
      await stillAnswers();
    });

    test('answers 100 calls at once', async () => {
      const before = openDescriptors();
      const client = new ScgiClient(rtorrent.address);
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const answers = await Promise.all(
        numbers.map(async (number) => {
          const body = encodeCall('cat', ['', `call ${number}`]);
          return decodeAnswer(await (await client.request({ body })).text());
        }),
      );
      expect(answers).toEqual(numbers.map((number) => `call ${number}`));
      await expectNoLeaks(before);
    });

    test('answers 500 calls of a client that opens 10 connections at most', async () => {
      const client = new ScgiClient(rtorrent.address, { maxConcurrent: 10 });
      let most = 0;
      const answers = await Promise.all(
        Array.from({ length: 500 }, async () => {
          const response = await client.request({ body: version });
          most = Math.max(most, client.backend.connections);
          return decodeAnswer(await response.text());
        }),
      );
      expect(new Set(answers).size).toBe(1);
      expect(most).toBe(10);
    });

    test('holds a torrent from its beginning to its end', async () => {
      const caller = new Caller(rtorrent.address);
      const torrent = createTorrent(rtorrent.downloads, `${listen} & <file>.bin`, 100_000);
      const fields = ['d.hash=', 'd.name=', 'd.state=', 'd.complete=', 'd.completed_bytes='];
      const list = (): Promise<unknown> => caller.call('d.multicall2', '', 'main', ...fields);
      await expect(list()).resolves.toEqual([]);
      await caller.call('load.raw_verbose', '', torrent.bytes);
      const listed = (rest: readonly number[]): unknown => [[torrent.hash, torrent.name, ...rest]];
      await expect.poll(list, { timeout: 10_000 }).toEqual(listed([0, 0, 0]));
      await caller.call('d.start', torrent.hash);
      // It finds the file in its folder and checks it piece by piece.
      await expect.poll(list, { timeout: 10_000 }).toEqual(listed([1, 1, 100_000]));
      await caller.call('d.stop', torrent.hash);
      await expect.poll(list, { timeout: 10_000 }).toEqual(listed([0, 1, 100_000]));
      await caller.call('d.erase', torrent.hash);
      await expect(list()).resolves.toEqual([]);
      await expect(caller.call('d.name', torrent.hash)).rejects.toMatchObject({ code: -501 });
    });
  });

  test('refuses more than its own limit for XML with a fault, not a reset', async () => {
    const rtorrent = await startRtorrent();
    onTestFinished(async () => void (await rtorrent.stop()));
    const response = await scgi(rtorrent.address, { body: callOfLength(600_000) });
    const text = await response.text();
    expect(() => decodeAnswer(text)).toThrow('too large');
  });

  test('that has ended is a typed error at once', async () => {
    const unhandled = collectUnhandled();
    onTestFinished(() => unhandled.stop());
    const rtorrent = await startRtorrent();
    const client = new ScgiClient(rtorrent.address, { totalTimeout: 5_000 });
    expect((await (await client.request({ body: version })).text()).length).toBeGreaterThan(0);
    await rtorrent.stop();
    await expect(client.request({ body: version })).rejects.toMatchObject({
      code: 'ERR_SCGI_BACKEND_UNREACHABLE',
      cause: { code: 'ENOENT' },
    });
    expect(unhandled.errors).toEqual([]);
  });
});

test('what the client says of itself leaves rTorrent room: less than 500 of its 2,000 bytes', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  let received = '';
  server.on('connection', (socket) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (received.endsWith('</methodCall>')) socket.end('Status: 200 OK\r\n\r\n');
    });
  });
  const response = await scgi(address.port, { path: '/RPC2', headers: { 'content-type': 'text/xml' }, body: version });
  await response.bytes();
  expect(received).toMatch(/^\d+:CONTENT_LENGTH\0\d+\0/);
  expect(received.length - version.length).toBeLessThan(500);
});
