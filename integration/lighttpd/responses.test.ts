// What lighttpd makes of responses: status, fields, lengths, redirects, the size of the head, and files it sends itself.

import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import type { LighttpdOptions } from '../support/lighttpd.js';
import { answerTo } from './support/ask.js';
import { test, transports, type LighttpdBefore, type Stage } from './support/stage.js';

/** What a client of lighttpd gets from a listener. */
async function through(
  { stage, lighttpd }: { stage: Stage; lighttpd: LighttpdBefore },
  listener: RequestListener,
  request: Partial<HttpRequestOptions> = {},
  options: Partial<LighttpdOptions> = {},
): Promise<HttpResponse> {
  const { address } = await stage.serve(listener);
  const { origin } = await lighttpd({ to: address, ...options });
  return httpRequest({ origin, ...request });
}

describeWith('lighttpd', 'a status through lighttpd', () => {
  test.for([
    [404, 'Not Found'],
    [418, ''],
    [599, ''],
  ] as const)('of %i has the reason that lighttpd knows: "%s"', async ([status, reason], { stage, lighttpd }) => {
    const answer = await through(
      { stage, lighttpd },
      (_, response) => void response.writeHead(status, 'Gone Fishing').end('here'),
    );
    expect(answer).toMatchObject({ status, reason, text: 'here' });
  });

  test.for([400, 404, 500, 503])('of %i keeps the body of the application', async (status, { stage, lighttpd }) => {
    const listener: RequestListener = (_, response) =>
      void response.writeHead(status, { 'Retry-After': '5' }).end('own');
    const { headers, text } = await through({ stage, lighttpd }, listener);
    expect({ text, retry: headers['retry-after'] }).toEqual({ text: 'own', retry: '5' });
  });
});

describeWith('lighttpd', 'a response without a body through lighttpd', () => {
  const cases = [
    { method: 'HEAD', status: 200, length: '5' },
    { method: 'GET', status: 204, length: undefined },
    { method: 'GET', status: 304, length: undefined }, // 1.4.69 drops it
  ];

  describe.each([0, 1] as const)('with streamResponse %i', (streamResponse) => {
    test.for(cases)('is over at once: $method, $status', async ({ method, status, length }, { stage, lighttpd }) => {
      const listener: RequestListener = (_, response) =>
        void response.writeHead(status, { 'Content-Length': 5, ETag: '"x"' }).end('hello');
      const answer = await through({ stage, lighttpd }, listener, { method }, { streamResponse });
      expect(answer).toMatchObject({ status, text: '' });
      expect({ etag: answer.headers.etag, length: answer.headers['content-length'] }).toEqual({ etag: '"x"', length });
    });
  });
});

describeWith('lighttpd', 'fields through lighttpd', () => {
  const listener: RequestListener = (_, response) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2', ...Array.from({ length: 18 }, (_cookie, at) => `c${at}=x`)]);
    response.setHeader('Link', ['</a>', '</b>']).setHeader('X-Empty', '').setHeader('X-Latin', 'caf\xe9');
    response.setHeader('Content-Type', 'application/javascript').setHeader('Connection', 'close, X-Hop');
    // With a string for a body Node.js would encode the head as UTF-8 along with it, over HTTP too.
    response.setHeader('X-Hop', '1').setHeader('Server', 'mine').end(Buffer.from('1'));
  };

  test('come apart as they were set, except for empty ones', async ({ stage, lighttpd }) => {
    const { headers, rawHeaders } = await through({ stage, lighttpd }, listener);
    expect(headers['set-cookie']).toHaveLength(20);
    expect(rawHeaders.filter((_, at, all) => all[at - 1] === 'Link')).toEqual(['</a>', '</b>']);
    expect(headers).not.toHaveProperty('x-empty');
    expect(headers).not.toHaveProperty('x-hop');
    expect(headers).toMatchObject({ 'x-latin': 'caf\xe9', server: 'mine' });
  });

  test('include a type of lighttpd’s own for scripts', async ({ stage, lighttpd }) => {
    const { headers } = await through({ stage, lighttpd }, listener);
    expect(headers['content-type']).toBe('text/javascript');
  });

  test('have one Date: the application’s, or else lighttpd’s', async ({ stage, lighttpd }) => {
    const dates = ({ rawHeaders }: HttpResponse): string[] => rawHeaders.filter((_, at, all) => all[at - 1] === 'Date');
    expect(dates(await through({ stage, lighttpd }, (_, response) => void response.end()))).toEqual([
      expect.stringMatching(/ GMT$/),
    ]);
    const own = 'Thu, 01 Jan 1970 00:00:00 GMT';
    const byApp = await through({ stage, lighttpd }, (_, response) => void response.setHeader('Date', own).end());
    expect(dates(byApp)).toEqual([own]);
  });

  test('of nginx go through: they mean nothing here', async ({ stage, lighttpd }) => {
    const accel = { 'X-Accel-Redirect': '/x', 'X-Accel-Buffering': 'no' };
    const { headers, text } = await through(
      { stage, lighttpd },
      (_, response) => void response.writeHead(200, accel).end('body'),
    );
    expect({ headers, text }).toMatchObject({ headers: { 'x-accel-redirect': '/x' }, text: 'body' });
  });
});

