// How exchanges through lighttpd end when something goes wrong: applications that fail, leave bodies unread, are down, or
// restart; and a lighttpd that restarts.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpResponse } from '../support/http-client.js';
import { test, transports } from './support/stage.js';

describeWith('lighttpd', 'an answer before the body was read', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([0, 1, 2] as const)(
      'reaches the client with streamRequest %i',
      async (streamRequest, { stage, lighttpd }) => {
        const { address } = await stage.serve((_, response) => void response.writeHead(413).end('too large'), { over });
        const { origin } = await lighttpd({ to: address, streamRequest });
        for (const size of [20, 3_000_000]) {
          const answer = await httpRequest({ origin, body: Buffer.alloc(size) });
          expect(answer).toMatchObject({ status: 413, text: 'too large' });
        }
      },
    );
  });
});

describeWith('lighttpd', 'an application behind lighttpd that fails', () => {
  const failing =
    (before: (response: ServerResponse) => unknown) =>
    async (_: unknown, response: ServerResponse): Promise<void> => {
      await before(response);
      throw new Error('for the log');
    };
  const begin = (response: ServerResponse): Promise<void> =>
    new Promise((resolve) => response.write('begun', () => resolve()));

  describe.each(transports)('over %s', (over) => {
    test('before its head is its own 500', async ({ stage, lighttpd }) => {
      const { address } = await stage.serve(
        failing(() => {}),
        { over },
      );
      const { origin } = await lighttpd({ to: address });
      const { status, headers, text } = await httpRequest({ origin });
      expect({ status, length: headers['content-length'] }).toEqual({ status: 500, length: `${text.length}` });
      expect(text).not.toContain('for the log');
    });

    test('by breaking off before its head is a 500 of lighttpd', async ({ stage, lighttpd }) => {
      const { address } = await stage.serve((_, response) => void response.destroy(), { over });
      const { origin } = await lighttpd({ to: address });
      const { status, text } = await httpRequest({ origin });
      expect({ status, byLighttpd: text.includes('<h1>500') }).toEqual({ status: 500, byLighttpd: true });
    });

    test.for([0, 1] as const)(
      'after it has stated a length is broken for the client, with streamResponse %i',
      async (streamResponse, { stage, lighttpd }) => {
        const listener = failing((response) => begin(response.setHeader('Content-Length', '10')));
        const { address } = await stage.serve(listener, { over });
        const { origin } = await lighttpd({ to: address, streamResponse });
        // Without Connection: close lighttpd would wait for its keep-alive time-out before the client sees the end.
        await expect(httpRequest({ origin })).rejects.toThrow('aborted');
      },
    );
  });

  test('after its head is broken over TCP even without a length, if lighttpd streams', async ({ stage, lighttpd }) => {
    let fail = (): void => {};
    const { address } = await stage.serve(
      failing((response) => {
        response.write('begun');
        return new Promise<void>((resolve) => (fail = resolve));
      }),
      { over: 'tcp' },
    );
    const { origin } = await lighttpd({ to: address });
    const { response } = await openRequest({ origin });
    // What comes together with its end lighttpd takes for whole: the beginning must be out.
    await within(once(response, 'data'), 5_000, 'the beginning of the body');
    const rest = response.toArray();
    fail();
    await expect(within(rest, 5_000, 'the end of the response')).rejects.toThrow('aborted');
  });

  test('after it has stated a length shows to a keep-alive client over a Unix socket when its idle time is over', async ({
    stage,
    lighttpd,
  }) => {
    const { address } = await stage.serve(failing((response) => begin(response.setHeader('Content-Length', '10'))));
    const { port } = await lighttpd({ to: address, directives: ['server.max-keep-alive-idle = 1'] });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = (await within(socket.toArray(), 10_000, 'the end of the connection')).join('');
    expect(answer).toMatch(/\r\nContent-Length: 10\r\n[^]*\r\n\r\nbegun$/);
  });

  test.for(['GET', 'POST'])(
    'before its head is not asked again, nor is another one: %s',
    async (method, { stage, lighttpd }) => {
      let requests = 0;
      const breakOff = (_: unknown, response: ServerResponse): void => {
        requests += 1;
        response.destroy();
      };
      const { address } = await stage.serve(breakOff);
      const other = await stage.serve(breakOff);
      const { origin } = await lighttpd({ to: [address, other.address] });
      expect((await httpRequest({ origin, method, ...(method === 'POST' ? { body: 'x' } : {}) })).status).toBe(500);
      expect(requests).toBe(1);
    },
  );

  test('by silence in the middle of a response is cut off after read-timeout', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve((_, response) => void response.write('begun'));
    const { origin } = await lighttpd({ to: address, backendOptions: { 'read-timeout': 1 } });
    await expect(httpRequest({ origin })).rejects.toThrow('aborted');
  });

  // A Unix socket cannot be reset, and 1.4.69 takes a reset for the end of a response that it holds back.
  test.for([
    { over: 'unix', streamResponse: 1 },
    { over: 'unix', streamResponse: 0 },
    { over: 'tcp', streamResponse: 0 },
  ] as const)('after its head without a length looks whole with %o', async (options, { stage, lighttpd }) => {
    const { over, streamResponse } = options;
    const { address } = await stage.serve(failing(begin), { over });
    const { origin } = await lighttpd({ to: address, streamResponse });
    expect(await httpRequest({ origin })).toMatchObject({ status: 200, text: 'begun' });
  });
});

