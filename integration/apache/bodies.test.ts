// Request bodies through Apache: it streams them, refuses chunks, and reads nothing of a response before all is sent.

import type { ScgiListener } from '@scgi/core';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { digestOf, pattern } from '../nginx/apps/pattern.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { mirror, seenBy } from './support/mirror.js';
import { test, transports, type StageOptions } from './support/stage.js';

const MB = 1_000_000;

describeWith('apache', 'a request body through Apache', () => {
  describe.each(transports)('over %s', (over) => {
    test('of 10 MB arrives whole, and so does a response of 10 MB', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.apache({ to: app.address });
      const headers = { 'Content-Length': `${10 * MB}` };
      const sent = await httpRequest({ origin, path: '/hash', headers, body: pattern(10 * MB) });
      expect(JSON.parse(sent.text)).toMatchObject({ size: 10 * MB, sha256: digestOf(10 * MB) });
      const { body } = await httpRequest({ origin, path: `/bytes?size=${10 * MB}` });
      expect(createHash('sha256').update(body).digest('hex')).toBe(digestOf(10 * MB));
    });

    test('is passed on while it comes', async ({ stage }) => {
      let first: Promise<string> = Promise.resolve('');
      const app = await stage.serve(
        async (request, response) => {
          first = firstChunk(request);
          response.end(`all ${(await request.toArray()).join('')}`);
        },
        { over },
      );
      const { port } = await stage.apache({ to: app.address });
      const requested = once(app.server, 'request');
      const socket = connect(port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 11\r\n\r\nhello');
      await within(requested, 5_000, 'the request');
      expect(await within(first, 5_000, 'the first half')).toBe('hello');
      socket.write(' world');
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      expect(answer).toMatch(/\r\n\r\nall hello world$/);
    });

    test('in chunks is refused by Apache with 411, and the application never hears of it', async ({ stage }) => {
      const { address } = await stage.serve(() => expect.unreachable(), { over });
      const { origin } = await stage.apache({ to: address });
      const answer = await httpRequest({ origin, body: [Buffer.from('abc'), Buffer.from('def')] });
      expect(answer.status).toBe(411);
    });

    test.for([
      { what: 'a length of zero', head: 'Content-Length: 0\r\n' },
      { what: 'no length', head: '' },
    ])('that is announced with $what is empty', async ({ head }, { stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const { port } = await stage.apache({ to: address });
      const socket = connect(port, '127.0.0.1');
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n`);
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      expect(answer).toMatch(/"method":"POST"/);
      expect(answer).toMatch(/"body":""/);
    });

    test('is waited for with 100 Continue by Apache, which the application does not see', async ({ stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const { port } = await stage.apache({ to: address });
      const socket = connect(port, '127.0.0.1');
      const head =
        'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
      socket.write(head);
      const [interim] = await within(once(socket, 'data'), 5_000, 'the permission');
      expect(String(interim)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write('hi');
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).not.toContain('"expect"');
      expect(answer).toContain('"body":"hi"');
    });

    test('goes with a GET as with any method', async ({ stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const { origin } = await stage.apache({ to: address });
      expect(await seenBy({ origin, method: 'GET', body: 'hi' })).toMatchObject({ method: 'GET', body: 'hi' });
    });

    // Closing with unread input is a 500, a 503 or a hang here, whatever the answer was.
    test('that is not read costs the client none of its answer', async ({ stage }) => {
      const { address } = await stage.serve((_, response) => void response.writeHead(413).end('too large'), { over });
      const { origin } = await stage.apache({ to: address });
      for (const size of [1, 20, 10_000, 300_000, 3 * MB]) {
        const answer = await httpRequest({ origin, body: Buffer.alloc(size) });
        expect(answer).toMatchObject({ status: 413, text: 'too large' });
      }
    });

    const declining: readonly { how: string; decline: (request: IncomingMessage) => unknown }[] = [
      // raw-body, and with it body-parser and koa-body, does so where the stated length is above its limit.
      { how: 'pauses it at once', decline: (request) => request.unpipe().pause() },
      // multer does so at its limits.
      {
        how: 'reads a part and throws the rest away',
        decline: async (request) => (await firstChunk(request), request.resume()),
      },
    ];

    test.for(declining)('costs the client no answer of an application that $how', async ({ decline }, { stage }) => {
      const listener: ScgiListener = async (request, response) => {
        await decline(request);
        response.writeHead(413).end('too large');
      };
      const { address } = await stage.serve(listener, { over });
      const { origin } = await stage.apache({ to: address });
      const answer = await httpRequest({ origin, body: Buffer.alloc(3 * MB), deadlineMs: 3_000 });
      expect(answer).toMatchObject({ status: 413, text: 'too large' });
    });

    test('above LimitRequestBody is refused by Apache', async ({ stage }) => {
      const { address } = await stage.serve((request, response) => void request.pipe(response), { over });
      const { origin } = await stage.apache({ to: address, directives: ['LimitRequestBody 1000'] });
      expect((await httpRequest({ origin, body: Buffer.alloc(1_001) })).status).toBe(413);
      expect((await httpRequest({ origin, body: Buffer.alloc(1_000) })).status).toBe(200);
    });
  });
});

// Apache sends the whole body before it reads a byte of the response: without a buffer both sides would wait for ever.
describeWith('apache', 'a large response to a large request through Apache', () => {
  const large = Buffer.concat([...pattern(10 * MB)]);
  const roomy = { maxBufferedBody: 16 * MB };
  const cases: readonly { what: string; listener: RequestListener; options: StageOptions }[] = [
    { what: 'leaves the body unread', listener: (_, response) => void response.end(large), options: {} },
    { what: 'echoes the body', listener: (request, response) => void request.pipe(response), options: roomy },
    {
      what: 'reads the body afterwards',
      listener: async (request, response) => {
        response.write(large);
        for await (const _ of request);
        response.end();
      },
      options: roomy,
    },
  ];

  describe.each(transports)('over %s', (over) => {
    test.for(cases)('arrives from an application that $what', async ({ listener, options }, { stage }) => {
      const { address } = await stage.serve(listener, { over, ...options });
      const { origin } = await stage.apache({ to: address });
      const { status, body } = await httpRequest({ origin, body: large });
      expect(status).toBe(200);
      expect(body.equals(large)).toBe(true);
    });

    test('is ended at the deadline where the bound of the buffer is too low', async ({ stage }) => {
      const options = { over, idleTimeout: 200, maxBufferedBody: MB };
      const app = await stage.serve((request, response) => void request.pipe(response), options);
      const { origin } = await stage.apache({ to: app.address });
      // More than the buffers of two sockets take.
      expect((await httpRequest({ origin, body: Buffer.alloc(40 * MB) })).status).toBe(503);
      await until(() => app.server.connectionCount === 0, 5_000, 'the end of the connection');
    });
  });
});

async function firstChunk(request: IncomingMessage): Promise<string> {
  const [chunk] = await once(request, 'data');
  return String(chunk);
}
