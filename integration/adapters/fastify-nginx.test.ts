// Fastify behind a real nginx, with the parameters that Debian ships: an application of this process, one that listens by
// itself, and the example in a process of its own.

import { PassThrough, Readable } from 'node:stream';
import { scgiServerFactory, serveScgi } from '@scgi/adapter-fastify';
import Fastify from 'fastify';
import { describe, expect } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { test, transports } from '../nginx/support/stage.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { startExample } from './support/example-process.js';

const lies = { 'X-Forwarded-For': '198.51.100.66', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test' };

describeWith('nginx', 'Fastify behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    test('knows who the client is, and below which prefix nginx has put it', async ({ stage }) => {
      const app = Fastify();
      app.get('/*', async (request) => {
        const { ip, protocol, host, url, originalUrl } = request;
        return { ip, protocol, host, url, originalUrl, user: request.raw.scgi.env['REMOTE_USER'] };
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
        url: '/a%2Fb?c',
        originalUrl: '/app/a%2Fb?c',
        user: 'ada',
      });
    });

    test('streams both ways, and notices when the client leaves', async ({ stage }) => {
      const app = Fastify();
      const streams: PassThrough[] = [];
      app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
      // nginx stops to send the body once it has passed on the head of the response.
      app.post('/', async ({ raw }, reply) => reply.send(Readable.from(await raw.toArray())));
      app.get('/', (_request, reply) => {
        const stream = new PassThrough();
        streams.push(stream);
        stream.write('data: one\n\n');
        return reply.type('text/event-stream').send(stream);
      });
      const { address } = stage.adopt(await serveScgi(app, { bind: stage.freeAddress(over) }));
      const { origin } = await stage.nginx({ to: address });
      const body = Buffer.alloc(3_000_000, 'both ways ');
      const headers = { 'Content-Type': 'application/octet-stream' };
      expect((await httpRequest({ origin, body, headers })).body.equals(body)).toBe(true);

      const { response, abort } = await openRequest({ origin });
      const events = new EventStream(response);
      expect((await events.next()).data).toBe('one');
      streams[0]?.write('data: two\n\n');
      expect((await events.next()).data).toBe('two');
      abort();
      await until(() => streams[0]?.destroyed === true, 1_000, 'the end of the stream');
    });

    test('answers as an application that listens by itself', async ({ stage }) => {
      const app = Fastify({ serverFactory: scgiServerFactory() });
      stage.add(() => app.close());
      app.get('/', async ({ ip }) => ({ ip }));
      const bind = stage.freeAddress(over);
      const address = await app.listen(over === 'unix' ? { path: bind.slice('unix:'.length) } : { port: 0 });
      const to = over === 'unix' ? bind : address.replace('http://', '');
      const { origin } = await stage.nginx({ to });
      expect((await httpRequest({ origin, headers: lies })).text).toBe('{"ip":"127.0.0.1"}');
    });

    test('the example keeps books and sends events, and ends when it is told to', async ({ stage }) => {
      const bind = over === 'unix' ? stage.freeAddress('unix') : '127.0.0.1:0';
      const example = await startExample(stage, 'fastify', bind);
      const { origin } = await stage.nginx({ to: example.address, params: { REMOTE_USER: 'ada' } });
      const put = (book: unknown): Promise<HttpResponse> =>
        send('/books/1', { method: 'PUT', body: JSON.stringify(book) });
      const send = (path: string, options: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> =>
        httpRequest({ origin, path, headers: { ...lies, 'Content-Type': 'application/json' }, ...options });

      const book = { title: 'Käse ☕', year: 1998 };
      expect(await put(book)).toMatchObject({ status: 201, text: JSON.stringify(book) });
      expect((await put(book)).status).toBe(200);
      expect((await put({ title: '' })).status).toBe(400);
      const from = { ip: '127.0.0.1', protocol: 'http', user: 'ada' };
      expect(JSON.parse((await send('/')).text)).toEqual({ from, books: [book] });

      const { response, abort } = await openRequest({ origin, path: '/events' });
      const events = new EventStream(response);
      expect((await events.next()).data).toBe('1');
      expect((await events.next()).data).toBe('2');
      abort();
      expect(await example.stop()).toBe(0);
    });
  });
});
