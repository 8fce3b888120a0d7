// Koa behind a real nginx, with the parameters that Debian ships: an application of this process, and the example in a
// process of its own.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { serveScgi } from '@scgi/adapter-koa';
import Koa from 'koa';
import { describe, expect } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { test, transports } from '../nginx/support/stage.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { startExample } from './support/example-process.js';

const lies = { 'X-Forwarded-For': '198.51.100.66', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test' };

describeWith('nginx', 'Koa behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test('knows who the client is, and below which prefix nginx has put it', async ({ stage }) => {
      const app = new Koa().use((ctx) => {
        const { ip, protocol, host, path, originalUrl } = ctx;
        ctx.body = { ip, protocol, host, path, originalUrl, user: ctx['scgi'].env.REMOTE_USER };
      });
      const running = await serveScgi(app, { bind: stage.freeAddress(over), basePath: 'SCRIPT_NAME' });
      const { address } = stage.adopt(running);
      const params = { SCRIPT_NAME: '/app', HTTP_HOST: '$http_host', REMOTE_USER: 'ada' };
      const { origin } = await stage.nginx({ path: '/app/', to: address, params });
      const headers = { ...lies, Host: 'example.test:8080' };
      expect(JSON.parse((await httpRequest({ origin, path: '/app/a%2Fb?c', headers })).text)).toEqual({
        ip: '127.0.0.1',
        protocol: 'http',
        host: 'example.test:8080',
        path: '/a%2Fb',
        originalUrl: '/app/a%2Fb?c',
        user: 'ada',
      });
    });

    test('streams both ways, and notices when the client leaves', async ({ stage }) => {
      const streams: PassThrough[] = [];
      const app = new Koa().use(async (ctx) => {
        if (ctx.method === 'POST') {
          // nginx stops to send the body once it has passed on the head of the response.
          ctx.body = Readable.from(await ctx.req.toArray());
          return;
        }
        ctx.type = 'text/event-stream';
        const stream = new PassThrough();
        streams.push(stream);
        stream.write('data: one\n\n');
        ctx.body = stream;
      });
      app.silent = true;
      const { address } = stage.adopt(await serveScgi(app, { bind: stage.freeAddress(over) }));
      const { origin } = await stage.nginx({ to: address });
      const body = Buffer.alloc(3_000_000, 'both ways ');
      expect((await httpRequest({ origin, body })).body.equals(body)).toBe(true);

      const { response, abort } = await openRequest({ origin });
      const events = new EventStream(response);
      expect((await events.next()).data).toBe('one');
      streams[0]?.write('data: two\n\n');
      expect((await events.next()).data).toBe('two');
      abort();
      await until(() => streams[0]?.destroyed === true, 1_000, 'the end of the stream');
    });

    test('shows a stream that fails as a broken response', async ({ stage }) => {
      const app = new Koa().use((ctx) => {
        const stream = new PassThrough();
        stream.write('half', () => setImmediate(() => stream.destroy(new Error('the disk is gone'))));
        ctx.length = 1000;
        ctx.body = stream;
      });
      app.silent = true;
      const failed = once(app, 'error');
      const { address } = stage.adopt(await serveScgi(app, { bind: stage.freeAddress(over) }));
      const { origin } = await stage.nginx({ to: address });
      await expect(httpRequest({ origin })).rejects.toThrow('aborted');
      expect(await failed).toMatchObject([{ message: 'the disk is gone' }, expect.anything()]);
    });

    test('the example takes letters and checksums, and ends when it is told to', async ({ stage }) => {
      const bind = over === 'unix' ? stage.freeAddress('unix') : '127.0.0.1:0';
      const example = await startExample(stage, 'koa', bind);
      const { origin } = await stage.nginx({ to: example.address, params: { REMOTE_USER: 'ada' } });
      const send = (path: string, options: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> =>
        httpRequest({ origin, path, headers: lies, ...options });

      const posted = await send('/letters', { body: 'text=Dear+%E2%98%95' });
      expect(posted).toMatchObject({ status: 303, headers: { location: './' } });
      const from = { ip: '127.0.0.1', secure: false, user: 'ada' };
      expect(JSON.parse((await send('/')).text)).toEqual({ from, letters: [{ ...from, text: 'Dear ☕' }] });
      expect(await send('/letters', { body: 'text=' })).toMatchObject({ status: 422, text: 'A letter has a text.' });

      const body = Buffer.alloc(1_000_000, 'x');
      const sha256 = createHash('sha256').update(body).digest('hex');
      expect(JSON.parse((await send('/checksum', { method: 'PUT', body })).text)).toEqual({ sha256 });
      expect((await send('/nothing')).status).toBe(404);
      expect(await example.stop()).toBe(0);
    });
  });
});
