// A robust SCGI server, points 6 to 13: what responses look like. At the socket where the bytes are the point, behind
// nginx where it is what becomes of them.

import { rawRequest, type RawResponse } from '@scgi/testing';
import type { RequestListener } from 'node:http';
import { describe, expect } from 'vitest';
import { describeWith } from '../../support/front-ends.js';
import { httpRequest, openRequest, type HttpRequestOptions, type HttpResponse } from '../../support/http-client.js';
import { ScgiClient, scgiHead } from '../support/scgi-client.js';
import { test, type Stage, type StageOptions } from '../support/stage.js';

/** What a listener puts on the wire for a GET. */
async function raw(stage: Stage, listener: RequestListener, method = 'GET'): Promise<RawResponse & { text: string }> {
  const { address } = await stage.serve(listener);
  const answer = await rawRequest(address, scgiHead({ REQUEST_METHOD: method }), { method });
  return { ...answer, text: answer.bytes.toString('latin1') };
}

/** What a client of nginx gets of it. */
async function viaNginx(
  stage: Stage,
  listener: RequestListener,
  request: Partial<HttpRequestOptions> = {},
  directives: readonly string[] = [],
): Promise<HttpResponse> {
  const { address } = await stage.serve(listener);
  const { origin } = await stage.nginx({ to: address, directives });
  return httpRequest({ origin, ...request });
}

describe('point 6: the head', () => {
  test('point 6: begins with the status, has lines that end in CRLF, and comes in one piece with a small body', async ({
    stage,
  }) => {
    const { address } = await stage.serve((_, response) => void response.setHeader('X-A', 'b').end('hi'));
    const client = await ScgiClient.connect(address);
    const pieces: string[] = [];
    client.socket.on('data', (piece: string) => pieces.push(piece));
    client.send(scgiHead());
    await client.ending();
    expect(pieces).toEqual(['Status: 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\nhi']);
  });

  test.for([204, 404, 299, 599])('point 6: has a reason for status %i', async (status, { stage }) => {
    const { text } = await raw(stage, (_, response) => void response.writeHead(status).end());
    expect(text).toMatch(new RegExp(`^Status: ${status} \\S.*\\r\\n`));
  });

  describeWith('nginx', 'through nginx', () => {
    test('point 6: keeps the reason of the application', async ({ stage }) => {
      const answer = await viaNginx(stage, (_, response) => void response.writeHead(404, 'Gone Fishing').end());
      expect(answer).toMatchObject({ status: 404, reason: 'Gone Fishing' });
    });
  });
});

describe('point 7: fields', () => {
  test('point 7: of the connection stay with the application', async ({ stage }) => {
    const { fields } = await raw(stage, (_, response) => {
      response.setHeaders(
        new Map([
          ['Keep-Alive', 'timeout=5'],
          ['TE', 'trailers'],
          ['Upgrade', 'h2c'],
        ]),
      );
      response.setHeader('Connection', 'close, X-Hop').setHeader('X-Hop', '1').setHeader('X-Kept', '2');
      response.setHeader('Proxy-Connection', 'close').end();
    });
    expect(fields).toEqual(['X-Kept', '2', 'Content-Length', '0']);
  });

  test.for(['a\r\nX-Split: 1', 'a\nb', 'a\0b'])(
    'point 7: cannot be split by the value %j',
    async (value, { stage }) => {
      const { text } = await raw(stage, (_, response) => {
        expect(() => response.setHeader('X-A', value)).toThrow('Invalid character');
        expect(() => response.setHeader('X A', 'b')).toThrow('valid HTTP token');
        response.end();
      });
      expect(text).toBe('Status: 200 OK\r\nContent-Length: 0\r\n\r\n');
    },
  );
});

describe('point 8: the length', () => {
  test('point 8: is stated when the body is given in one piece', async ({ stage }) => {
    const { fields } = await raw(stage, (_, response) => void response.end('käse'));
    expect(fields).toEqual(['Content-Length', '5']);
  });

  test('point 8: is not stated when the body comes in parts', async ({ stage }) => {
    const { text } = await raw(stage, (_, response) => {
      response.write('in ');
      setImmediate(() => response.end('parts'));
    });
    expect(text).toBe('Status: 200 OK\r\n\r\nin parts');
  });

  test('point 8: that the body falls short of is a broken connection', async ({ stage }) => {
    let finish = (): void => {};
    const listener: RequestListener = (_, response) => {
      response.setHeader('Content-Length', '10').write('short');
      finish = () => void response.end();
    };
    const { address } = await stage.serve(listener, { over: 'tcp' });
    const client = await ScgiClient.connect(address);
    client.send(scgiHead());
    await client.saw('short');
    finish();
    expect(await client.ending()).toBe('reset');
  });

  describeWith('nginx', 'through nginx', () => {
    test.for([
      { over: 'tcp', buffering: true },
      { over: 'tcp', buffering: false },
      { over: 'unix', buffering: true },
      { over: 'unix', buffering: false },
    ] as const)(
      'point 8: that the body falls short of shows over $over with buffering $buffering',
      async ({ over, buffering }, { stage }) => {
        const { address } = await stage.serve(
          (_, response) => void response.setHeader('Content-Length', '10').end('short'),
          { over },
        );
        const { origin } = await stage.nginx({ to: address, buffering });
        await expect(httpRequest({ origin })).rejects.toThrow();
      },
    );
  });
});

