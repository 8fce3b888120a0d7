// A robust SCGI server, points 1 to 5: how requests are taken. Against nginx where a front end has a say in it, else
// at the socket.

import { rawRequest } from '@scgi/testing';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { until, within } from '../../support/deadline.js';
import { describeWith } from '../../support/front-ends.js';
import { httpRequest } from '../../support/http-client.js';
import { ScgiClient, scgiHead } from '../support/scgi-client.js';
import { test, transports } from '../support/stage.js';
import { Witness } from '../support/witness.js';

/** Answers with what the application got. */
async function mirror(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, httpVersion, headers, rawHeaders } = request;
  const body = Buffer.concat(await request.toArray()).toString('latin1');
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method, url, httpVersion, headers, rawHeaders, body, env: request.scgi.env }));
}

describe('point 1: the request head', () => {
  test('point 1: is read from single bytes, in any order, and CGI names in any case', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const payload = 'request_uri\0/x\0Http_X_Case\0kept\0CONTENT_LENGTH\0' + '3\0REQUEST_METHOD\0PUT\0SCGI\0' + '1\0';
    const bytes = [...`${payload.length}:${payload},abc`];
    const { status, body } = await rawRequest(address, bytes);
    expect(status).toBe(200);
    const seen = JSON.parse(body.toString());
    expect(seen).toMatchObject({ method: 'PUT', url: '/x', headers: { 'x-case': 'kept' }, body: 'abc' });
  });

  test('point 1: is bounded in size, before its bytes have come', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { maxHeadBytes: 1_000 });
    const client = await ScgiClient.connect(address);
    client.send('1001:CONTENT_LENGTH\0');
    expect(await client.ending()).toBe('fin');
    expect(client.received).toMatch(/^Status: 431 /);
  });

  test('point 1: is bounded in time', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { headersTimeout: 100 });
    const client = await ScgiClient.connect(address);
    client.send('70:CONTENT_LENGTH\0');
    expect(await client.ending()).toBe('fin');
    expect(client.received).toMatch(/^Status: 408 Request Timeout\r\n/);
  });

  test('point 1: is refused at its first wrong byte, and the application never sees it', async ({ stage }) => {
    const { address } = await stage.serve(() => expect.unreachable());
    const { status, bytes } = await rawRequest(address, '7:GARBAGE;');
    expect(status).toBe(400);
    expect(bytes.toString('latin1')).toMatch(/^Status: 400 Bad Request\r\n/);
  });

  describeWith('nginx', 'from nginx', () => {
    test.for(transports)('point 1: holds 200 fields of 100 bytes over %s', async (over, { stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const directives = ['large_client_header_buffers 8 32k;', 'client_header_buffer_size 32k;'];
      const { origin } = await stage.nginx({ to: address, serverDirectives: directives });
      const headers = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`X-${index}`, 'v'.repeat(100)]));
      const { headers: seen } = JSON.parse((await httpRequest({ origin, headers })).text);
      expect(Object.keys(seen).filter((name) => name.startsWith('x-'))).toHaveLength(200);
    });
  });
});

describe('point 2: the request body', () => {
  test('point 2: ends after its length, whatever follows', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const { body } = await rawRequest(address, `${scgiHead({ REQUEST_METHOD: 'POST' }, 5)}helloAND MORE`);
    expect(JSON.parse(body.toString()).body).toBe('hello');
  });

  test('point 2: that ends too early is an aborted request', async ({ stage }) => {
    const witnesses: Witness[] = [];
    const { address } = await stage.serve((request, response) => {
      witnesses.push(new Witness(request, response));
      request.resume();
    });
    const client = await ScgiClient.connect(address);
    client.send(`${scgiHead({ REQUEST_METHOD: 'POST' }, 5)}hell`);
    client.socket.end();
    await client.ending();
    await witnesses[0]?.closed(1_000);
    expect(witnesses[0]?.events).toContain('request error ECONNRESET');
    expect(witnesses[0]?.events).not.toContain('request end');
  });

  describeWith('nginx', 'from nginx', () => {
    test.for(transports)('point 2: that arrives in pieces is whole over %s', async (over, { stage }) => {
      const app = await stage.serve(mirror, { over });
      const nginx = await stage.nginx({ to: app.address, requestBuffering: false });
      const socket = connect(nginx.port, '127.0.0.1');
      socket.write('POST / HTTP/1.0\r\nContent-Length: 11\r\n\r\n');
      await until(() => app.server.connectionCount === 1, 5_000, 'the head at the application');
      socket.write('hello world');
      const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
      expect(answer).toContain('"body":"hello world"');
    });
  });
});

