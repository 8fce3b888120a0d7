// A robust SCGI server, points 14 to 20: how exchanges end, and how the server does. At the socket where a test plays a
// front end that is not nginx.

import { rawRequest } from '@scgi/testing';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { until, within } from '../../support/deadline.js';
import { describeWith } from '../../support/front-ends.js';
import { httpRequest, openRequest } from '../../support/http-client.js';
import { ScgiClient, scgiHead } from '../support/scgi-client.js';
import { test, transports, type StageOptions } from '../support/stage.js';

const MB = 1_000_000;

describe('point 14: a body that is left unread', () => {
  describeWith('nginx', 'through nginx', () => {
    const settings = transports.flatMap((over) =>
      [true, false].map((requestBuffering) => ({ over, requestBuffering })),
    );

    test.for(settings)(
      'point 14: does not cost the client its answer over $over with request buffering $requestBuffering',
      async ({ over, requestBuffering }, { stage }) => {
        const { address } = await stage.serve((_, response) => void response.writeHead(413).end('too large'), { over });
        const { origin } = await stage.nginx({ to: address, requestBuffering });
        for (const size of [20, 3 * MB]) {
          const answer = await httpRequest({ origin, body: Buffer.alloc(size) });
          expect(answer).toMatchObject({ status: 413, text: 'too large' });
        }
      },
    );
  });

  test.for(transports)(
    'point 14: is read to its end over %s, behind an answer that is out and half-closed',
    async (over, { stage }) => {
      const app = await stage.serve((_, response) => void response.end('early'), { over });
      const client = await ScgiClient.connect(app.address);
      client.send(scgiHead({ REQUEST_METHOD: 'POST' }, 3 * MB));
      expect(await client.ending()).toBe('fin');
      expect(client.received).toMatch(/early$/);
      client.send(Buffer.alloc(3 * MB));
      await until(() => app.server.connectionCount === 0, 5_000, 'the close after the last byte');
    },
  );

  test.for([
    { bound: 'time', options: { lingerTimeout: 100 }, sent: 0 },
    { bound: 'size', options: { lingerBytes: 1_000 }, sent: MB },
  ])('point 14: is read within a bound of $bound', async ({ options, sent }, { stage }) => {
    const app = await stage.serve((_, response) => void response.end('early'), options);
    const client = await ScgiClient.connect(app.address);
    client.socket.on('error', () => {}); // The server closes while we write: that is the bound.
    client.send(scgiHead({ REQUEST_METHOD: 'POST' }, 3 * MB));
    await client.saw('early');
    client.send(Buffer.alloc(sent));
    await until(() => app.server.connectionCount === 0, 3_000, 'the end of the connection');
  });
});

// Apache's mod_proxy_scgi sends the whole body before it reads a byte of the response.
describe('point 15: a client that sends everything before it reads', () => {
  const large = Buffer.alloc(8 * MB, 'r');
  const roomy = { maxBufferedBody: 16 * MB };
  // What an application declines need not be kept; what it may read later must be, up to a bound.
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
    test.for(cases)('point 15: gets 8 MB for its 8 MB from an application that $what', async (example, { stage }) => {
      const { address } = await stage.serve(example.listener, { over, ...example.options });
      const client = await ScgiClient.connect(address);
      client.socket.pause();
      client.send(scgiHead({ REQUEST_METHOD: 'POST' }, large.length));
      const sent = new Promise<void>((resolve) => client.socket.write(large, () => resolve()));
      await within(sent, 5_000, 'the taking of the whole body');
      client.socket.resume();
      expect(await client.ending(10_000)).toBe('fin');
      expect(client.received.split('\r\n\r\n')[1]).toHaveLength(large.length);
    });
  });

  test('point 15: is let go at the deadline where the bound of the buffer is too low', async ({ stage }) => {
    const app = await stage.serve((request, response) => void request.pipe(response), {
      idleTimeout: 200,
      maxBufferedBody: MB,
    });
    const client = await ScgiClient.connect(app.address);
    client.socket.on('error', () => {}).pause();
    client.send(scgiHead({ REQUEST_METHOD: 'POST' }, 32 * MB));
    client.send(Buffer.alloc(32 * MB));
    await until(() => app.server.connectionCount === 0, 5_000, 'the end of the connection');
  });
});

