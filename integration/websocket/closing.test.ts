// How WebSockets end through a real nginx: by agreement, by leaving, by time, and with the server.

import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { test, transports, type StagedApp } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { stepMs } from './support/peer.js';
import { echoAll, setUpScene } from './support/scene.js';

/** How soon the server must know that a client is gone. */
const soonMs = 1_000;

describeWith('nginx', 'a WebSocket', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([
      [1000, ''],
      [1001, 'going away'],
      [4321, 'a reason of öur own'],
    ] as const)('ends with the code %i from either end', async ([code, reason], { stage }) => {
      const { meet, app } = await setUpScene(stage, { over });
      for (const who of ['client', 'server'] as const) {
        const ends = await meet();
        ends[who].socket.close(code, reason);
        expect(await ends.client.ended()).toEqual({ code, reason });
        expect(await ends.server.ended()).toEqual({ code, reason });
      }
      await until(() => app.server.connectionCount === 0, soonMs, 'the end of the connections');
    });

    test('whose client vanishes is closed at the server soon', async ({ stage }) => {
      const { meet, app } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      client.socket.terminate();
      expect(await server.ended(soonMs)).toEqual({ code: 1006, reason: '' });
      await until(() => app.server.connectionCount === 0, soonMs, 'the end of the connection');
    });

    test('whose client vanishes while the server writes is closed soon', async ({ stage }) => {
      const { meet, app } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      client.socket.pause();
      for (let sent = 0; sent < 32; sent += 1) server.socket.send(Buffer.alloc(1024 * 1024));
      expect(server.socket.bufferedAmount).toBeGreaterThan(0);
      client.socket.terminate();
      expect((await server.ended(soonMs)).code).toBe(1006);
      await until(() => app.server.connectionCount === 0, soonMs, 'the end of the connection');
    });

    test('that the server terminates breaks off at the client', async ({ stage }) => {
      const { meet } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      server.socket.terminate();
      expect(await client.ended(soonMs)).toEqual({ code: 1006, reason: '' });
    });

    test('is not bound to the deadlines of requests', async ({ stage }) => {
      const { meet, app, webSockets } = await setUpScene(stage, {
        over,
        headersTimeout: 50,
        requestTimeout: 50,
        idleTimeout: 50,
        connectionsCheckingInterval: 10,
      });
      echoAll(webSockets);
      const { client } = await meet();
      // Others run into the deadlines meanwhile, again and again.
      for (let times = 0; times < 5; times += 1) await runIntoDeadline(app);
      expect(await client.ask('still here')).toBe('still here');
    });
  });

  test('that nobody uses is closed by nginx after scgi_read_timeout, unless it is pinged', async ({ stage }) => {
    // nginx moves a timer only by 300 ms or more, so a shorter one would not show anything.
    const { meet } = await setUpScene(stage, { front: { directives: ['scgi_read_timeout 800ms;'] } });
    const lively = await meet();
    const heartbeat = setInterval(() => lively.server.socket.ping(), 50);
    stage.add(() => clearInterval(heartbeat));
    for (let times = 0; times < 2; times += 1) {
      const quiet = await meet();
      expect((await quiet.client.ended()).code).toBe(1006);
      expect((await quiet.server.ended(soonMs)).code).toBe(1006);
    }
    lively.server.socket.send('still here');
    expect(await lively.client.next()).toBe('still here');
  });

  test('that breaks the protocol is told so', async ({ stage }) => {
    const { meet } = await setUpScene(stage, { webSocket: { maxPayload: 100 } });
    const { client, server } = await meet();
    client.socket.send('x'.repeat(101));
    expect((await client.ended()).code).toBe(1009);
    expect((await server.ended()).code).toBe(1006);
  });

  describe('when the server closes', () => {
    test('goes on until the time-out of close, while no new ones are taken', async ({ stage }) => {
      const { app, nginx, meet, webSockets } = await setUpScene(stage);
      echoAll(webSockets);
      const { client } = await meet();
      const started = performance.now();
      const closed = app.close({ timeout: 500 });
      await until(() => !app.server.listening, stepMs, 'no listening');
      expect((await httpRequest({ origin: nginx.origin })).status).toBe(502);
      expect(await client.ask('still here')).toBe('still here');
      expect((await client.ended()).code).toBe(1006);
      await within(closed, stepMs, 'the end of close');
      expect(performance.now() - started).toBeGreaterThan(490);
    });

    test('ends properly where the application says goodbye, and close does not wait longer', async ({ stage }) => {
      const { app, meet, webSockets } = await setUpScene(stage);
      const ends = [await meet(), await meet()];
      const closed = app.close({ timeout: 60_000 });
      for (const socket of webSockets.clients) socket.close(1001, 'restart');
      for (const { client } of ends) expect(await client.ended()).toEqual({ code: 1001, reason: 'restart' });
      await within(closed, soonMs, 'the end of close');
    });
  });
});

/** Connects, sends no whole head, and is answered when the deadline has passed. */
async function runIntoDeadline({ address }: StagedApp): Promise<void> {
  const [host, port] = address.split(':');
  const socket = host === 'unix' ? connect(port ?? '') : connect(Number(port), host);
  socket.write('70:CONTENT_LENGTH');
  const answer = Buffer.concat(await within(socket.toArray(), stepMs, 'an answer')).toString();
  expect(answer).toMatch(/^Status: 408 /);
}