describe('point 3: the end of the client', () => {
  test.for(transports)(
    'point 3: that comes together with the request over %s leaves the response its way',
    async (over, { stage }) => {
      const { address } = await stage.serve(mirror, { over });
      const { status } = await rawRequest(address, scgiHead(), { halfClose: true });
      expect(status).toBe(200);
    },
  );

  test.for(transports)('point 3: that comes later over %s aborts the request', async (over, { stage }) => {
    const witnesses: Witness[] = [];
    const { address } = await stage.serve(
      (request, response) => {
        witnesses.push(new Witness(request, response));
        response.write('begun');
      },
      { over },
    );
    const client = await ScgiClient.connect(address);
    client.send(scgiHead());
    await client.saw('begun');
    client.socket.end();
    await until(() => witnesses.length === 1, 1_000, 'the request');
    await witnesses[0]?.closed(1_000);
    expect(witnesses[0]?.events).not.toContain('response finish');
  });
});

describeWith('nginx', 'point 4: fields of the connection', () => {
  test('point 4: an expectation is met by nginx and not heard of by the application', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const nginx = await stage.nginx({ to: address });
    const socket = connect(nginx.port, '127.0.0.1');
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
    );
    const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
    expect(answer.match(/HTTP\/1\.1 \d+ [^\r]+/g)).toEqual(['HTTP/1.1 100 Continue', 'HTTP/1.1 200 OK']);
    expect(answer).not.toContain('"expect"');
  });

  test('point 4: none of them reaches the application', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const { origin } = await stage.nginx({ to: address });
    const headers = {
      Connection: 'keep-alive, TE',
      'Keep-Alive': 'timeout=5',
      TE: 'trailers',
      Proxy: 'http://evil.test',
    };
    const { headers: seen, env } = JSON.parse((await httpRequest({ origin, headers, body: chunks() })).text);
    expect(env).toMatchObject({ HTTP_TRANSFER_ENCODING: 'chunked' });
    // nginx passes it on; a copy of the env must not choose the proxy of a child process.
    expect(env).not.toHaveProperty('HTTP_PROXY');
    expect(Object.keys(seen).toSorted()).toEqual(['content-length', 'host']);
    expect(seen['content-length']).toBe('6');
  });

  function* chunks(): Generator<Uint8Array> {
    yield Buffer.from('abc');
    yield Buffer.from('def');
  }
});

describeWith('nginx', 'point 5: the target', () => {
  const targets = ['/', '/a%2Fb', '/a//b/../c', '/%7Euser/%e2%98%95', '/x?', '/x?a=%20&b=+c', '/a;b=c,d'];

  test.for(targets)('point 5: %s arrives as it was sent', async (target, { stage }) => {
    const { address } = await stage.serve(mirror);
    const { origin } = await stage.nginx({ to: address });
    expect(JSON.parse((await httpRequest({ origin, path: target })).text).url).toBe(target);
  });

  test('point 5: stays what the client sent when nginx rewrites it', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const { origin } = await stage.nginx({ to: address, directives: ['rewrite ^/old(/.*)$ /new$1 break;'] });
    const { url, env } = JSON.parse((await httpRequest({ origin, path: '/old/%2F?q' })).text);
    expect(url).toBe('/old/%2F?q');
    expect(env.DOCUMENT_URI).toMatch(/^\/new\//);
  });

  test('point 5: is told from the prefix that the configuration names', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { basePath: '/app' });
    const { origin } = await stage.nginx({ path: '/app', to: address });
    expect(JSON.parse((await httpRequest({ origin, path: '/app/x?q' })).text).url).toBe('/x?q');
    expect((await httpRequest({ origin, path: '/application' })).status).toBe(404);
  });
});