describeWith('lighttpd', 'an application behind lighttpd that is down', () => {
  const okay = (_: unknown, response: ServerResponse): void => void response.end('ok');

  describe.each(transports)('over %s', (over) => {
    // lighttpd looks once a second whether the time is over, so that 0 means a second, and 1, its default, means two.
    test.for([0, 1])('is a 503 until a disable-time of %i is over', async (seconds, { stage, lighttpd }) => {
      const app = await stage.serve(okay, { over });
      const { origin, errorLog } = await lighttpd({ to: app.address, backendOptions: { 'disable-time': seconds } });
      expect((await httpRequest({ origin })).status).toBe(200);
      await app.close();
      expect((await httpRequest({ origin })).status).toBe(503);
      await stage.serve(okay, { bind: app.address });
      expect(await refusals(() => httpRequest({ origin }))).toBeGreaterThan(0);
      expect(errorLog()).toContain('establishing connection failed');
    });

    test('is not asked while another one is up', async ({ stage, lighttpd }) => {
      const [down, up] = [await stage.serve(okay, { over }), await stage.serve(okay, { over })];
      await down.close();
      const { origin } = await lighttpd({ to: [down.address, up.address] });
      const statuses: number[] = [];
      for (let round = 0; round < 6; round += 1) {
        statuses.push((await httpRequest({ origin, body: 'x' })).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    });
  });
});

describeWith('lighttpd', 'a restart', () => {
  test.for(transports)(
    'of the application answers what it has, and a second one takes the rest, over %s',
    async (over, { stage, lighttpd }) => {
      let answer = (): void => {};
      const stopping = await stage.serve((_, response) => void (answer = () => void response.end('the last one')), {
        over,
      });
      const { origin } = await lighttpd({ to: stopping.address, backendOptions: { 'disable-time': 0 } });
      const requested = once(stopping.server, 'request');
      const last = httpRequest({ origin });
      await within(requested, 5_000, 'the last request');
      const closed = stopping.close();
      await until(() => !stopping.server.listening, 1_000, 'the end of listening');
      await stage.serve((_, response) => void response.end('the next one'), { bind: stopping.address });
      expect((await httpRequest({ origin })).text).toBe('the next one');
      answer();
      expect((await last).text).toBe('the last one');
      await within(closed, 1_000, 'the end of close()');
    },
  );

  // Over TCP whoever connects in the last moment before a close is reset.
  test('of two applications in turn costs no request over Unix sockets, if each is back before the next leaves', async ({
    stage,
    lighttpd,
  }) => {
    const named =
      (name: string) =>
      (request: NodeJS.ReadableStream, response: ServerResponse): void =>
        void request.resume().on('end', () => response.end(name));
    const apps = [await stage.serve(named('first')), await stage.serve(named('second'))];
    const addresses = apps.map(({ address }) => address);
    const { origin } = await lighttpd({ to: addresses, backendOptions: { 'disable-time': 0 } });
    const answers = new Set<string>();
    let going = true;
    const client = async (): Promise<void> => {
      while (going) {
        const { status, text } = await httpRequest({ origin, body: 'x' });
        answers.add(`${status} ${text.slice(0, 20)}`);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (const index of [0, 1]) {
      await apps[index]?.close();
      await stage.serve(named(`next ${index}`), { bind: addresses[index] ?? '' });
      await until(() => answers.has(`200 next ${index}`), 5_000, 'the return of the backend');
    }
    going = false;
    await Promise.all(clients);
    const good = ['200 first', '200 second', '200 next 0', '200 next 1'];
    expect([...answers].filter((answer) => !good.includes(answer))).toEqual([]);
  });

  test('of lighttpd lets what it has begun come to its end', async ({ stage, lighttpd }) => {
    let finish = (): void => {};
    const { address } = await stage.serve((request, response) => {
      if (request.url !== '/long') return response.end('short');
      response.write('begun ');
      return (finish = () => void response.end('and done'));
    });
    const { origin, restart } = await lighttpd({ to: address });
    const { response } = await openRequest({ origin, path: '/long' });
    const restarted = restart();
    const body = within(response.setEncoding('utf8').toArray(), 10_000, 'the rest');
    // New connections wait in the queue of the socket until the old ones are done.
    const waiting = httpRequest({ origin, path: '/short' });
    finish();
    expect((await body).join('')).toBe('begun and done');
    await restarted;
    expect((await waiting).text).toBe('short');
  });

  test('of lighttpd cuts streams off after graceful-shutdown-timeout', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve((_, response) => void response.write('begun '));
    const soon = 'server.feature-flags += ( "server.graceful-shutdown-timeout" => 1 )';
    const { origin, restart } = await lighttpd({ to: address, directives: [soon] });
    const { response } = await openRequest({ origin });
    const body = response.toArray();
    const cut = expect(within(body, 5_000, 'the end of the stream')).rejects.toThrow('aborted');
    await restart();
    await cut;
  });
});

/** Asks again until the status is 200, and says how many times it was not. */
async function refusals(ask: () => Promise<HttpResponse>): Promise<number> {
  let refused = 0;
  const isBack = async (): Promise<boolean> => {
    const { status } = await ask();
    if (status === 200) return true;
    expect(status).toBe(503);
    refused += 1;
    return false;
  };
  await until(isBack, 5_000, 'the return of the backend');
  return refused;
}
