// What arrives at the socket: bad input, silence, early ends. Every connection gets an answer or a close in time.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connect, ending, exchange, head, within } from '../support/raw-client.js';
import { tcpServer } from '../support/servers.js';

const neverCalled = (): never => {
  throw new Error('the application was called');
};

describe('input that is no SCGI request', () => {
  it('tells an HTTP client in HTTP that this port speaks SCGI', async () => {
    const server = await tcpServer(neverCalled);
    const answer = await exchange(server.address(), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.text).toContain('this port speaks SCGI, not HTTP');
    expect(answer.by).toBe('fin');
  });

  it.each([
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01', 'ERR_SCGI_TLS'],
    ['garbage', '\xff\xfe\x00', 'ERR_SCGI_NETSTRING_LENGTH'],
    ['an oversized head', '999999:', 'ERR_SCGI_HEAD_TOO_LARGE'],
    ['a head without SCGI', '19:CONTENT_LENGTH\x000\x00a\x00,', 'ERR_SCGI_HEAD_ODD_STRINGS'],
    ['a bad method', head({ REQUEST_METHOD: 'G T' }), 'ERR_SCGI_REQUEST_METHOD'],
    ['CONNECT', head({ REQUEST_METHOD: 'CONNECT', REQUEST_URI: 'example.com:443' }), 'ERR_SCGI_REQUEST_METHOD'],
    ['a header that would split the request', head({ HTTP_X: 'a\r\nb: c' }), 'ERR_SCGI_REQUEST_FIELD'],
  ])('answers %s with the code of the fault', async (_name, bytes, code) => {
    const server = await tcpServer(neverCalled);
    const answer = await exchange(server.address(), bytes);
    expect(answer.text).toMatch(/^Status: 4\d\d /);
    expect(answer.text).toContain(code);
    expect(answer.by).toBe('fin');
  });

  it('quotes nothing of the request in the answer', async () => {
    const server = await tcpServer(neverCalled);
    const answer = await exchange(server.address(), head({ REQUEST_METHOD: 'G\xc9T' }));
    expect(answer.text).not.toContain('\xc9');
    const [, length, body] = /content-length: (\d+)\r\n\r\n([\s\S]*)$/.exec(answer.text) ?? [];
    expect(body).toHaveLength(Number(length));
  });

  it('hands the error and the socket to clientError and then leaves the answer to it', async () => {
    const server = await tcpServer(neverCalled);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => socket.end(`mine: ${error.code}`));
    const answer = await exchange(server.address(), 'x');
    expect(answer.text).toBe('mine: ERR_SCGI_PLAIN_HTTP');
  });

  it('reports one fault once, however much follows and however long the listener takes', async () => {
    const server = await tcpServer(neverCalled, { headersTimeout: 50 });
    const codes: unknown[] = [];
    server.on('clientError', (error: NodeJS.ErrnoException) => codes.push(error.code));
    const socket = await connect(server.address());
    socket.write('x');
    await within('the fault', once(server, 'clientError'));
    for (let chunk = 0; chunk < 3; chunk += 1) {
      socket.write('more');
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(codes).toEqual(['ERR_SCGI_PLAIN_HTTP']);
    socket.destroy();
  });

  it('closes a connection on which nothing was sent without an error', async () => {
    const server = await tcpServer(neverCalled);
    server.on('clientError', neverCalled);
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end();
    expect(await end).toEqual({ text: '', by: 'fin' });
  });

  it('answers an EOF inside the head', async () => {
    const server = await tcpServer(neverCalled);
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end('24:CONTENT');
    expect((await end).text).toContain('ERR_SCGI_PREMATURE_EOF');
  });

  it('ignores bytes behind the body', async () => {
    const server = await tcpServer((_req, res) => res.end('ok'));
    const answer = await exchange(server.address(), `${head({ CONTENT_LENGTH: '2' })}ab${'junk'.repeat(1000)}`);
    expect(answer.text).toMatch(/ok$/);
    expect(answer.by).toBe('fin');
  });
});

describe('deadlines', () => {
  it('answers 408 when the head is not complete within headersTimeout', async () => {
    const server = await tcpServer(neverCalled, { headersTimeout: 100 });
    const answer = await exchange(server.address(), '24:CONTENT');
    expect(answer.text).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_HEAD_TIMEOUT/);
  });

  it('answers a connection that never sends a byte within headersTimeout', async () => {
    const server = await tcpServer(neverCalled, { headersTimeout: 100 });
    expect((await exchange(server.address(), '')).text).toContain('ERR_SCGI_HEAD_TIMEOUT');
  });

  it('answers 408 and aborts the request when the body is not complete within requestTimeout', async () => {
    let aborted: Promise<unknown> | undefined;
    const server = await tcpServer((_req, res) => (aborted = once(res, 'close')), {
      requestTimeout: 100,
      headersTimeout: 100,
    });
    const answer = await exchange(server.address(), `${head({ CONTENT_LENGTH: '10' })}12345`);
    expect(answer.text).toMatch(/^Status: 408 [\s\S]*ERR_SCGI_REQUEST_TIMEOUT/);
    await within('the abort', aborted ?? Promise.reject(new Error('not called')));
  });

  it('answers 408 when no body byte arrives within idleTimeout', async () => {
    const server = await tcpServer((req) => req.resume(), { idleTimeout: 100 });
    const answer = await exchange(server.address(), `${head({ CONTENT_LENGTH: '10' })}12345`);
    expect(answer.text).toContain('ERR_SCGI_IDLE_TIMEOUT');
  });

  it('breaks off a response that the peer takes nothing of for idleTimeout', async () => {
    const server = await tcpServer((_req, res) => res.end(Buffer.alloc(50_000_000)), { idleTimeout: 200 });
    const socket = await connect(server.address());
    const failed = once(server, 'clientError');
    socket.pause();
    socket.write(head());
    const [error] = await within('the time-out', failed);
    expect(error).toMatchObject({ code: 'ERR_SCGI_IDLE_TIMEOUT' });
    socket.destroy();
  });

  it('lets a slow application think longer than idleTimeout', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('thought'), 250), { idleTimeout: 50 });
    expect((await exchange(server.address(), head())).text).toMatch(/thought$/);
  });

  it('does not count the time in which the application does not read the body', async () => {
    const server = await tcpServer(
      (req, res) => {
        setTimeout(() => req.resume().on('end', () => res.end('read')), 300);
      },
      { idleTimeout: 60 },
    );
    const body = 'x'.repeat(300_000);
    const answer = await exchange(server.address(), head({ CONTENT_LENGTH: String(body.length) }) + body);
    expect(answer.text).toMatch(/read$/);
  });
});
