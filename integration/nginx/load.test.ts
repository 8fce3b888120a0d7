// Many requests, at once and one after the other: every one gets its own answer, and the process of the application
// holds nothing afterwards that it did not hold before.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect } from 'vitest';
import { until } from '../support/deadline.js';
import { combinedWith, testsEveryCombination } from '../support/combinations.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Nginx } from '../support/nginx.js';
import { test, transports, type Stage, type Transport } from './support/stage.js';

const requests = testsEveryCombination ? 2_500 : 1_000;

describeWith('nginx', 'load behind nginx', () => {
  describe.each(combinedWith(1, transports))('over %s', (over) => {
    test('500 clients at once are all answered, each with what is its own', async ({ stage }) => {
      const { nginx, expectAsBefore } = await setUp(stage, over);
      const paths = Array.from({ length: 500 }, (_, index) => `/together?of=500&number=${index}`);
      const requests = paths.map((path, index) => {
        // Every other one brings a body, which the application leaves unread.
        const body = index % 2 === 0 ? {} : { body: Buffer.alloc(1_000) };
        return httpRequest({ origin: nginx.origin, path, ...body, deadlineMs: 20_000 });
      });
      const answers = await Promise.all(requests);
      expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(
        paths.map((path) => `200 you are ${path}`),
      );
      await expectAsBefore();
    });

    test(`${requests} requests of all kinds leave nothing behind`, { timeout: 90_000 }, async ({ stage }) => {
      const { nginx, expectAsBefore } = await setUp(stage, over);
      let left = requests;
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await kinds[left % kinds.length]?.(nginx.origin, left);
        }
      };
      await Promise.all([lane(), lane(), lane(), lane()]);
      await expectAsBefore();
    });
  });
});

interface Scene {
  readonly nginx: Nginx;
  /** Neither process holds more than after the first few requests, and nothing went unhandled. */
  expectAsBefore(): Promise<void>;
}

async function setUp(stage: Stage, over: Transport): Promise<Scene> {
  const app = await stage.fork('example.js', { over });
  const nginx = await stage.nginx({ to: app.address });
  // What is opened at the first use and kept is not a leak.
  for (const [index, kind] of kinds.entries()) await kind(nginx.origin, index);
  await until(async () => (await app.facts()).connections === 0, 5_000, 'the end of the first connections');
  const worker = nginx.workerPids()[0] ?? 0;
  const before = { app: openDescriptors(app.pid), worker: openDescriptors(worker) };
  const expectAsBefore = async (): Promise<void> => {
    await until(async () => (await app.facts()).connections === 0, 5_000, 'the end of all connections');
    expect((await app.facts()).unhandled).toEqual([]);
    await expectNoLeaks(before.app, app.pid);
    await expectNoLeaks(before.worker, worker);
  };
  return { nginx, expectAsBefore };
}

type Kind = (origin: string, number: number) => Promise<void>;

const json = { 'Content-Type': 'application/json' };

/** What the example application is asked in turn, and the right answer. */
const kinds: readonly Kind[] = [
  async (origin, number) => {
    const { text } = await get(origin, `/request?number=${number}`);
    expect(JSON.parse(text).express.originalUrl).toBe(`/request?number=${number}`);
  },
  async (origin, number) => {
    const posted = await get(origin, '/api/notes', { headers: json, body: JSON.stringify({ text: `note ${number}` }) });
    expect(JSON.parse(posted.text).text).toBe(`note ${number}`);
    const deleted = await get(origin, `/api/${posted.headers.location}`, { method: 'DELETE' });
    expect(deleted.status).toBe(204);
  },
  async (origin) => {
    const { status, body } = await get(origin, '/assets/scgi.txt', { headers: { Range: 'bytes=10-19' } });
    expect({ status, length: body.length }).toEqual({ status: 206, length: 10 });
  },
  async (origin, number) => {
    const content = `file number ${number} `.repeat(500);
    const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n';
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
    const { text } = await get(origin, '/upload', { headers, body: `${head}${content}\r\n--x--\r\n` });
    expect(JSON.parse(text).sha256).toBe(createHash('sha256').update(content).digest('hex'));
  },
  async (origin) => {
    expect(await get(origin, '/', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  },
  async (origin) => {
    expect((await get(origin, '/no/such/page')).status).toBe(404);
    expect((await get(origin, '/errors/sync')).status).toBe(500);
  },
  async (origin) => {
    // A client that leaves in the middle of a stream.
    const { response, abort } = await openRequest({ origin, path: '/events' });
    await once(response, 'data');
    // Another request's answer says that the application is past the moment in which an end could be a half-close.
    expect((await get(origin, '/assets/icon.svg')).status).toBe(200);
    abort();
  },
  async (origin, number) => {
    // A response that breaks takes its time, so not every round has one.
    if (number % 5 === 0) await expect(get(origin, '/errors/late')).rejects.toThrow('aborted');
    else expect((await get(origin, '/assets/icon.svg')).status).toBe(200);
  },
];

function get(origin: string, path: string, options: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> {
  return httpRequest({ origin, path, ...options });
}