describe('point 16: an application that fails', () => {
  const failing =
    (before: (response: ServerResponse) => unknown) =>
    async (_: unknown, response: ServerResponse): Promise<void> => {
      await before(response);
      throw new Error('for the log');
    };
  const begin = (response: ServerResponse): Promise<void> =>
    new Promise((resolve) => response.write('begun', () => resolve()));

  test.for(transports)('point 16: before its head is a 500 with a length over %s', async (over, { stage }) => {
    const { address, errors } = await stage.serve(
      failing(() => {}),
      { over },
    );
    const { status, fields, body } = await rawRequest(address, scgiHead());
    expect(status).toBe(500);
    expect(fields).toContain(`${body.length}`);
    expect(body.toString()).not.toContain('for the log');
    expect(errors.map(String)).toEqual(['Error: for the log']);
  });

  describeWith('nginx', 'through nginx', () => {
    test.for([true, false])(
      'point 16: after its head is broken for the client over TCP with buffering %s, even without a length',
      async (buffering, { stage }) => {
        const { address } = await stage.serve(failing(begin), { over: 'tcp' });
        const { origin } = await stage.nginx({ to: address, buffering });
        await expect(httpRequest({ origin })).rejects.toThrow();
      },
    );

    test('point 16: after its head is broken for the client over a Unix socket if it had stated its length', async ({
      stage,
    }) => {
      const { address } = await stage.serve(failing((response) => begin(response.setHeader('Content-Length', '10'))));
      const { origin } = await stage.nginx({ to: address });
      await expect(httpRequest({ origin })).rejects.toThrow();
    });
  });
});

describe('point 17: a connection', () => {
  test('point 17: carries one request; a second one behind it is not heard', async ({ stage }) => {
    const seen: unknown[] = [];
    const { address } = await stage.serve((request, response) => void response.end(`${seen.push(request.url)}`));
    const answer = await rawRequest(address, scgiHead({ REQUEST_URI: '/1' }) + scgiHead({ REQUEST_URI: '/2' }));
    expect(answer).toMatchObject({ status: 200, ended: 'fin' });
    expect(seen).toEqual(['/1']);
  });

  test('point 17: is closed as soon as the response is whole, although its length was stated', async ({ stage }) => {
    const app = await stage.serve((_, response) => void response.setHeader('Content-Length', '2').end('ok'));
    const client = await ScgiClient.connect(app.address);
    client.send(scgiHead());
    expect(await client.ending(1_000)).toBe('fin');
    await until(() => app.server.connectionCount === 0, 1_000, 'the close of our side');
  });
});

describeWith('nginx', 'point 18: a server that stops', () => {
  test('point 18: answers what it has, and nginx takes new requests elsewhere', async ({ stage }) => {
    let answer = (): void => {};
    const stopping = await stage.serve((_, response) => void (answer = () => void response.end('the last one')), {
      over: 'tcp',
    });
    const other = await stage.serve((_, response) => void response.end('other'), { over: 'tcp' });
    const { origin } = await stage.nginx({ to: [stopping.address, `${other.address} backup`] });
    const requested = once(stopping.server, 'request');
    const last = httpRequest({ origin });
    await within(requested, 5_000, 'the last request');
    const closed = stopping.close();
    await until(() => !stopping.server.listening, 1_000, 'the end of listening');
    expect((await httpRequest({ origin })).text).toBe('other');
    answer();
    expect((await last).text).toBe('the last one');
    await within(closed, 1_000, 'the end of close()');
  });
});

describe('point 19: a Unix socket', () => {
  test('point 19: has the mode it was given', async ({ stage }) => {
    const path = stage.freeAddress('unix').slice('unix:'.length);
    await stage.serve((_, response) => void response.end(), { bind: `unix:${path}?mode=0660` });
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
  });

  test('point 19: lets 500 clients queue while the application is busy', async ({ stage }) => {
    const { address } = await stage.serve((_, response) => void response.end('ok'));
    const path = address.slice('unix:'.length);
    // libuv connects to Unix sockets at once, and none of these can be accepted before this turn is over: a shorter
    // queue refuses the rest with EAGAIN, which nginx turns into a 502.
    const sockets = Array.from({ length: 500 }, () => connect(path));
    for (const socket of sockets) socket.write(scgiHead());
    const answers = await within(Promise.all(sockets.map((socket) => socket.toArray())), 10_000, '500 answers');
    expect(answers.filter((chunks) => !chunks.join('').endsWith('ok'))).toEqual([]);
  });
});

// What the other points and suites leave of the matrix that is worth repeating with every version of nginx.
describeWith('nginx', 'point 20: the round through nginx', () => {
  test.for(transports)(
    'point 20: fields that repeat, 20 cookies and an event stream that is left, over %s',
    async (over, { stage }) => {
      const app = await stage.serve(
        (request, response) => {
          response.setHeader(
            'Set-Cookie',
            Array.from({ length: 20 }, (_, index) => `c${index}=${index}; Path=/`),
          );
          response.setHeader('Content-Type', 'text/event-stream').write(`data: ${JSON.stringify(request.headers)}\n\n`);
        },
        { over },
      );
      const { origin } = await stage.nginx({ to: app.address });
      const headers = { 'X-Twice': ['a', 'b'], Cookie: ['x=1', 'y=2'] };
      const { response, abort } = await openRequest({ origin, headers });
      const [event] = await within(once(response, 'data'), 5_000, 'the event');
      expect(JSON.parse(String(event).slice('data: '.length))).toMatchObject({ 'x-twice': 'a, b', cookie: 'x=1; y=2' });
      expect(response.headers['set-cookie']).toHaveLength(20);
      abort();
      await until(() => app.server.connectionCount === 0, 1_000, 'the application knowing that the client has left');
    },
  );
});