describeWith('lighttpd', 'a length through lighttpd', () => {
  const inParts: RequestListener = (_, response) => {
    response.write('in ');
    setImmediate(() => response.end('parts'));
  };

  test('that nobody stated is counted with streamResponse 0', async ({ stage, lighttpd }) => {
    const { headers, text } = await through({ stage, lighttpd }, inParts, {}, { streamResponse: 0 });
    expect({ text, length: headers['content-length'] }).toEqual({ text: 'in parts', length: '8' });
  });

  test('that nobody stated is none with streamResponse 1: the body goes out in chunks', async ({ stage, lighttpd }) => {
    let end = (): void => {};
    const { address } = await stage.serve((_, response) => {
      response.write('in ');
      end = () => void response.end('parts');
    });
    const { origin } = await lighttpd({ to: address });
    const { response } = await openRequest({ origin });
    expect(response.headers['transfer-encoding']).toBe('chunked');
    end();
    expect((await within(response.setEncoding('utf8').toArray(), 5_000, 'the body')).join('')).toBe('in parts');
  });

  // The application has answered 200 to a Range field; lighttpd has the whole body and cuts it.
  test('may become that of the range the client asked for', async ({ stage, lighttpd }) => {
    const headers = { Range: 'bytes=2-4' };
    const listener: RequestListener = (_, response) => void response.end('0123456789');
    const answer = await through({ stage, lighttpd }, listener, { headers });
    expect(answer).toMatchObject({ status: 206, text: '234' });
    const refusing: RequestListener = (_, response) =>
      void response.setHeader('Accept-Ranges', 'none').end('0123456789');
    expect(await through({ stage, lighttpd }, refusing, { headers })).toMatchObject({ status: 200 });
  });
});

describeWith('lighttpd', 'a Location through lighttpd', () => {
  test.for([200, 201, 301, 302, 303, 307, 308])(
    'with status %i stays what it is: no redirect inside of lighttpd',
    async (status, { stage, lighttpd }) => {
      const seen: (string | undefined)[] = [];
      const answer = await through({ stage, lighttpd }, (request, response) => {
        seen.push(request.url);
        response.writeHead(status, { Location: '/elsewhere?x#y' }).end('here');
      });
      expect(answer).toMatchObject({ status, headers: { location: '/elsewhere?x#y' }, text: 'here' });
      expect(seen).toEqual(['/']);
    },
  );
});

