// Our own server as backend of our own client and gateway: everything makes the round trip.

import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { serveScgi, type RunningServer } from '@scgi/adapter-express';
import { scgi } from '@scgi/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { within } from '../support/deadline.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { createEchoApp, happenings } from './support/echo-app.js';
import { openWay, waysTo, type Way } from './support/ways.js';

const mebibyte = 1_048_576;

const listens = ['unix', 'tcp'] as const;

describe.each(listens)('our own server by %s', (listen) => {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-own-'));
  let server: RunningServer;
  let address = '';

  beforeAll(async () => {
    server = await serveScgi(createEchoApp(), { bind: listen === 'unix' ? `unix:${join(folder, 'app.sock')}` : 0 });
    address = server.endpoints[0]?.address ?? '';
    const sockets = new WebSocketServer({ server: server.server });
    sockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    });
  });
  afterAll(async () => {
    await server?.close({ timeout: 0 });
    rmSync(folder, { recursive: true });
  });

  describe.each(waysTo(listen, listens))('%s', (kind) => {
    let way: Way;
    const errors: string[] = [];
    beforeAll(async () => {
      way = await openWay(kind, address, errors);
    });
    const facts = async (path: string, init?: RequestInit): Promise<unknown> =>
      JSON.parse(await (await way.ask(`/facts${path}`, init)).text());

    test('path and query arrive as they were written', async () => {
      expect(await facts("/a%20b/%2F/%C3%BC/!$&'()*+,;=:@/~?q=%26&q=a+b&empty")).toMatchObject({
        method: 'GET',
        url: "/facts/a%20b/%2F/%C3%BC/!$&'()*+,;=:@/~?q=%26&q=a+b&empty",
        query: { q: ['&', 'a b'], empty: '' },
        ip: '127.0.0.1',
        secure: false,
      });
    });

    test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])(
      '%s arrives',
      async (method) => {
        expect(await facts('/x', { method })).toMatchObject({ method });
      },
    );

    test('fields and cookies arrive', async () => {
      const headers: [string, string][] = [
        ['X-Latin1', 'gr\u00fcn'],
        ['X-Empty', ''],
        ['X-List', 'one'],
        ['X-List', 'two'],
        ['Cookie', 'a=1; b="2"'],
      ];
      expect(await facts('/x', { headers })).toMatchObject({
        cookie: 'a=1; b="2"',
        fields: expect.arrayContaining([
          ['x-latin1', 'gr\u00fcn'],
          ['x-empty', ''],
          ['x-list', 'one, two'],
        ]),
      });
    });

    test('status, fields and cookies come back', async () => {
      const response = await way.ask('/fields');
      expect([response.status, await response.text()]).toEqual([299, 'fields']);
      expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=two words; Secure', 'c=']);
      expect(response.headers.get('x-latin1')).toBe('gr\u00fcn');
      expect(response.headers.get('x-empty')).toBe('');
      expect(response.headers.get('x-list')).toBe('one, two');
    });

    test('a conditional request is answered without a body', async () => {
      const etag = (await way.ask('/facts/x')).headers.get('etag') ?? '';
      // Without the second field fetch would add a Cache-Control that asks for a fresh answer.
      const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
      const response = await way.ask('/facts/x', { headers });
      expect([response.status, await response.text()]).toEqual([304, '']);
    });

    test('64 MiB come back as they went', async () => {
      const body = randomBytes(64 * mebibyte);
      const response = await way.ask('/echo', { method: 'POST', body });
      expect(body.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
    });

    test('each piece comes back before the next one is sent', async () => {
      const body = new PassThrough();
      body.write('piece 0');
      const answer = await within(way.stream('/echo', 70, body), 5_000, 'the beginning of the answer');
      const chunks = answer[Symbol.asyncIterator]();
      for (let index = 0; index < 10; index += 1) {
        expect(`${(await within(chunks.next(), 5_000, `piece ${index}`)).value}`).toBe(`piece ${index}`);
        if (index < 9) body.write(`piece ${index + 1}`);
      }
      body.end();
      expect((await within(chunks.next(), 5_000, 'the end')).done).toBe(true);
    });

    test('an early answer comes back while the body is still on its way', async () => {
      const response = await way.ask('/early', { method: 'POST', body: Buffer.alloc(8 * mebibyte) });
      expect([response.status, await response.text()]).toEqual([413, 'too much']);
    });

    test('the application hears within a second that its client has left', async () => {
      const before = openDescriptors();
      const left = once(happenings, 'left');
      const aborted = new AbortController();
      const response = await way.ask('/endless', { signal: aborted.signal });
      await response.body?.getReader().read();
      aborted.abort();
      await within(left, 1_000, 'the end of the request');
      if (kind === 'by the client') await expectNoLeaks(before);
    });

    test('an application that throws is a 500 without its secrets', async () => {
      const response = await way.ask('/throws');
      expect(response.status).toBe(500);
    });
  });

  test('an upgrade by the client is a socket both ways', async () => {
    const response = await scgi(address, {
      path: '/socket',
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    const { status, kind, headers, socket } = response;
    expect([status, kind]).toEqual([101, 'upgrade']);
    // RFC 6455 §1.3 has the same key.
    expect(headers.get('sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    if (socket === undefined) throw new Error('no socket');
    // A text frame, masked with zeros; it comes back without a mask.
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from('hi')]));
    const [frame]: unknown[] = await within(once(socket, 'data'), 5_000, 'the frame');
    expect(frame).toEqual(Buffer.from([0x81, 2, ...Buffer.from('hi')]));
    socket.destroy();
  });

  test('a WebSocket passes the gateway', async () => {
    const { origin = '' } = await openWay('through the gateway', address);
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/mount/socket`);
    await within(once(socket, 'open'), 5_000, 'the handshake');
    for (const message of ['text', 'x'.repeat(mebibyte)]) {
      socket.send(message);
      const [data]: unknown[] = await within(once(socket, 'message'), 5_000, 'the echo');
      expect(`${data}`).toBe(message);
    }
    socket.close(4000, 'enough');
    const [code]: unknown[] = await within(once(socket, 'close'), 5_000, 'the close');
    expect(code).toBe(4000);
  });
});