describe('point 9: what HTTP has and CGI has not', () => {
  const listener: RequestListener = (_, response) => {
    response.writeContinue();
    response.writeProcessing();
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeHead(200, { 'Transfer-Encoding': 'chunked', Trailer: 'X-Trailer' });
    response.write('one ');
    response.addTrailers({ 'X-Trailer': 'lost' });
    response.end('two');
  };

  test('point 9: interim responses, chunks and trailers stay off the wire', async ({ stage }) => {
    expect((await raw(stage, listener)).text).toBe('Status: 200 OK\r\n\r\none two');
  });

  describeWith('nginx', 'through nginx', () => {
    test('point 9: a client gets one response and its body', async ({ stage }) => {
      expect(await viaNginx(stage, listener)).toMatchObject({ status: 200, text: 'one two' });
    });
  });
});

describe('point 10: responses without a body', () => {
  const cases = [
    { method: 'HEAD', status: 200, fields: ['Content-Length', '5'] },
    { method: 'GET', status: 204, fields: [] },
    { method: 'GET', status: 304, fields: ['Content-Length', '5'] },
  ];

  test.for(cases)('point 10: $method answered with $status has none', async ({ method, status, fields }, { stage }) => {
    const answer = await raw(
      stage,
      (_, response) => void response.writeHead(status, { 'Content-Length': 5 }).end('hello'),
      method,
    );
    expect(answer.text).toMatch(/\r\n\r\n$/);
    expect(answer.fields).toEqual(fields);
  });

  describeWith('nginx', 'through nginx', () => {
    test.for(cases)(
      'point 10: $method answered with $status is over at once',
      async ({ method, status }, { stage }) => {
        const answer = await viaNginx(
          stage,
          (_, response) => void response.writeHead(status, { 'Content-Length': 5 }).end('hello'),
          { method },
        );
        expect(answer).toMatchObject({ status, text: '' });
      },
    );
  });
});

describeWith('nginx', 'point 11: what nginx adds and bears', () => {
  test('point 11: there is one Date, by nginx or else by the application', async ({ stage }) => {
    const dates = ({ rawHeaders }: HttpResponse): string[] => rawHeaders.filter((_, at, all) => all[at - 1] === 'Date');
    const byNginx = await viaNginx(stage, (_, response) => void response.end());
    expect(dates(byNginx)).toEqual([expect.stringMatching(/ GMT$/)]);
    const own = 'Thu, 01 Jan 1970 00:00:00 GMT';
    const byApp = await viaNginx(stage, (_, response) => void response.setHeader('Date', own).end());
    expect(dates(byApp)).toEqual([own]);
  });

  test('point 11: a head of 6 KB needs a larger scgi_buffer_size', async ({ stage }) => {
    const listener: RequestListener = (_, response) => void response.setHeader('X-Large', 'v'.repeat(6_000)).end('ok');
    expect((await viaNginx(stage, listener)).status).toBe(502);
    const larger = ['scgi_buffer_size 32k;', 'scgi_buffers 8 32k;'];
    expect(await viaNginx(stage, listener, {}, larger)).toMatchObject({ status: 200, text: 'ok' });
  });
});

describe('point 12: the first bytes', () => {
  test('point 12: leave with flushHeaders', async ({ stage }) => {
    const { address } = await stage.serve((_, response) => response.setHeader('X-A', 'b').flushHeaders());
    const client = await ScgiClient.connect(address);
    client.send(scgiHead());
    await client.saw('Status: 200 OK\r\nX-A: b\r\n\r\n');
    client.socket.destroy();
  });

  test.for<{ options: StageOptions; own: string | undefined; sent: string[] }>([
    { options: {}, own: undefined, sent: ['X-Accel-Buffering', 'no'] },
    { options: {}, own: 'yes', sent: ['X-Accel-Buffering', 'yes'] },
    { options: { unbufferedEvents: false }, own: undefined, sent: [] },
  ])(
    'point 12: event streams with $options and a field $own of the application ask for $sent',
    async ({ options, own, sent }, { stage }) => {
      const { address } = await stage.serve((_, response) => {
        if (own !== undefined) response.setHeader('X-Accel-Buffering', own);
        response.setHeader('Content-Type', 'text/event-stream').end();
      }, options);
      const { fields } = await rawRequest(address, scgiHead());
      const at = fields.indexOf('X-Accel-Buffering');
      expect(at === -1 ? [] : fields.slice(at, at + 2)).toEqual(sent);
    },
  );

  describeWith('nginx', 'through nginx', () => {
    test('point 12: of an event stream reach the client while nginx buffers responses', async ({ stage }) => {
      const { address } = await stage.serve((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      });
      const { origin } = await stage.nginx({ to: address });
      const { response, abort } = await openRequest({ origin });
      expect(response.headers['content-type']).toBe('text/event-stream');
      abort();
    });
  });
});

describe('point 13: redirects', () => {
  const listener: RequestListener = (request, response) => {
    response.writeHead(request.url === '/301' ? 301 : 200, { Location: '/elsewhere' }).end('here');
  };

  test('point 13: state their status', async ({ stage }) => {
    const { address } = await stage.serve(listener);
    const answer = await rawRequest(address, scgiHead({ REQUEST_URI: '/301' }));
    expect(answer.bytes.toString()).toMatch(/^Status: 301 Moved Permanently\r\nLocation: \/elsewhere\r\n/);
  });

  describeWith('nginx', 'through nginx', () => {
    test('point 13: are what the application says, and a Location alone is none', async ({ stage }) => {
      const { address } = await stage.serve(listener);
      const { origin } = await stage.nginx({ to: address });
      expect((await httpRequest({ origin, path: '/301' })).status).toBe(301);
      expect(await httpRequest({ origin, path: '/200' })).toMatchObject({ status: 200, text: 'here' });
    });
  });
});
