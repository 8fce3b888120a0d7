// Applications behind web servers that offer nothing but CGI: the same as behind one that speaks SCGI.

import { serveScgi as serveExpress } from '@scgi/adapter-express';
import { serveScgi as serveFetch } from '@scgi/adapter-fetch';
import { serveScgi } from '@scgi/core';
import express from 'express';
import { Hono } from 'hono';
import { once } from 'node:events';
import { expect } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { test, type Stage } from '../nginx/support/stage.js';
import { Witness } from '../nginx/support/witness.js';
import { until } from '../support/deadline.js';
import { abortRequest, httpRequest, openRequest } from '../support/http-client.js';
import { describeFronts, program, startFront } from './support/front.js';

const MiB = 1 << 20;
const size = 64 * MiB;
const block = Buffer.alloc(MiB, 'x');

describeFronts('an application', (front, variant) => {
  const startExpress = async (stage: Stage, configure: (app: express.Express) => void, settings = '') => {
    const started = await startFront(stage, front, variant, { settings });
    const app = express();
    configure(app);
    stage.adopt(await serveExpress(app, { bind: started.bind }));
    return started;
  };

  /** Serves one request, of which everything is written down. */
  const observe = async (stage: Stage, handler: (witness: Witness, reached: () => void) => void) => {
    const { origin, bind } = await startFront(stage, front, variant);
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => (reach = resolve));
    let witness: Witness | undefined;
    const server = await serveScgi(
      (request, response) => {
        witness = new Witness(request, response);
        handler(witness, reach);
      },
      { bind },
    );
    stage.adopt(server);
    const expectClosed = async (): Promise<Witness> => {
      await until(() => witness !== undefined, 10_000, 'the request');
      await witness?.closed(10_000);
      return witness ?? expect.unreachable();
    };
    return { origin, reached, expectClosed };
  };

  test('in Express is asked what the client has asked, and answers', async ({ stage }) => {
    const { origin } = await startExpress(stage, (app) => {
      app.all(`${program}/echo/:name`, express.text(), (req, res) => {
        const { ip, method, originalUrl, protocol, query, body } = req;
        const { name } = req.params;
        const { SCRIPT_NAME, PATH_INFO, PATH, SCGI_TO } = req.scgi.env;
        const header = req.get('x-header');
        res.cookie('a', '1').cookie('b', '2').status(201);
        res.json({
          ip,
          method,
          originalUrl,
          protocol,
          query,
          body,
          name,
          header,
          SCRIPT_NAME,
          PATH_INFO,
          PATH,
          SCGI_TO,
        });
      });
    });
    const path = `${program}/echo/na%C3%AFve?x=1&y=%20`;
    const headers = { 'Content-Type': 'text/plain', 'X-Header': 'caf\u00e9', Proxy: 'http://evil.test' };
    const answer = await httpRequest({ origin, path, method: 'PUT', headers, body: Buffer.from('the body') });
    expect(answer.status).toBe(201);
    expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    expect(JSON.parse(answer.text)).toEqual({
      ip: '127.0.0.1',
      method: 'PUT',
      originalUrl: path,
      protocol: 'http',
      query: { x: '1', y: ' ' },
      body: 'the body',
      name: 'naïve',
      header: 'caf\u00e9',
      SCRIPT_NAME: program,
      PATH_INFO: '/echo/naïve'.replace('ï', '\u00c3\u00af'),
    });
    expect((await httpRequest({ origin, path: `${program}/nowhere` })).status).toBe(404);
    const head = await httpRequest({ origin, path: `${program}/echo/x`, method: 'HEAD' });
    expect(head).toMatchObject({ status: 201, text: '' });
  });

  test('gets the words of a query that has no "=", which some web servers make arguments of', async ({ stage }) => {
    const { origin } = await startExpress(stage, (app) => {
      app.get(program, (req, res) => void res.send(req.originalUrl));
    });
    const path = `${program}?unix:/nowhere/other.sock+--retry-for%3D0`;
    expect((await httpRequest({ origin, path })).text).toBe(path);
  });

  test('of the Fetch kind answers, and streams', async ({ stage }) => {
    const { origin, bind } = await startFront(stage, front, variant);
    const app = new Hono();
    app.post(`${program}/length`, async (c) => c.text(`${(await c.req.arrayBuffer()).byteLength} bytes`));
    app.get(`${program}/to`, (c) => c.redirect('/elsewhere'));
    stage.adopt(await serveFetch(app, { bind }));
    const body = 'x'.repeat(100_000);
    expect((await httpRequest({ origin, path: `${program}/length`, body })).text).toBe('100000 bytes');
    const { status, headers } = await httpRequest({ origin, path: `${program}/to` });
    expect([status, headers.location]).toEqual([302, '/elsewhere']);
  });

  test('sends events that arrive one by one', async ({ stage }) => {
    let send = (_text: string): void => {};
    const { origin } = await startExpress(stage, (app) => {
      app.get(program, (_req, res) => {
        res.type('text/event-stream').flushHeaders();
        send = (text) => void res.write(`data: ${text}\n\n`);
      });
    });
    const { response, abort } = await openRequest({ origin, path: program });
    const events = new EventStream(response);
    for (const text of ['one', 'two', 'three']) {
      send(text);
      expect((await events.next()).data).toBe(text);
    }
    abort();
  });

  test('takes 64 MiB, and gives 64 MiB', { timeout: 60_000 }, async ({ stage }) => {
    const { origin } = await startExpress(stage, (app) => {
      app.post(program, async (req, res) => {
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        res.send(`${bytes}`);
      });
      app.get(program, async (_req, res) => {
        res.set('Content-Length', `${size}`);
        for (let sent = 0; sent < size; sent += MiB) {
          if (!res.write(block)) await new Promise((resolve) => res.once('drain', resolve));
        }
        res.end();
      });
    });
    const headers = { 'Content-Length': `${size}` };
    const deadlineMs = 30_000;
    const body = Array.from({ length: 64 }, () => block);
    expect((await httpRequest({ origin, path: program, method: 'POST', headers, body, deadlineMs })).text).toBe(
      `${size}`,
    );
    const { body: received } = await httpRequest({ origin, path: program, deadlineMs });
    expect(received.length).toBe(size);
  });

  test('refuses an upload with an answer that arrives', { timeout: 60_000 }, async ({ stage }) => {
    const { origin } = await startExpress(stage, (app) => {
      app.post(program, (_req, res) => void res.status(413).send('too large'));
    });
    const headers = { 'Content-Length': `${16 * MiB}` };
    const body = Array.from({ length: 16 }, () => block);
    const answer = await httpRequest({ origin, path: program, method: 'POST', headers, body, deadlineMs: 30_000 });
    expect(answer).toMatchObject({ status: 413, text: 'too large' });
  });

  test('hears of a client that leaves while it is answered', async ({ stage }) => {
    const scene = await observe(stage, ({ response }, reached) => {
      const write = (): void => {
        while (!response.destroyed && response.write(block.subarray(0, 65_536)));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
      reached();
    });
    const { response, abort } = await openRequest({ origin: scene.origin, path: program });
    await once(response, 'data');
    abort();
    const { events } = await scene.expectClosed();
    expect(events).toContain('response close');
    expect(events).not.toContain('response finish');
  });

  test('hears of a client that leaves while nothing is sent, once something is', async ({ stage }) => {
    const scene = await observe(stage, ({ response }, reached) => {
      response.flushHeaders();
      reached();
      const timer = setInterval(() => response.destroyed || response.write('something\n'), 50);
      response.once('close', () => clearInterval(timer));
    });
    const { abort } = await openRequest({ origin: scene.origin, path: program });
    abort();
    const { events } = await scene.expectClosed();
    expect(events).not.toContain('response finish');
  });

  test('hears of a client that leaves while it uploads', async ({ stage }) => {
    const scene = await observe(stage, ({ request }, reached) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length) === 50_000 && reached());
    });
    await abortRequest({ origin: scene.origin, path: program }, 'request-body', scene.reached);
    const { request, events } = await scene.expectClosed();
    expect(request.complete).toBe(false);
    expect(events).toContain('request error ECONNRESET');
  });

  test('that is away is a 502, and the reason is in the log', async ({ stage }) => {
    const { origin, errorLog } = await startFront(stage, front, variant, { settings: '--retry-for=0' });
    const answer = await httpRequest({ origin, path: program, method: 'POST', body: 'x'.repeat(1000) });
    expect(answer).toMatchObject({ status: 502, text: '502 Bad Gateway\n' });
    await until(() => errorLog().includes('ERR_SCGI_BACKEND_UNREACHABLE'), 5_000, 'the reason in the log');
    expect(errorLog()).toMatch(/cgi2scgi: ERR_SCGI_BACKEND_UNREACHABLE: .*reason "ENOENT"/);
  });
});
