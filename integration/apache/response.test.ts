// What becomes of an application's response on its way through Apache.

import type { RequestListener } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, rawExchange, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import type { ApacheOptions } from '../support/apache.js';
import { test, transports, type ApacheStage, type StageOptions } from './support/stage.js';

interface Way extends StageOptions {
  readonly request?: Partial<HttpRequestOptions>;
  readonly apache?: ApacheOptions;
}

async function through(stage: ApacheStage, listener: RequestListener, way: Way = {}): Promise<HttpResponse> {
  const { request, apache, ...options } = way;
  const { address } = await stage.serve(listener, options);
  const { origin } = await stage.apache({ to: address, ...apache });
  return httpRequest({ origin, ...request });
}

/** All values of a field, each as its own line had it. */
function linesOf({ rawHeaders }: HttpResponse, name: string): string[] {
  return rawHeaders.filter((_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === name);
}

describeWith('apache', 'a response through Apache', () => {
  describe.each(transports)('over %s', (over) => {
    test('keeps its status, its reason and its body', async ({ stage }) => {
      const listener: RequestListener = (_, response) => void response.writeHead(404, 'Gone Fishing').end('no');
      expect(await through(stage, listener, { over })).toMatchObject({
        status: 404,
        reason: 'Gone Fishing',
        text: 'no',
      });
    });

    test.for([
      { method: 'HEAD', status: 200, length: '5' },
      { method: 'GET', status: 204, length: undefined },
      { method: 'GET', status: 304, length: undefined },
    ])('to $method with status $status is over after its head', async ({ method, status, length }, { stage }) => {
      const listener: RequestListener = (_, response) => {
        response.writeHead(status, { 'Content-Length': 5, ETag: '"1"' }).end('hello');
      };
      const answer = await through(stage, listener, { over, request: { method } });
      expect(answer).toMatchObject({ status, text: '' });
      expect(answer.headers['content-length']).toBe(length);
      expect(answer.headers.etag).toBe('"1"');
    });
  });

  test.for([200, 201, 206, 299, 400, 401, 409, 418, 500, 502, 503, 599])(
    'may have status %i',
    async (status, { stage }) => {
      const answer = await through(stage, (_, response) => void response.writeHead(status).end('own words'));
      expect(answer).toMatchObject({ status, text: 'own words' });
    },
  );

  test('keeps each Set-Cookie on a line of its own, and joins other fields that repeat', async ({ stage }) => {
    const cookies = Array.from({ length: 20 }, (_, index) => `c${index}=${index}; Path=/`);
    const answer = await through(stage, (_, response) => {
      response.setHeader('Set-Cookie', cookies).setHeader('Link', ['</a>', '</b>']).setHeader('Vary', ['A', 'B']).end();
    });
    expect(linesOf(answer, 'set-cookie')).toEqual(cookies);
    expect(answer.headers.link).toBe('</a>, </b>');
    expect(answer.headers.vary).toMatch(/^A, ?B$/);
  });

  test('keeps octets that are not ASCII, and empty values', async ({ stage }) => {
    const answer = await through(stage, (_, response) => {
      response.setHeader('X-Latin', 'caf\xe9').setHeader('X-Empty', '').end();
    });
    expect(answer.headers).toMatchObject({ 'x-latin': 'caf\xe9', 'x-empty': '' });
  });

  test('has one Date, by Apache or else by the application', async ({ stage }) => {
    const byApache = await through(stage, (_, response) => void response.end());
    expect(linesOf(byApache, 'date')).toEqual([expect.stringMatching(/ GMT$/)]);
    const own = 'Thu, 01 Jan 1970 00:00:00 GMT';
    const byApp = await through(stage, (_, response) => void response.setHeader('Date', own).end());
    expect(linesOf(byApp, 'date')).toEqual([own]);
  });

  test('has no fields of the connection between Apache and the application', async ({ stage }) => {
    const listener: RequestListener = (_, response) => {
      response.setHeader('Connection', 'close, X-Hop').setHeader('X-Hop', '1').setHeader('Keep-Alive', 'timeout=99');
      response.setHeader('Transfer-Encoding', 'chunked').write('one ');
      response.end('two');
    };
    const answer = await through(stage, listener);
    expect(answer.text).toBe('one two');
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(answer.headers['keep-alive']).not.toBe('timeout=99');
  });

  test('is one response, whatever the application says before it', async ({ stage }) => {
    const answer = await through(stage, (_, response) => {
      response.writeContinue();
      response.writeProcessing();
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(200, { Trailer: 'X-Trailer' });
      response.write('one ');
      response.addTrailers({ 'X-Trailer': 'lost' });
      response.end('two');
    });
    expect(answer).toMatchObject({ status: 200, text: 'one two' });
  });

  test('with a Location and its status is a redirect', async ({ stage }) => {
    const answer = await through(stage, (_, response) => void response.writeHead(302, { Location: '/x' }).end());
    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe('/x');
  });

  test('to a conditional request is the decision of the application', async ({ stage }) => {
    const listener: RequestListener = (_, response) => void response.setHeader('ETag', '"1"').end('sent anyway');
    const request = { headers: { 'If-None-Match': '"1"' } };
    expect(await through(stage, listener, { request })).toMatchObject({ status: 200, text: 'sent anyway' });
  });

  test('to a Range request is the decision of the application', async ({ stage }) => {
    const listener: RequestListener = (_, response) => void response.end('0123456789');
    const request = { headers: { Range: 'bytes=2-4' } };
    expect(await through(stage, listener, { request })).toMatchObject({ status: 200, text: '0123456789' });
  });

  test('for an HTTP/1.0 client ends with the connection', async ({ stage }) => {
    const { address } = await stage.serve((_, response) => {
      response.write('in ');
      setImmediate(() => response.end('parts'));
    });
    const { port } = await stage.apache({ to: address });
    const answer = (await rawExchange(`127.0.0.1:${port}`, 'GET / HTTP/1.0\r\n\r\n')).toString();
    expect(answer).not.toMatch(/transfer-encoding/i);
    expect(answer).toMatch(/\r\n\r\nin parts$/);
  });
});

describeWith('apache', 'the length of a response through Apache', () => {
  /** States a length, and ends only after it is known that the head went out alone. */
  const inParts: RequestListener = (_, response) => {
    response.setHeader('Content-Length', '8').write('in ');
    setImmediate(() => response.end('parts'));
  };

  test.for(transports)('arrives with ap_trust_cgilike_cl over %s', async (over, { stage }) => {
    const answer = await through(stage, inParts, { over });
    expect(answer.text).toBe('in parts');
    expect(answer.headers['content-length']).toBe('8');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
  });

  test('of one to HEAD is dropped without it', async ({ stage }) => {
    const way = { request: { method: 'HEAD' }, apache: { trustLength: false } };
    const answer = await through(stage, (_, response) => void response.setHeader('Content-Length', '5').end(), way);
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  test('that has none is chunked, or counted by Apache where all was there at once', async ({ stage }) => {
    const answer = await through(stage, (_, response) => {
      response.write('in ');
      setImmediate(() => response.end('parts'));
    });
    expect(answer.text).toBe('in parts');
  });
});

describeWith('apache', 'the head of a response through Apache', () => {
  test('may have many lines, and 12 KB in all', async ({ stage }) => {
    const value = 'v'.repeat(8_000);
    const answer = await through(stage, (_, response) => {
      response.setHeader('X-Large', value);
      for (let index = 0; index < 200; index += 1) response.setHeader(`X-${index}`, 'v'.repeat(10));
      response.end('ok');
    });
    expect(answer).toMatchObject({ status: 200, text: 'ok' });
    expect(answer.headers).toMatchObject({ 'x-large': value, 'x-199': 'vvvvvvvvvv' });
  });

  // Apache has no directive for it: each line must fit with its CR and LF into 8,191 bytes.
  test.for([
    { bytes: 8_189, status: 200 },
    { bytes: 8_190, status: 500 },
  ])('with a line of $bytes bytes before its CRLF is answered with $status', async ({ bytes, status }, { stage }) => {
    const { address } = await stage.serve((_, response) => {
      response.setHeader('X-Long', 'v'.repeat(bytes - 'X-Long: '.length)).end('ok');
    });
    const { origin, errorLog } = await stage.apache({ to: address });
    expect((await httpRequest({ origin })).status).toBe(status);
    expect(errorLog().includes('Premature end of script headers')).toBe(status === 500);
  });
});

describeWith('apache', 'X-Sendfile through Apache', () => {
  interface Asked {
    readonly answer: HttpResponse;
    readonly file: string;
  }
  const ask = async (stage: ApacheStage, listener: RequestListener, directives: string[]): Promise<Asked> => {
    const { address } = await stage.serve(listener);
    const { origin, documentRoot } = await stage.apache({ to: address, serverDirectives: directives });
    const file = join(documentRoot, 'report.txt');
    writeFileSync(file, 'the file', { mode: 0o644 });
    return { answer: await httpRequest({ origin, headers: { 'X-File': file } }), file };
  };
  const on = 'ProxySCGISendfile On';

  test('is understood by mod_proxy_scgi itself; the application must not state a length of its own', async ({
    stage,
  }) => {
    const { answer } = await ask(
      stage,
      (request, response) => {
        response.setHeader('Content-Type', 'text/x').setHeader('X-Sendfile', String(request.headers['x-file']));
        response.flushHeaders(); // Now the length is not known yet, so it is not stated.
        response.end();
      },
      [on],
    );
    expect(answer).toMatchObject({ status: 200, text: 'the file', headers: { 'content-type': 'text/x' } });
    expect(answer.headers).not.toHaveProperty('x-sendfile');
  });

  const brief: RequestListener = (request, response) => {
    response.setHeader('X-Sendfile', String(request.headers['x-file'])).end();
  };

  test('loses to a stated length, here of zero, where ap_trust_cgilike_cl is set', async ({ stage }) => {
    expect((await ask(stage, brief, [on])).answer).toMatchObject({ status: 200, text: '' });
    const { answer } = await ask(stage, brief, [on, 'SetEnvIf Request_URI . !ap_trust_cgilike_cl']);
    expect(answer).toMatchObject({ status: 200, text: 'the file' });
  });

  test('shows the client a path of the server where it is off', async ({ stage }) => {
    const { answer, file } = await ask(stage, brief, []);
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'x-sendfile': file } });
  });
});