describeWith('lighttpd', 'a response head through lighttpd', () => {
  const sized =
    (bytes: number): RequestListener =>
    (_, response) =>
      void response.setHeader('X-Large', 'v'.repeat(bytes)).end('ok');

  test('may have 60,000 bytes in one line', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(sized(60_000));
    const { status, head } = await answerTo(await lighttpd({ to: address }), 'GET / HTTP/1.1');
    expect(status).toBe(200);
    expect(/^X-Large: (v+)$/m.exec(head)?.[1]).toHaveLength(60_000);
  });

  test('of more than 64 KiB is a 502 and a line in the log', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(sized(70_000));
    const { origin, errorLog } = await lighttpd({ to: address });
    expect((await httpRequest({ origin })).status).toBe(502);
    await until(() => errorLog().includes('response headers too large for'), 1_000, 'the line');
  });
});

describeWith('lighttpd', 'X-Sendfile through lighttpd', () => {
  const setUp = async (stage: Stage, lighttpd: LighttpdBefore, over: 'tcp' | 'unix' = 'unix') => {
    const folder = stage.folder();
    writeFileSync(join(folder, 'report.txt'), '0123456789');
    const { address } = await stage.serve(
      (request, response) => {
        response.setHeader('Content-Type', 'text/x-report').setHeader('Content-Disposition', 'attachment');
        response.setHeader('X-Sendfile', request.url?.startsWith('/~') ? '/etc/hostname' : `${folder}${request.url}`);
        response.end('what the application sends itself is dropped');
      },
      { over },
    );
    const allowed = { 'x-sendfile': 'enable', 'x-sendfile-docroot': [folder] };
    const server = await lighttpd({ to: address, backendOptions: allowed });
    return { address, server, origin: server.origin };
  };

  test.for(transports)(
    'makes lighttpd send the file, with the fields of the application, over %s',
    async (over, { stage, lighttpd }) => {
      const { origin } = await setUp(stage, lighttpd, over);
      const { status, text, headers } = await httpRequest({ origin, path: '/report.txt' });
      expect({ status, text }).toEqual({ status: 200, text: '0123456789' });
      expect(headers).toMatchObject({
        'content-type': 'text/x-report',
        'content-disposition': 'attachment',
        'content-length': '10',
      });
      expect(headers).toHaveProperty('etag');
      expect(headers).not.toHaveProperty('x-sendfile');
    },
  );

  test('answers ranges, conditions and HEAD by itself', async ({ stage, lighttpd }) => {
    const { origin } = await setUp(stage, lighttpd);
    const path = '/report.txt';
    const part = await httpRequest({ origin, path, headers: { Range: 'bytes=2-4' } });
    expect(part).toMatchObject({ status: 206, text: '234' });
    const fresh = await httpRequest({ origin, path, headers: { 'If-None-Match': part.headers.etag ?? '' } });
    expect(fresh).toMatchObject({ status: 304, text: '' });
    const head = await httpRequest({ origin, path, method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '10' } });
  });

  test('is refused outside of x-sendfile-docroot, and a missing file is a 404', async ({ stage, lighttpd }) => {
    const { origin, server } = await setUp(stage, lighttpd);
    expect((await httpRequest({ origin, path: '/~' })).status).toBe(403);
    expect((await httpRequest({ origin, path: '/missing' })).status).toBe(404);
    await until(() => server.errorLog().includes('not under configured x-sendfile-docroot'), 1_000, 'the line');
  });

  test('may name any file if no x-sendfile-docroot is configured', async ({ stage, lighttpd }) => {
    const { address } = await setUp(stage, lighttpd);
    const { origin } = await lighttpd({ to: address, backendOptions: { 'x-sendfile': 'enable' } });
    const { status, text } = await httpRequest({ origin, path: '/~' });
    expect({ status, text }).toEqual({ status: 200, text: readFileSync('/etc/hostname', 'utf8') });
  });

  test('is taken out and does nothing unless it is enabled', async ({ stage, lighttpd }) => {
    const { address } = await setUp(stage, lighttpd);
    const { origin } = await lighttpd({ to: address });
    const { text, headers } = await httpRequest({ origin, path: '/report.txt' });
    expect(text).toBe('what the application sends itself is dropped');
    expect(headers).not.toHaveProperty('x-sendfile');
  });
});
