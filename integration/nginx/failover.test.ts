// Applications that are down, fail, restart or stop: what nginx makes of it, and what a client gets to see.

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { describe, expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpResponse } from '../support/http-client.js';
import { until } from '../support/deadline.js';
import { test, transports, type Stage } from './support/stage.js';

/** An address on which nothing listens: port 1 needs privileges that nobody here uses. */
const deaf = { tcp: '127.0.0.1:1', unix: 'unix:/nonexistent/app.sock' };
/** Remember no failure, so that each request finds the servers as the first one did. */
const forgiving = 'max_fails=0';

describeWith('nginx', 'failures behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test('no application is a 502', async ({ stage }) => {
      const { origin } = await stage.nginx({ to: deaf[over] });
      expect(await httpRequest({ origin })).toMatchObject({ status: 502, reason: 'Bad Gateway' });
    });

    test('an application that closes without an answer is a 502', async ({ stage }) => {
      const app = await stage.serve((_, response) => void response.destroy(), { over });
      const { origin } = await stage.nginx({ to: app.address });
      expect((await httpRequest({ origin })).status).toBe(502);
      expect((await httpRequest({ origin, body: 'x' })).status).toBe(502);
      expect(app.errors).toEqual([]);
    });

    test.for(['GET', 'POST'])(
      'a %s goes to the other application when one does not listen',
      async (method, { stage }) => {
        const other = await stage.serve(reply('other'), { over });
        const { origin } = await stage.nginx({ to: [deaf[over], `${other.address} backup`] });
        const answer = await httpRequest({ origin, method });
        expect(answer).toMatchObject({ status: 200, text: 'other' });
      },
    );

    test('a GET goes to the other application when one closes before its head', async ({ stage }) => {
      const { origin, calls } = await failingAndOther(stage, (_, response) => void response.destroy());
      expect(await httpRequest({ origin })).toMatchObject({ status: 200, text: 'other' });
      expect(calls).toEqual(['failing', 'other']);
    });

    test('a POST goes to nobody else once it was sent', async ({ stage }) => {
      const { origin, calls } = await failingAndOther(stage, (_, response) => void response.destroy());
      expect((await httpRequest({ origin, body: 'pay 100' })).status).toBe(502);
      expect(calls).toEqual(['failing']);
    });

    test('a GET goes to nobody else once its head was answered', async ({ stage }) => {
      const { origin, calls } = await failingAndOther(stage, (_, response) => {
        response.setHeader('Content-Length', '100').write('half', () => response.destroy());
      });
      await expect(httpRequest({ origin })).rejects.toThrow();
      expect(calls).toEqual(['failing']);
    });

    test('an application that answers 503 is the answer, unless nginx is told to go on', async ({ stage }) => {
      const busy: RequestListener = (_, response) => void response.writeHead(503).end('busy');
      const plain = await failingAndOther(stage, busy);
      expect(await httpRequest({ origin: plain.origin })).toMatchObject({ status: 503, text: 'busy' });
      const eager = await failingAndOther(stage, busy, ['scgi_next_upstream error timeout http_503;']);
      expect(await httpRequest({ origin: eager.origin })).toMatchObject({ status: 200, text: 'other' });
    });

    async function failingAndOther(stage: Stage, fail: RequestListener, directives: string[] = []): Promise<Pair> {
      const calls: string[] = [];
      const failing = await stage.serve((req, res) => (calls.push('failing'), fail(req, res)), { over });
      const other = await stage.serve((req, res) => (calls.push('other'), reply('other')(req, res)), { over });
      const nginx = await stage.nginx({ to: [failing.address, `${other.address} backup`], directives });
      return { origin: nginx.origin, calls };
    }
  });
});

