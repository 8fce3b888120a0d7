// How exchanges behind Apache end when something goes wrong: applications that are not there, fail, die or stay silent;
// and Apache restarting while they go on.

import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { expect } from 'vitest';
import type { ApacheOptions } from '../support/apache.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import type { ServerProcess } from '../support/server-process.js';
import { test, transports } from './support/stage.js';

describeWith('apache', 'an application that is not there', () => {
  test.for(transports)('is a 503 over %s, until it is there again', async (over, { stage }) => {
    const first = await stage.serve((_, response) => void response.end('first'), { over });
    const { origin, errorLog } = await stage.apache({ to: first.address });
    expect((await httpRequest({ origin })).text).toBe('first');
    await first.close();
    expect((await httpRequest({ origin })).status).toBe(503);
    expect(errorLog()).toMatch(over === 'tcp' ? /\(111\)Connection refused/ : /\(2\)No such file or directory/);
    const mode = over === 'unix' ? '?mode=0666' : '';
    await stage.serve((_, response) => void response.end('second'), { bind: first.address + mode });
    // No waiting: Apache tries a backend that is not one of several again with the next request.
    expect((await httpRequest({ origin })).text).toBe('second');
  });

  test('is a 503 too where Apache may not open its socket', async ({ stage }) => {
    const app = await stage.serve((_, response) => void response.end('here'));
    const { origin, errorLog } = await stage.apache({ to: app.address });
    expect((await httpRequest({ origin })).text).toBe('here');
    chmodSync(app.address.slice('unix:'.length), 0);
    expect((await httpRequest({ origin })).status).toBe(503);
    expect(errorLog()).toContain('(13)Permission denied');
  });
});

describeWith('apache', 'an application that fails', () => {
  const begin = (response: ServerResponse): Promise<void> =>
    new Promise((resolve) => response.write('begun', () => resolve()));
  const failAfter =
    (before: (response: ServerResponse) => unknown): RequestListener =>
    async (_, response) => {
      await before(response);
      throw new Error('for the log');
    };

  test.for(transports)('before its head is a 500 in its own words over %s', async (over, { stage }) => {
    const app = await stage.serve(
      failAfter(() => {}),
      { over },
    );
    const { origin } = await stage.apache({ to: app.address });
    const answer = await httpRequest({ origin, body: Buffer.alloc(300_000) });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/for the log|<!DOCTYPE/);
    expect(app.errors.map(String)).toEqual(['Error: for the log']);
  });

  test.for(transports)('by breaking off before its head is a 500 of Apache over %s', async (over, { stage }) => {
    const app = await stage.serve((_, response) => void response.destroy(), { over });
    const { origin, errorLog } = await stage.apache({ to: app.address });
    expect((await httpRequest({ origin })).status).toBe(500);
    expect(errorLog()).toContain('AH00860: error reading response headers');
  });

  test('after its head is broken for the client over TCP, even without a length', async ({ stage }) => {
    const { address } = await stage.serve(failAfter(begin), { over: 'tcp' });
    const { origin } = await stage.apache({ to: address });
    for (let round = 1; round <= 20; round += 1) await expect(httpRequest({ origin })).rejects.toThrow('aborted');
  });

  test('by falling short of its length is broken for the client over TCP', async ({ stage }) => {
    const { address } = await stage.serve(
      (_, response) => void response.setHeader('Content-Length', '10').end('short'),
      { over: 'tcp' },
    );
    const { origin } = await stage.apache({ to: address });
    for (let round = 1; round <= 20; round += 1) await expect(httpRequest({ origin })).rejects.toThrow('aborted');
  });

  // Over a Unix socket the stated length is the only witness; and if head, part and end are there in one look, Apache
  // counts the part and states that as the length, whatever the application had stated. So here the client is let see
  // the part before the application fails.
  test.for(transports)('after a part of a stated length is broken for the client over %s', async (over, { stage }) => {
    let fail = (): void => {};
    const { address } = await stage.serve(
      failAfter(async (response) => {
        await begin(response.setHeader('Content-Length', '10'));
        await new Promise<void>((resolve) => (fail = resolve));
      }),
      { over },
    );
    const { origin } = await stage.apache({ to: address });
    const { response } = await openRequest({ origin });
    expect(response.headers['content-length']).toBe('10');
    const [part] = await within(once(response, 'data'), 5_000, 'the part');
    expect(String(part)).toBe('begun');
    const ending = within(once(response, 'end'), 5_000, 'the end');
    fail();
    await expect(ending).rejects.toThrow('aborted');
  });

  // Nothing in SCGI says so: a Unix socket knows no reset. A stated length is the only witness.
  test('after its head without a length over a Unix socket looks whole to the client', async ({ stage }) => {
    const { address } = await stage.serve(failAfter(begin));
    const { origin } = await stage.apache({ to: address });
    expect(await httpRequest({ origin })).toMatchObject({ status: 200, text: 'begun' });
  });

  test('after its head looks whole too where Apache drops the length', async ({ stage }) => {
    const { address } = await stage.serve(failAfter((response) => begin(response.setHeader('Content-Length', '10'))));
    const { origin } = await stage.apache({ to: address, trustLength: false });
    expect(await httpRequest({ origin })).toMatchObject({ status: 200, text: 'begun' });
  });

  test.for(transports)('by dying is broken for a client that knows the length over %s', async (over, { stage }) => {
    const app = await stage.fork('streams.js', { over });
    const { origin } = await stage.apache({ to: app.address });
    const { response } = await openRequest({ origin, path: '/bytes?size=300000000&length' });
    await app.kill();
    await expect(response.toArray()).rejects.toThrow();
    expect((await httpRequest({ origin })).status).toBe(503);
  });
});

