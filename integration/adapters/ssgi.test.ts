// SSGI through an HTTP front of our own with supertest, and through a real nginx, WebSockets included.

import { serveScgi, type SsgiApp, type SsgiFramework, type SsgiHttpResponse } from '@scgi/adapter-ssgi';
import type { ScgiListener } from '@scgi/core';
import { createFront } from '@scgi/testing';
import supertest from 'supertest';
import { describe, expect, onTestFinished } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { test, transports, type Stage } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { refusal } from '../websocket/support/peer.js';
import { dialWebSocket } from '../websocket/support/scene.js';
import { startExample } from './support/example-process.js';

const large = Buffer.alloc(3_000_000, 'both ways ');

/** What clients have left behind. */
interface Site {
  readonly app: SsgiApp;
  readonly left: unknown[];
}

function createSite(): Site {
  const left: unknown[] = [];
  const serveHttp = async (path: string, facts: readonly unknown[], res: SsgiHttpResponse): Promise<unknown> => {
    switch (path) {
      case '/page':
        res.sendHeaders([
          ['Content-Type', 'application/json'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ]);
        return res.send(JSON.stringify([...facts, res.extensions.env.REMOTE_USER]));
      case '/echo':
        return res.send(await res.getData());
      case '/pump':
        for (let chunk = await res.getChunk(); chunk !== null; chunk = await res.getChunk()) {
          if (!res.send(chunk, true)) await res.drained();
        }
        return res.send(null);
      case '/chunks':
        for (let done = false, sent = 0; !done; sent += 100_000) {
          [, done] = await res.sendChunk(large.subarray(sent, sent + 100_000), large.length);
        }
        return undefined;
      case '/events':
        res.sendHeaders([['Content-Type', 'text/event-stream']]);
        res.onAborted(() => left.push('listener'));
        res.signal.addEventListener('abort', () => left.push('signal'));
        return res.send('data: one\n\n', true);
      case '/fail':
        throw new Error('secret');
      case '/break':
        res.sendHeaders([['Content-Length', 1000]]);
        res.send('half', true);
        throw new Error('secret');
      default:
        res.sendStatus('404 Not Here');
        return res.send('nothing');
    }
  };
  const app: SsgiApp = async (type, _server, remote, method, path, query, getHeader, res) => {
    if (type === 'http') {
      const facts = [remote.replace(/:[0-9]+$/, ''), method, path, query, getHeader('x-a')];
      return serveHttp(path, facts, res);
    }
    if (path !== '/echo') return res.reject(401, 'no', [['X-A', getHeader('x-a') ?? '']]);
    res.onReceive((socket, message) => socket.send(message));
    res.onClose((_socket, code, reason) => left.push([code, reason]));
    return res.accept(getHeader('x-protocol'));
  };
  return { app, left };
}

async function start(stage: Stage, { app }: Site, bind: string): Promise<string> {
  return stage.adopt(await serveScgi(app, { bind, onError: () => {} })).address;
}

describe('with supertest', () => {
  async function client(stage: Stage): Promise<ReturnType<typeof supertest>> {
    const front = await createFront(await start(stage, createSite(), '127.0.0.1:0'));
    onTestFinished(() => front.close());
    return supertest(front.server);
  }

  test('answers with JSON, cookies and statuses', async ({ stage }) => {
    const agent = await client(stage);
    const { body } = await agent.get('/page?a=b').set('X-A', '1').expect(200).expect('Set-Cookie', 'a=1,b=2');
    expect(body).toEqual(['127.0.0.1', 'GET', '/page', 'a=b', '1', null]);
    await agent.get('/nothing').expect(404, 'nothing');
    await agent.head('/page').expect(200);
  });

  test.for(['/echo', '/pump'])('takes bodies at %s', async (path, { stage }) => {
    const posting = (await client(stage)).post(path).type('application/octet-stream').responseType('blob');
    const { body } = await posting.send(large).expect(200);
    expect(large.equals(body)).toBe(true);
  });

  test('fails with a 500', async ({ stage }) => {
    const { text } = await (await client(stage)).get('/fail').expect(500);
    expect(text).not.toContain('secret');
  });
});

describeWith('nginx', 'SSGI behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test('answers, takes bodies and sends them', async ({ stage }) => {
      const to = await start(stage, createSite(), stage.freeAddress(over));
      const { origin } = await stage.nginx({ to, params: { REMOTE_USER: 'ada' } });
      const page = await httpRequest({ origin, path: '/page?a', headers: { 'X-A': ['1', '2'] } });
      expect(JSON.parse(page.text)).toEqual(['127.0.0.1', 'GET', '/page', 'a', '1, 2', 'ada']);
      expect(page.headers['set-cookie']).toEqual(['a=1', 'b=2']);
      const echo = await httpRequest({ origin, path: '/echo', body: large });
      expect(echo.body.equals(large)).toBe(true);
      const chunks = await httpRequest({ origin, path: '/chunks' });
      expect([chunks.headers['content-length'], chunks.body.equals(large)]).toEqual([`${large.length}`, true]);
      expect(await httpRequest({ origin, path: '/nothing' })).toMatchObject({ status: 404, reason: 'Not Here' });
      expect((await httpRequest({ origin, path: '/fail' })).status).toBe(500);
    });

    test('sends a body back as it comes', async ({ stage }) => {
      const to = await start(stage, createSite(), stage.freeAddress(over));
      const { origin } = await stage.nginx({ to });
      // Over a Unix socket nginx 1.22 stops sending once the response has begun and the socket was full, to a node:http
      // server behind `proxy_pass` too.
      const body = over === 'tcp' ? large : large.subarray(0, 100_000);
      const answer = await httpRequest({ origin, path: '/pump', body });
      expect(answer.body.equals(body)).toBe(true);
    });

    test('hears of a client that leaves', async ({ stage }) => {
      const site = createSite();
      const { origin } = await stage.nginx({ to: await start(stage, site, stage.freeAddress(over)) });
      const { response, abort } = await openRequest({ origin, path: '/events' });
      expect((await new EventStream(response).next()).data).toBe('one');
      abort();
      await until(() => site.left.length === 2, 1_000, 'the listener and the signal');
      expect(site.left.toSorted()).toEqual(['listener', 'signal']);
    });

    test('a handler that fails behind the head shows as a broken response', async ({ stage }) => {
      const to = await start(stage, createSite(), stage.freeAddress(over));
      const { origin } = await stage.nginx({ to });
      await expect(httpRequest({ origin, path: '/break' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    });

    test('WebSockets are accepted, carry messages both ways, and close', async ({ stage }) => {
      const site = createSite();
      const { origin } = await stage.nginx({ to: await start(stage, site, stage.freeAddress(over)) });
      const dial = { path: '/echo', protocols: ['a', 'b'], headers: { 'X-Protocol': 'b' } };
      const client = await dialWebSocket(stage, origin.replace('http', 'ws'), dial).opened();
      expect(client.socket.protocol).toBe('b');
      expect(await client.ask('grüß')).toBe('grüß');
      expect(large.equals(Buffer.from(await client.ask(large)))).toBe(true);
      client.socket.close(4001, 'enough');
      expect(await client.ended()).toEqual({ code: 4001, reason: 'enough' });
      await until(() => site.left.length === 1, 1_000, 'the close');
      expect(site.left).toEqual([[4001, 'enough']]);
    });

    test('a WebSocket that vanishes is closed with 1006', async ({ stage }) => {
      const site = createSite();
      const { origin } = await stage.nginx({ to: await start(stage, site, stage.freeAddress(over)) });
      const client = await dialWebSocket(stage, origin.replace('http', 'ws'), { path: '/echo' }).opened();
      client.socket.terminate();
      await until(() => site.left.length === 1, 1_000, 'the close');
      expect(site.left).toEqual([[1006, '']]);
    });

    test('WebSockets are rejected with an ordinary response', async ({ stage }) => {
      const { origin } = await stage.nginx({ to: await start(stage, createSite(), stage.freeAddress(over)) });
      const client = dialWebSocket(stage, origin.replace('http', 'ws'), { path: '/other', headers: { 'X-A': '1' } });
      const { response, text } = await refusal(client.socket);
      expect([response.statusCode, response.headers['x-a'], text]).toEqual([401, '1', 'no']);
    });

    test('WebSockets close with 1001 when the server does', async ({ stage }) => {
      const running = stage.adopt(await serveScgi(createSite().app, { bind: stage.freeAddress(over) }));
      const { origin } = await stage.nginx({ to: running.address });
      const client = await dialWebSocket(stage, origin.replace('http', 'ws'), { path: '/echo' }).opened();
      await within(running.close(), 2_000, 'the end of the server');
      expect((await client.ended()).code).toBe(1001);
    });

    test('a framework has HTTP and WebSockets served by different interfaces', async ({ stage }) => {
      const { app } = createSite();
      const listener: ScgiListener = ({ url }, response) => response.end(url);
      const framework: SsgiFramework = {
        getSupported: () => ({ http: ['node', listener], websocket: ['ssgi', app] }),
      };
      const running = stage.adopt(await serveScgi(framework, { bind: stage.freeAddress(over) }));
      const { origin } = await stage.nginx({ to: running.address });
      expect((await httpRequest({ origin, path: '/page' })).text).toBe('/page');
      const client = await dialWebSocket(stage, origin.replace('http', 'ws'), { path: '/echo' }).opened();
      expect(await client.ask('hello')).toBe('hello');
    });

    test('the example counts votes, shows them live, and ends when it is told to', async ({ stage }) => {
      const bind = over === 'unix' ? stage.freeAddress('unix') : '127.0.0.1:0';
      const example = await startExample(stage, 'ssgi', bind);
      const { origin } = await stage.nginx({ to: example.address });
      const { response, abort } = await openRequest({ origin, path: '/events' });
      const events = new EventStream(response);
      expect((await events.next()).data).toBe('{}');
      const client = await dialWebSocket(stage, origin.replace('http', 'ws'), { path: '/live' }).opened();
      expect(await client.next()).toBe('{}');
      for (const body of ['for=tea', 'for=tea', 'none']) await httpRequest({ origin, path: '/votes', body });
      for (const votes of ['{"tea":1}', '{"tea":2}', '{"tea":2,"nobody":1}']) {
        expect([(await events.next()).data, await client.next()]).toEqual([votes, votes]);
      }
      expect((await httpRequest({ origin })).text).toBe('{"tea":2,"nobody":1}');
      expect(await httpRequest({ origin, path: '/other' })).toMatchObject({ status: 404 });
      expect((await refusal(dialWebSocket(stage, origin.replace('http', 'ws')).socket)).response.statusCode).toBe(404);
      abort();
      client.socket.close();
      await client.ended();
      expect(await example.stop()).toBe(0);
    });
  });
});
