// Bodies in motion: hundreds of megabytes in either direction that nobody ever holds, events and echoes that arrive
// one by one, and the bodies that nginx streams while it misstates their length.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect } from 'vitest';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { digestOf, pattern } from './apps/pattern.js';
import type { AppProcess } from './support/app-process.js';
import { EventStream } from './support/event-stream.js';
import { test, transports } from './support/stage.js';
import { standstill } from './support/standstill.js';

const MiB = 1024 * 1024;
const size = 300 * 1000 * 1000;
/** How far one of the slow ones goes before it stops. */
const step = 30 * MiB;
/** What the process of the application may grow by, whatever goes through it. */
const growthLimit = 64 * MiB;
const deadlineMs = 30_000;

const bufferings = [
  { what: 'holds back', settings: { buffering: true, requestBuffering: true } },
  { what: 'passes on at once', settings: { buffering: false, requestBuffering: false } },
];

describeWith('nginx', 'large bodies through nginx', () => {
  let sha256: string;
  beforeAll(() => {
    sha256 = digestOf(size);
  });

  describe.each(transports)('over %s', (over) => {
    test.for(bufferings)('300 MB uploaded, which nginx $what, arrive whole', async ({ settings }, { stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address, ...settings });
      const growth = await growthOf(app, async () => {
        const headers = { 'Content-Length': `${size}` };
        const { status, text } = await httpRequest({
          origin,
          path: '/hash',
          headers,
          body: pattern(size),
          deadlineMs,
        });
        expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, size, sha256 });
      });
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });

    test.for(bufferings)('300 MB downloaded, which nginx $what, arrive whole', async ({ settings }, { stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address, ...settings });
      const growth = await growthOf(app, async () => {
        const { response } = await openRequest({ origin, path: `/bytes?size=${size}`, deadlineMs });
        const hash = createHash('sha256');
        for await (const chunk of response) hash.update(chunk);
        expect(hash.digest('hex')).toBe(sha256);
      });
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });

    test('an application that stops reading stops the client, and holds little meanwhile', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address, requestBuffering: false });
      let given = 0;
      let stops = 0;
      function* counted(): Generator<Uint8Array> {
        for (const block of pattern(size)) {
          given += block.length;
          yield block;
        }
      }
      const growth = await growthOf(app, async () => {
        const request = { origin, path: `/hash?pause=${step}`, headers: { 'Content-Length': `${size}` } };
        let answered = false;
        const exchange = httpRequest({ ...request, body: counted(), deadlineMs }).finally(() => (answered = true));
        while (given < size) {
          await standstill(() => given);
          if (given < size) stops += 1;
          await app.ask('goOn');
        }
        // The client has given all; what is on its way still makes the application stop a few times.
        const asked = async (): Promise<boolean> => (await app.ask('goOn'), answered);
        await until(asked, deadlineMs, 'the answer');
        const { text } = await exchange;
        expect(JSON.parse(text)).toMatchObject({ size, sha256 });
      });
      expect(stops).toBeGreaterThanOrEqual(5);
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });

    test('a client that stops reading stops the application, which holds little meanwhile', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address, buffering: false });
      const growth = await growthOf(app, async () => {
        const { response } = await openRequest({ origin, path: `/bytes?size=${size}&length`, deadlineMs });
        const hash = createHash('sha256');
        let received = 0;
        let stops = 0;
        for await (const chunk of response) {
          hash.update(chunk);
          if (Math.floor(received / step) !== Math.floor((received += chunk.length) / step)) {
            if ((await standstill(() => sentBy(app))) < size) stops += 1;
          }
        }
        expect(hash.digest('hex')).toBe(sha256);
        expect(stops).toBeGreaterThanOrEqual(5);
      });
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });
  });
});

describeWith('nginx', 'streams through nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test('events arrive one by one although nginx buffers responses', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address });
      const { response, abort } = await openRequest({ origin, path: '/events' });
      expect(response.headers).not.toHaveProperty('x-accel-buffering'); // a word to nginx, which keeps it
      const events = new EventStream(response);
      for (const text of ['one', 'two', 'three']) {
        await app.ask('emit', text);
        expect(await events.next()).toMatchObject({ data: text });
      }
      abort();
      await until(
        async () => (await app.ask('listeners')) === 0,
        1_000,
        'the application knowing that the client has left',
      );
    });

    test('an echo comes back while the request is still being sent', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.nginx({ to: app.address, buffering: false, requestBuffering: false });
      const words = ['one ', 'two ', 'three'];
      const heard: string[] = [];
      let wake = (): void => {};
      async function* body(): AsyncGenerator<Uint8Array> {
        for (const word of words) {
          yield Buffer.from(word);
          // The next word is not said before this one was heard.
          await within(new Promise<void>((resolve) => (wake = resolve)), 5_000, `the echo of "${word}"`);
        }
      }
      const headers = { 'Content-Length': `${words.join('').length}` };
      const { response } = await openRequest({ origin, path: '/echo', headers, body: body() });
      for await (const chunk of response.setEncoding('utf8')) {
        heard.push(chunk);
        wake();
      }
      expect(heard).toEqual(words);
    });

    // nginx before 1.29.6 states only the bytes it has already read when it does not buffer requests.
    test('a body that follows its head later is whole although nginx states a length of zero', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const nginx = await stage.nginx({ to: app.address, requestBuffering: false });
      const socket = connect(nginx.port, '127.0.0.1');
      socket.write('POST /hash HTTP/1.0\r\nContent-Length: 11\r\n\r\n');
      await until(async () => (await app.facts()).connections === 1, 5_000, 'the head at the application');
      socket.write('hello world');
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ size: 11, stated: { field: '11' } });
    });

    test('a body of which nginx states the first part is whole', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const nginx = await stage.nginx({ to: app.address, requestBuffering: false });
      const body = Buffer.concat([...pattern(300 * 1024)]);
      const socket = connect(nginx.port, '127.0.0.1');
      // Head and first bytes in one segment: nginx has them in hand when it writes CONTENT_LENGTH.
      socket.write('PUT /hash HTTP/1.0\r\nContent-Length: 307200\r\n\r\n' + body.toString('latin1', 0, 500));
      await until(async () => (await app.facts()).connections === 1, 5_000, 'the head at the application');
      socket.write(body.subarray(500));
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      const { size: arrived, sha256 } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
      expect({ arrived, sha256 }).toEqual({ arrived: 307_200, sha256: digestOf(307_200) });
      await once(socket, 'close');
    });
  });
});

/** By how many bytes a process grows at most while something is done. */
async function growthOf(app: AppProcess, action: () => Promise<void>): Promise<number> {
  const before = await app.facts();
  await action();
  const after = await app.facts();
  expect(after.unhandled).toEqual([]);
  return after.peakRssBytes - before.rssBytes;
}

async function sentBy(app: AppProcess): Promise<number> {
  const moved = await app.ask('moved');
  return typeof moved === 'object' && moved !== null && 'sent' in moved ? Number(moved.sent) : NaN;
}