describeWith('apache', 'an application that stays silent', () => {
  test.for(transports)('is given up after ProxyTimeout over %s', async (over, { stage }) => {
    const app = await stage.serve(() => {}, { over });
    const { origin, errorLog } = await stage.apache({ to: app.address, serverDirectives: ['ProxyTimeout 1'] });
    expect((await httpRequest({ origin })).status).toBe(504);
    expect(errorLog()).toContain('Script timed out before returning headers');
    await until(() => app.server.connectionCount === 0, 1_000, 'the application knowing it');
  });

  test.for(transports)('after its head breaks off after ProxyTimeout over %s', async (over, { stage }) => {
    const app = await stage.serve((_, response) => void response.write('begun'), { over });
    const { origin } = await stage.apache({ to: app.address, serverDirectives: ['ProxyTimeout 1'] });
    await expect(httpRequest({ origin })).rejects.toThrow('aborted');
    await until(() => app.server.connectionCount === 0, 1_000, 'the application knowing it');
  });
});

/** Waits until Apache says so: a new worker may be one that the load needs, and a signal amid a restart is lost. */
async function restartGracefully(apache: Pick<ServerProcess, 'pid' | 'errorLog'>): Promise<void> {
  const starts = (): number => apache.errorLog().split('resuming normal operations').length;
  const before = starts();
  process.kill(apache.pid, 'SIGUSR1');
  await until(() => starts() > before, 20_000, 'the restart');
}

describeWith('apache', 'Apache restarting', () => {
  test.for(transports)('gracefully loses no request over %s', async (over, { stage }) => {
    const app = await stage.serve(
      async (request, response) => {
        const body = await request.toArray();
        response.write('got ');
        setImmediate(() => response.end(String(Buffer.concat(body).length)));
      },
      { over },
    );
    const apache = await stage.apache({ to: app.address });
    const answers = new Map<string, number>();
    let going = true;
    const lane = async (): Promise<void> => {
      while (going) {
        const { status, text } = await httpRequest({ origin: apache.origin, body: Buffer.alloc(1_000) });
        const answer = `${status} ${text}`;
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const lanes = Array.from({ length: 6 }, lane);
    for (let round = 1; round <= 3; round += 1) {
      await restartGracefully(apache);
      const served = total(answers);
      await until(() => total(answers) > served + 20, 20_000, 'more answers');
    }
    going = false;
    await Promise.all(lanes);
    expect([...answers.keys()]).toEqual(['200 got 1000']);
    expect(app.errors).toEqual([]);
  });

  test.for(transports)('gracefully lets an open event stream go on over %s', async (over, { stage }) => {
    let stream: ServerResponse | undefined;
    const app = await stage.serve(
      (_, response) => {
        stream = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        stream.flushHeaders();
      },
      { over },
    );
    const apache = await stage.apache({ to: app.address });
    const { response } = await openRequest({ origin: apache.origin });
    await restartGracefully(apache);
    stream?.end('data: still here\n\n');
    expect((await within(response.toArray(), 5_000, 'the event and the end')).join('')).toBe('data: still here\n\n');
  });
});

function total(answers: ReadonlyMap<string, number>): number {
  return [...answers.values()].reduce((sum, count) => sum + count, 0);
}

/** Two backends behind mod_proxy_balancer. */
const balanced = (first: string, second: string): ApacheOptions => ({
  locations: [],
  modules: ['proxy_balancer', 'lbmethod_byrequests', 'slotmem_shm'],
  serverDirectives: [
    '<Proxy "balancer://app">',
    ...[first, second].map((address, index) => `BalancerMember "${address}|scgi://app${index}" retry=1`),
    '</Proxy>',
    'ProxyPass "/" "balancer://app/" nocanon',
  ],
});

describeWith('apache', 'two applications behind mod_proxy_balancer', () => {
  test('take over from each other', async ({ stage }) => {
    const first = await stage.serve((_, response) => void response.end('first'));
    const second = await stage.serve((_, response) => void response.end('second'));
    for (const { address } of [first, second]) chmodSync(address.slice('unix:'.length), 0o666);
    for (const { address } of [first, second]) chmodSync(address.slice('unix:'.length, -'/app.sock'.length), 0o755);
    const { origin } = await stage.apache(balanced(first.address, second.address));
    const answers = new Set<string>();
    for (let index = 0; index < 4; index += 1) answers.add((await httpRequest({ origin, path: '/a%2Fb' })).text);
    expect([...answers].toSorted()).toEqual(['first', 'second']);
    await first.close();
    for (let index = 0; index < 4; index += 1) {
      expect(await httpRequest({ origin, body: 'x' })).toMatchObject({ status: 200, text: 'second' });
    }
  });
});
