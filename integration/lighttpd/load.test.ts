// Many requests through lighttpd, at once and one after the other: every one gets its own answer, and neither process
// holds anything afterwards that it did not hold before.

import { describe, expect } from 'vitest';
import { until } from '../support/deadline.js';
import { combinedWith, testsEveryCombination } from '../support/combinations.js';
import { describeWith } from '../support/front-ends.js';
import { abortRequest, httpRequest } from '../support/http-client.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Lighttpd } from '../support/lighttpd.js';
import { test, transports, type LighttpdBefore, type Stage, type Transport } from './support/stage.js';

const requests = testsEveryCombination ? 1_000 : 600;

describeWith('lighttpd', 'load behind lighttpd', () => {
  describe.each(combinedWith(1, transports))('over %s', (over) => {
    test('500 clients at once are all answered, each with what is its own', async ({ stage, lighttpd }) => {
      const { origin, expectAsBefore } = await setUp(stage, lighttpd, over);
      const paths = Array.from({ length: 500 }, (_, index) => `/together?of=500&number=${index}`);
      const requests = paths.map((path, index) => {
        // Every other one brings a body, which the application leaves unread.
        const body = index % 2 === 0 ? {} : { body: Buffer.alloc(1_000) };
        return httpRequest({ origin, path, ...body, deadlineMs: 20_000 });
      });
      const answers = await Promise.all(requests);
      expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(
        paths.map((path) => `200 you are ${path}`),
      );
      await expectAsBefore();
    });

    test(`${requests} requests of all kinds leave nothing behind`, { timeout: 60_000 }, async ({ stage, lighttpd }) => {
      const { origin, expectAsBefore } = await setUp(stage, lighttpd, over);
      let left = requests;
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await kinds[left % kinds.length]?.(origin, left);
        }
      };
      await Promise.all([lane(), lane(), lane(), lane()]);
      await expectAsBefore();
    });
  });
});

interface Scene extends Pick<Lighttpd, 'origin'> {
  /** Neither process holds more than after the first few requests, and nothing went unhandled. */
  expectAsBefore(): Promise<void>;
}

async function setUp(stage: Stage, start: LighttpdBefore, over: Transport): Promise<Scene> {
  const app = await stage.fork('example.js', { over });
  // A request takes two descriptors.
  const { origin, pid } = await start({ to: app.address, directives: ['server.max-fds = 4096'] });
  // What is opened at the first use and kept is not a leak.
  for (const [index, kind] of kinds.entries()) await kind(origin, index);
  await until(async () => (await app.facts()).connections === 0, 5_000, 'the end of the first connections');
  const before = { app: openDescriptors(app.pid), lighttpd: openDescriptors(pid) };
  const expectAsBefore = async (): Promise<void> => {
    await until(async () => (await app.facts()).connections === 0, 5_000, 'the end of all connections');
    expect((await app.facts()).unhandled).toEqual([]);
    await expectNoLeaks(before.app, app.pid);
    await expectNoLeaks(before.lighttpd, pid);
  };
  return { origin, expectAsBefore };
}

type Kind = (origin: string, number: number) => Promise<void>;

const json = { 'Content-Type': 'application/json' };

/** What the example application is asked in turn, and the right answer. */
const kinds: readonly Kind[] = [
  async (origin, number) => {
    const { text } = await httpRequest({ origin, path: `/request?number=${number}` });
    expect(JSON.parse(text).express.originalUrl).toBe(`/request?number=${number}`);
  },
  async (origin, number) => {
    const body = JSON.stringify({ text: `note ${number}` });
    const posted = await httpRequest({ origin, path: '/api/notes', headers: json, body });
    expect(JSON.parse(posted.text).text).toBe(`note ${number}`);
    const path = `/api/${posted.headers.location}`;
    expect((await httpRequest({ origin, path, method: 'DELETE' })).status).toBe(204);
  },
  async (origin) => {
    const range = { origin, path: '/assets/scgi.txt', headers: { Range: 'bytes=10-19' } };
    const { status, body } = await httpRequest(range);
    expect({ status, length: body.length }).toEqual({ status: 206, length: 10 });
  },
  async (origin) => {
    expect(await httpRequest({ origin, method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect((await httpRequest({ origin, path: '/no/such/page' })).status).toBe(404);
    expect((await httpRequest({ origin, path: '/errors/sync' })).status).toBe(500);
  },
  // A client that leaves in the middle of its body.
  (origin) => abortRequest({ origin, path: '/upload' }, 'request-body'),
];
