// The whole example application behind nginx with the parameters that Debian ships: every route, over both kinds
// of socket.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../support/leaks.js';
import type { Nginx } from '../support/nginx.js';
import { EventStream } from './support/event-stream.js';
import { parsed, serveExample, textFile, uploadLimitBytes, type StagedExample } from './support/example-app.js';
import { Stage, transports } from './support/stage.js';

describeWith('nginx', 'the example application behind nginx', () => {
  describe.each(transports)('over %s', (over) => {
    const stage = new Stage();
    let unhandled: ReturnType<typeof collectUnhandled>;
    let before: string[];
    let app: StagedExample;
    let nginx: Nginx;

    beforeAll(async () => {
      unhandled = collectUnhandled();
      before = openDescriptors();
      app = await serveExample(stage, { over });
      nginx = await stage.nginx({ to: app.address });
    });
    afterAll(async () => {
      try {
        await until(() => app.server.connectionCount === 0, 5_000, 'the end of all connections');
      } finally {
        unhandled.stop();
        await stage.clear();
      }
      expect(unhandled.errors).toEqual([]);
      await expectNoLeaks(before);
    });
    const send = (path: string, request: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> =>
      httpRequest({ origin: nginx.origin, path, ...request });

    describe('the request', () => {
      test('is known to Express without trust proxy', async () => {
        const target = '/request?a=%2F&b=';
        const { json } = parsed(await send(target, { headers: { Host: 'Example.test:8080' } }));
        expect(json.express).toEqual({
          ip: '127.0.0.1',
          protocol: 'http',
          secure: false,
          hostname: 'example.test', // Debian's scgi_params send $host: lower case, without the port
          originalUrl: target,
          baseUrl: '',
        });
      });

      test('is not what forwarding fields claim', async () => {
        const lies = {
          'X-Forwarded-For': '198.51.100.66',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-Host': 'evil.test',
        };
        const { json } = parsed(await send('/request', { headers: { Host: 'honest.test', ...lies } }));
        expect(json.express).toMatchObject({
          ip: '127.0.0.1',
          protocol: 'http',
          secure: false,
          hostname: 'honest.test',
        });
        expect(json.headers).toContainEqual(['x-forwarded-for', '198.51.100.66']);
      });

      test('cannot claim a variable of the front end with a field of that name', async () => {
        const lies = { 'Remote-Addr': '198.51.100.66', REMOTE_ADDR: '198.51.100.66', HTTPS: 'on' };
        const { json } = parsed(await send('/request', { headers: lies }));
        expect(json.vouched).toContainEqual(['REMOTE_ADDR', '127.0.0.1']);
        expect(json.vouched.map(([name]) => name)).not.toContain('HTTPS');
        expect(json.express).toMatchObject({ ip: '127.0.0.1', secure: false });
      });

      test('is shown on the page, the variables of nginx beside the fields of the client', async () => {
        const { status, headers, text } = await send('/', { headers: { 'User-Agent': 'a <b>old browser' } });
        expect(status).toBe(200);
        expect(headers['content-type']).toBe('text/html; charset=utf-8');
        expect(text).toContain('This page reached you over <em>SCGI</em>.');
        expect(rowsOf(text, 'Variables of the web server')).toMatchObject({
          REMOTE_ADDR: '127.0.0.1',
          SERVER_PORT: `${nginx.port}`,
          SCGI: '1',
        });
        expect(rowsOf(text, 'Request line and body')).toMatchObject({ REQUEST_METHOD: 'GET', REQUEST_URI: '/' });
        expect(rowsOf(text, 'Header fields')).toMatchObject({ 'user-agent': 'a &lt;b&gt;old browser' });
      });

      test('is refused when it posts in a visitor’s name from another site', async () => {
        const headers = { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/x-www-form-urlencoded' };
        expect((await send('/messages', { headers, body: 'text=hi' })).status).toBe(403);
      });
    });

    describe('the JSON API', () => {
      const postNote = (text: unknown, type = 'application/json'): Promise<HttpResponse> =>
        send('/api/notes', { headers: { 'Content-Type': type }, body: JSON.stringify({ text }) });

      test('keeps a note from its creation to its deletion', async () => {
        const created = parsed(await postNote('käse ☕'));
        expect(created).toMatchObject({ status: 201, json: { text: 'käse ☕', by: 'someone' } });
        const path = `/api/notes/${created.json.id}`;
        expect(created.headers.location).toBe(`notes/${created.json.id}`);
        expect(parsed(await send(path))).toMatchObject({ status: 200, json: created.json });
        expect(parsed(await send('/api/notes')).json.notes).toContainEqual(created.json);
        const deleted = await send(path, { method: 'DELETE' });
        expect(deleted).toMatchObject({ status: 204, text: '' });
        expect(deleted.headers).not.toHaveProperty('content-length');
        expect((await send(path)).status).toBe(404);
      });

      test('answers HEAD with the length of the body it leaves out', async () => {
        const whole = await send('/api/notes');
        const head = await send('/api/notes', { method: 'HEAD' });
        expect(head).toMatchObject({ status: 200, text: '' });
        expect(head.headers['content-length']).toBe(whole.headers['content-length']);
        expect(head.headers['etag']).toBe(whole.headers['etag']);
      });

      test.for([
        { what: 'another type', status: 415, send: () => postNote('x', 'text/plain') },
        { what: 'a note that is no string', status: 422, send: () => postNote(7) },
        { what: 'a note that is too long', status: 422, send: () => postNote('x'.repeat(201)) },
        { what: 'a body that is too large', status: 413, send: () => postNote('x'.repeat(20_000)) },
        {
          what: 'a body that is no JSON',
          status: 400,
          send: () => send('/api/notes', { headers: { 'Content-Type': 'application/json' }, body: '{' }),
        },
        { what: 'a method it does not have', status: 405, send: () => send('/api/notes', { method: 'PUT' }) },
      ])('answers $what with $status', async ({ status, send: sendRequest }) => {
        const answer = parsed(await sendRequest());
        expect(answer.status).toBe(status);
        expect(answer.json.error.status).toBe(status);
        if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD, POST');
      });
    });

    describe('forms and sessions', () => {
      const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };

      test('a posted form is answered with a redirect, and its text is on the page', async () => {
        const posted = await send('/messages', { headers: form, body: 'text=One+%26+two+%E2%98%95' });
        expect(posted).toMatchObject({ status: 303, reason: 'See Other' });
        expect(posted.headers.location).toBe('./#form');
        expect((await send('/')).text).toContain('One &amp; two ☕');
      });

      test('an empty form is refused with a page', async () => {
        const refused = await send('/messages', { headers: form, body: 'text=' });
        expect(refused.status).toBe(422);
        expect(refused.text).toContain('A message has 1 to 280 characters.');
      });

      test('a session lives in its signed cookie until it is ended', async () => {
        const first = await send('/');
        expect(first.text).toContain('visit <strong>1</strong>');
        const second = await send('/', { headers: { Cookie: cookiesOf(first) } });
        expect(second.text).toContain('visit <strong>2</strong>');
        const named = await send('/session', { headers: { ...form, Cookie: cookiesOf(second) }, body: 'name=Ada' });
        expect(named).toMatchObject({ status: 303 });
        const greeted = await send('/', { headers: { Cookie: cookiesOf(named) } });
        expect(greeted.text).toContain('<strong>Ada</strong>');
        const ended = await send('/session/end', { method: 'POST', headers: { Cookie: cookiesOf(greeted) } });
        expect(ended.headers['set-cookie']?.[0]).toMatch(/^example=; .*expires=Thu, 01 Jan 1970/);
        expect(ended.headers['set-cookie']).toHaveLength(2); // the value and its signature, each in a field of its own
      });

      test('a forged session is no session', async () => {
        const value = Buffer.from('{"name":"root"}').toString('base64');
        const { text } = await send('/', { headers: { Cookie: `example=${value}; example.sig=forged` } });
        expect(text).not.toContain('root');
        expect(text).toContain('visit <strong>1</strong>');
      });
    });

    describe('an upload', () => {
      test.for([0, 1, 100_000, 5_000_000])('of %i bytes arrives as it was sent', async (size) => {
        const content = Buffer.alloc(size, 'All the bytes of a file \0 with \xff in it.', 'latin1');
        const answer = parsed(await send('/upload', multipart('file', content)));
        expect(answer).toMatchObject({ status: 201 });
        const sha256 = createHash('sha256').update(content).digest('hex');
        expect(answer.json).toEqual({ name: 'käse.bin', type: 'application/x-test', size, sha256 });
      });

      test('larger than the limit is read to its end and answered with 413', async () => {
        const answer = parsed(await send('/upload', multipart('file', Buffer.alloc(uploadLimitBytes + 1))));
        expect(answer).toMatchObject({
          status: 413,
          json: { error: { message: 'Files may have up to 6000000 bytes.' } },
        });
      });

      test('without a file is answered with 422, with another field with 400', async () => {
        const empty = { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: '--x--\r\n' };
        expect((await send('/upload', empty)).status).toBe(422);
        expect((await send('/upload', multipart('other', Buffer.from('x')))).status).toBe(400);
      });
    });

    describe('a static file', () => {
      const path = '/assets/scgi.txt';

      test('comes whole, with a validator, and not again while it is the same', async () => {
        const whole = await send(path);
        expect(whole.status).toBe(200);
        expect(whole.body.equals(textFile)).toBe(true);
        expect(whole.headers['content-length']).toBe(`${textFile.length}`);
        const again = await send(path, { headers: { 'If-None-Match': whole.headers.etag ?? '' } });
        expect(again).toMatchObject({ status: 304, text: '' });
        expect(again.headers.etag).toBe(whole.headers.etag);
      });

      test.for([
        { range: 'bytes=0-39', first: 0, last: 39 },
        { range: 'bytes=100-', first: 100, last: textFile.length - 1 },
        { range: 'bytes=-7', first: textFile.length - 7, last: textFile.length - 1 },
      ])('comes in part for $range, as it is stored', async ({ range, first, last }) => {
        const part = await send(path, { headers: { Range: range, 'Accept-Encoding': 'gzip' } });
        expect(part).toMatchObject({ status: 206 });
        expect(part.headers['content-range']).toBe(`bytes ${first}-${last}/${textFile.length}`);
        expect(part.body.equals(textFile.subarray(first, last + 1))).toBe(true);
      });

      test('has no part beyond its end', async () => {
        const refused = await send(path, { headers: { Range: 'bytes=99999-' } });
        expect(refused.status).toBe(416);
        expect(refused.headers['content-range']).toBe(`bytes */${textFile.length}`);
      });

      test('is compressed for a client that can take it', async () => {
        const { headers, body } = await send(path, { headers: { 'Accept-Encoding': 'gzip' } });
        expect(headers['content-encoding']).toBe('gzip');
        expect(headers.vary).toBe('Accept-Encoding');
        expect(body.length).toBeLessThan(textFile.length);
        expect(gunzipSync(body).equals(textFile)).toBe(true);
      });
    });

    describe('the live feed', () => {
      test('tells at once what happens, and a newcomer what it has missed', async () => {
        const upToDate = { 'Last-Event-ID': `${Number.MAX_SAFE_INTEGER}` };
        const listener = await openRequest({ origin: nginx.origin, path: '/events', headers: upToDate });
        expect(listener.response.headers['content-type']).toMatch(/^text\/event-stream\b/);
        const events = new EventStream(listener.response);
        expect(JSON.parse((await events.next('tick')).data)).toMatchObject({ listeners: 1 });
        app.locals.feed.publish('Ada', 'said hello');
        const told = await events.next('activity');
        expect(JSON.parse(told.data)).toMatchObject({ who: 'Ada', what: 'said hello' });
        app.locals.feed.publish('Bob', 'said goodbye');
        const headers = { 'Last-Event-ID': told.id };
        const newcomer = await openRequest({ origin: nginx.origin, path: '/events', headers });
        const missed = await new EventStream(newcomer.response).next();
        expect(JSON.parse(missed.data)).toMatchObject({ who: 'Bob', what: 'said goodbye' });
        newcomer.abort();
        listener.abort();
      });
    });

    describe('a failure', () => {
      test.for(['sync', 'async'])('%s is answered without a word about its cause', async (kind) => {
        const asPage = await send(`/errors/${kind}`, { headers: { Accept: 'text/html' } });
        expect(asPage).toMatchObject({ status: 500, reason: 'Internal Server Error' });
        expect(asPage.text).not.toContain('for the log');
        const asJson = parsed(await send(`/errors/${kind}`, { headers: { Accept: 'application/json' } }));
        expect(asJson.json).toEqual({ error: { status: 500, message: 'Internal Server Error' } });
        expect(app.logged.map(String).join()).toContain('for the log');
      });

      test('after the head is a broken response for the client', async () => {
        const { response } = await openRequest({ origin: nginx.origin, path: '/errors/late' });
        expect(response.statusCode).toBe(200);
        await expect(response.toArray()).rejects.toThrow('aborted');
      });

      test('to find a route is a page with a way back', async () => {
        const missing = await send('/no/such/page', { headers: { Accept: 'text/html' } });
        expect(missing.status).toBe(404);
        expect(missing.text).toContain('href="../../"');
      });
    });
  });
});

/** The rows of a table of the page, by its caption. */
function rowsOf(html: string, caption: string): Record<string, string> {
  const table = html.split('<table').find((part) => part.includes(caption)) ?? '';
  const cells = table.matchAll(/<th[^>]*>([^<]*)<\/th>\s*<td[^>]*>(.*?)<\/td>/gs);
  return Object.fromEntries([...cells].map(([, name, value]) => [name, value]));
}

/** What a browser would send back. */
function cookiesOf({ headers }: HttpResponse): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]).join('; ');
}

function multipart(field: string, content: Uint8Array): Pick<HttpRequestOptions, 'headers' | 'body'> {
  const boundary = '----boundary';
  const disposition = `form-data; name="${field}"; filename="käse.bin"`;
  const head = `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: application/x-test\r\n\r\n`;
  return {
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
