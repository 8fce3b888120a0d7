// Bodies in motion through Apache, which holds none of them: events arrive one by one without any configuration, and
// whoever stops reading stops the other side.

import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { digestOf, pattern } from '../nginx/apps/pattern.js';
import type { AppProcess } from '../nginx/support/app-process.js';
import { EventStream } from '../nginx/support/event-stream.js';
import { standstill } from '../nginx/support/standstill.js';
import { createCertificate } from '../nginx/support/certificate.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { test, transports } from './support/stage.js';

const MiB = 1024 * 1024;
const size = 100 * 1000 * 1000;
/** How far one of the slow ones goes before it stops: twice, even where two sockets hold 36 MiB each (tcp_rmem, tcp_wmem). */
const step = 10 * MiB;
/** What the process of the application may grow by, whatever goes through it. */
const growthLimit = 64 * MiB;
const deadlineMs = 30_000;

describeWith('apache', 'streams through Apache', () => {
  describe.each(transports)('over %s', (over) => {
    test('events arrive one by one, and a field for nginx arrives with them', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.apache({ to: app.address });
      const { response, abort } = await openRequest({ origin, path: '/events' });
      // Harmless: the documentation says how to leave it out.
      expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      const events = new EventStream(response);
      for (const text of ['one', 'two', 'three']) {
        await app.ask('emit', text);
        expect(await events.next()).toMatchObject({ data: text });
      }
      abort();
      // Apache tells when there is something to write.
      const gone = async (): Promise<boolean> => (
        await app.ask('emit', 'anybody?'),
        (await app.ask('listeners')) === 0
      );
      await until(gone, 1_000, 'the application knowing that the client has left');
    });

    test('100 MB uploaded arrive whole, and stop when the application stops reading', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.apache({ to: app.address });
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
        const asked = async (): Promise<boolean> => (await app.ask('goOn'), answered);
        await until(asked, deadlineMs, 'the answer');
        expect(JSON.parse((await exchange).text)).toMatchObject({ size, sha256: digestOf(size) });
      });
      expect(stops).toBeGreaterThanOrEqual(2);
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });

    test('100 MB downloaded arrive whole, and stop when the client stops reading', async ({ stage }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await stage.apache({ to: app.address });
      const growth = await growthOf(app, async () => {
        const { response } = await openRequest({ origin, path: `/bytes?size=${size}&length`, deadlineMs });
        expect(response.headers['content-length']).toBe(`${size}`);
        const hash = createHash('sha256');
        let received = 0;
        let stops = 0;
        for await (const chunk of response) {
          hash.update(chunk);
          if (Math.floor(received / step) !== Math.floor((received += chunk.length) / step)) {
            if ((await standstill(() => sentBy(app))) < size) stops += 1;
          }
        }
        expect(hash.digest('hex')).toBe(digestOf(size));
        expect(stops).toBeGreaterThanOrEqual(2);
      });
      expect(growth).toBeLessThanOrEqual(growthLimit);
    });
  });
});

describeWith(['apache', 'openssl'], 'streams through Apache over TLS', () => {
  test('events arrive one by one', async ({ stage }) => {
    const app = await stage.fork('streams.js');
    const { tlsOrigin } = await stage.apache({ to: app.address, tls: createCertificate(stage.folder()) });
    const { response, abort } = await openRequest({ origin: tlsOrigin, path: '/events' });
    const events = new EventStream(response);
    for (const text of ['one', 'two']) {
      await app.ask('emit', text);
      expect(await events.next()).toMatchObject({ data: text });
    }
    abort();
    // Apache would wait for the next event with its own end too.
    await until(async () => (await app.ask('emit', 'x'), (await app.ask('listeners')) === 0), 1_000, 'the end');
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
