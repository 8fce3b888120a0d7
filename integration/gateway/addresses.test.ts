// One backend at several addresses, each a process of its own: what happens when one is stopped, killed, comes back, or is
// slow; and many requests for few connections.

import { describe, expect } from 'vitest';
import { test } from '../nginx/support/stage.js';
import { testsEveryCombination } from '../support/combinations.js';
import { until } from '../support/deadline.js';
import { httpRequest } from '../support/http-client.js';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { startFront } from './support/front.js';
import { Worker } from './support/worker.js';

interface Load {
  readonly answers: readonly string[];
  /** Resolves when so many more have come from that process. */
  moreOf(pid: string, count?: number): Promise<void>;
  stop(): Promise<void>;
}

const isPid = (text: string): boolean => /^\d+$/.test(text);

/** GETs by so many clients at a time until `stop`. What they got, one by one. */
function load(origin: string, clients: number): Load {
  const answers: string[] = [];
  let going = true;
  const ask = async (): Promise<void> => {
    while (going) {
      const { status, text } = await httpRequest({ origin }).catch((error: Error) => ({
        status: 0,
        text: error.message,
      }));
      answers.push(status === 200 ? text : `${status} ${text}`);
    }
  };
  const asking = Promise.all(Array.from({ length: clients }, ask));
  return {
    answers,
    async moreOf(pid, count = 100) {
      const before = answers.length;
      const have = (): boolean => answers.slice(before).filter((text) => text === pid).length >= count;
      await until(have, 15_000, `${count} answers of ${pid}`);
    },
    async stop() {
      going = false;
      await asking;
    },
  };
}

const balances = ['first', 'round-robin', 'least-connections'] as const;

describe.each(testsEveryCombination ? balances : balances.slice(1, 2))('two addresses, %s', (balance) => {
  test('no GET fails while one of them is stopped and started again, and then it gets its share', async ({ stage }) => {
    const one = await new Worker(stage).start();
    const other = await new Worker(stage).start();
    const to = [one.address, other.address];
    const { origin, errors } = await startFront(stage, { to, balance, failTimeout: 50 });
    const { answers, moreOf, stop } = load(origin, 16);
    for (let round = 0; round < 3; round += 1) {
      await moreOf(one.pid);
      const gone = one.end('SIGTERM');
      await moreOf(other.pid);
      await gone;
      await one.start();
    }
    await moreOf(one.pid);
    await stop();
    expect(answers.filter((text) => !isPid(text))).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe.each(balances)('two addresses, %s', (balance) => {
  test('one that is killed costs no more than what it was working on', async ({ stage }) => {
    const one = await new Worker(stage, 5).start();
    const other = await new Worker(stage, 5).start();
    const clients = 16;
    const { origin, errors } = await startFront(stage, { to: [one.address, other.address], balance, failTimeout: 50 });
    const { answers, moreOf, stop } = load(origin, clients);
    await moreOf(one.pid);
    await one.end('SIGKILL');
    await moreOf(other.pid);
    const failed = answers.filter((text) => !isPid(text));
    expect(failed.length).toBeLessThanOrEqual(clients);
    expect(new Set(failed)).toEqual(failed.length === 0 ? new Set() : new Set(['502 502 Bad Gateway\n']));
    await one.start();
    await moreOf(one.pid);
    await stop();
    expect(answers.filter((text) => !isPid(text))).toEqual(failed);
    expect(errors.map(({ code }) => code).filter((code) => !/RESET|EMPTY/.test(code))).toEqual([]);
  });
});

test('without any address left there is a 502 at once, and when one is back all is well', async ({ stage }) => {
  const one = await new Worker(stage).start();
  const other = await new Worker(stage).start();
  const { origin, errors } = await startFront(stage, { to: [one.address, other.address] });
  await one.end('SIGTERM');
  await other.end('SIGTERM');
  expect((await httpRequest({ origin })).status).toBe(502);
  await other.start();
  expect(await httpRequest({ origin })).toMatchObject({ status: 200, text: other.pid });
  expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_UNREACHABLE' }]);
});

test('by turns a slow address gets as much as a fast one', async ({ stage }) => {
  const slow = await new Worker(stage, 100).start();
  const fast = await new Worker(stage, 1).start();
  const { origin } = await startFront(stage, { to: [slow.address, fast.address], balance: 'round-robin' });
  const { answers, moreOf, stop } = load(origin, 8);
  await moreOf(slow.pid, 40);
  await stop();
  const share = answers.filter((text) => text === fast.pid).length / answers.length;
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
});

test('by least connections an address that does not answer leaves clients to the other one', async ({ stage }) => {
  const silent = await new Worker(stage, 600_000).start();
  const fast = await new Worker(stage).start();
  const { origin } = await startFront(stage, { to: [silent.address, fast.address], balance: 'least-connections' });
  const { answers, moreOf, stop } = load(origin, 8);
  // By turns all eight would wait by now.
  await moreOf(fast.pid, 200);
  const stopped = stop();
  await silent.end('SIGKILL');
  await stopped;
  const lost = answers.filter((text) => text !== fast.pid);
  expect(new Set(lost)).toEqual(new Set(['502 502 Bad Gateway\n']));
  // Half of the eight, and two whose last connection counted still when they asked again.
  expect(lost.length).toBeLessThanOrEqual(6);
});

describe('1,000 requests at once', () => {
  test('with maxConcurrent 10 are all answered, ten at a time', async ({ stage }) => {
    const worker = await new Worker(stage, 1).start();
    const { origin, errors } = await startFront(stage, { to: worker.address, maxConcurrent: 10, queueTimeout: 30_000 });
    const before = openDescriptors();
    const asked = Array.from({ length: 1_000 }, () => httpRequest({ origin, deadlineMs: 30_000 }));
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.max(...answers.map(({ headers }) => Number(headers['x-most-busy'])))).toBeLessThanOrEqual(10);
    expect(errors).toEqual([]);
    await expectNoLeaks(before);
  });

  test('beyond a queue of 100 are 503 at once', async ({ stage }) => {
    const worker = await new Worker(stage, 20).start();
    const { origin, errors } = await startFront(stage, { to: worker.address, maxConcurrent: 10, maxQueued: 100 });
    const asked = Array.from({ length: 1_000 }, () => httpRequest({ origin, deadlineMs: 30_000 }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    const refused = statuses.filter((status) => status === 503).length;
    expect(refused).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1_000 - refused);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_SCGI_BACKEND_BUSY']));
    expect((await httpRequest({ origin })).status).toBe(200);
  });
});