describeWith('nginx', 'restarts behind nginx', () => {
  test('an application that restarts on its Unix socket is found again without a word to nginx', async ({ stage }) => {
    const first = await stage.serve(reply('first'));
    const { origin } = await stage.nginx({ to: first.address });
    expect((await httpRequest({ origin })).text).toBe('first');
    await first.close();
    expect((await httpRequest({ origin })).status).toBe(502);
    await stage.serve(reply('second'), { bind: first.address });
    expect((await httpRequest({ origin })).text).toBe('second');
  });

  test('an application that was killed leaves a socket that its successor replaces', async ({ stage }) => {
    const first = await stage.fork('streams.js');
    const { origin } = await stage.nginx({ to: first.address });
    expect((await httpRequest({ origin, path: '/bytes?size=5' })).status).toBe(200);
    await first.kill();
    expect((await httpRequest({ origin, path: '/bytes?size=5' })).status).toBe(502);
    await stage.fork('streams.js', { bind: first.address });
    expect((await httpRequest({ origin, path: '/bytes?size=5' })).status).toBe(200);
  });

  test('a request in flight is answered in whole while its application stops', async ({ stage }) => {
    let answer = (): void => {};
    const app = await stage.serve((_, response) => {
      response.write('begun ');
      answer = () => void response.end('and finished');
    });
    const { origin } = await stage.nginx({ to: app.address, buffering: false });
    const exchange = httpRequest({ origin });
    await until(() => app.server.connectionCount === 1, 5_000, 'the request');
    const closed = app.close();
    await until(() => !app.server.listening, 5_000, 'the end of listening');
    expect((await httpRequest({ origin })).status).toBe(502);
    answer();
    expect((await exchange).text).toBe('begun and finished');
    await closed;
  });

  test('a request that takes too long is broken off when the patience of close() ends', async ({ stage }) => {
    const app = await stage.serve((_, response) => void response.write('begun'));
    const { origin } = await stage.nginx({ to: app.address, buffering: false });
    const exchange = httpRequest({ origin });
    exchange.catch(() => {}); // It is awaited below, when it may have failed already.
    await until(() => app.server.connectionCount === 1, 5_000, 'the request');
    await app.close({ timeout: 50 });
    await until(() => app.server.connectionCount === 0, 1_000, 'the end of the connection');
    await exchange.catch(() => {}); // Nothing but the connection's end says so: over a Unix socket it looks whole.
  });

  test('a request that comes as its application stops is answered', async ({ stage }) => {
    const app = await stage.serve(reply('still here'));
    const { origin } = await stage.nginx({ to: app.address });
    const accepted = once(app.server, 'connection');
    const exchange = httpRequest({ origin, body: 'a POST, which nginx would not repeat' });
    await accepted; // The connection is in, its request perhaps not read yet.
    await app.close();
    expect(await exchange).toMatchObject({ status: 200, text: 'still here' });
  });

  test.for(transports)(
    'no GET fails while two applications over %s restart in turn under load',
    async (over, { stage }) => {
      const names = ['one', 'two'];
      const apps = await Promise.all(names.map((name) => stage.serve(slowReply(name), { over })));
      const { origin } = await stage.nginx({ to: apps.map(({ address }) => `${address} ${forgiving}`) });
      const answers: HttpResponse[] = [];
      let restarted = false;
      const client = async (): Promise<void> => {
        while (!restarted) answers.push(await httpRequest({ origin }));
      };
      const load = Promise.all(Array.from({ length: 20 }, client));
      for (const app of apps) {
        const before = answers.length;
        await until(() => answers.length > before + 50, 10_000, '50 answers');
        await app.close();
        const alone = answers.length;
        await until(() => answers.length > alone + 50, 10_000, '50 answers of the other one');
        await stage.serve(slowReply('successor'), { over, bind: app.address });
      }
      restarted = true;
      await load;
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['one', 'two', 'successor']));
    },
  );
});

interface Pair {
  readonly origin: string;
  /** Which of the two was called, in order. */
  readonly calls: readonly string[];
}

function reply(text: string): RequestListener {
  return (_, response) => void response.end(text);
}

/** Answers in several parts over some turns of the event loop, so that a stop comes in the middle. */
function slowReply(text: string): RequestListener {
  return (_, response) => {
    response.write(text.slice(0, 1));
    setImmediate(() => setImmediate(() => response.end(text.slice(1))));
  };
}
