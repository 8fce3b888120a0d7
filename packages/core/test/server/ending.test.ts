// How a connection ends: half-close, aborts, linger, breaking off. The peer must be able to tell a whole response
// from a broken one, and must never lose a whole one to a reset.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { connect, ending, exchange, head, turns, within } from '../support/raw-client.js';
import { tcpServer, unixServer } from '../support/servers.js';

describe('EOF behind a complete request', () => {
  it('carries on when it arrives together with the last byte', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('late'), 100));
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end(head());
    expect((await end).text).toMatch(/late$/);
  });

  it('carries on when it arrives together with the last byte of a body', async () => {
    const server = await tcpServer((req, res) => {
      req.resume().on('end', () => setTimeout(() => res.end('late'), 100));
    });
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.write(head({ CONTENT_LENGTH: '3' }));
    await turns(10);
    socket.end('abc');
    expect((await end).text).toMatch(/late$/);
  });

  it('waits no longer than idleTimeout for an application that then writes nothing', async () => {
    const server = await tcpServer(() => {}, { idleTimeout: 100 });
    const failed = once(server, 'clientError');
    const socket = await connect(server.address());
    socket.end(head());
    const [error] = await within('the time-out', failed);
    expect(error).toMatchObject({ code: 'ERR_SCGI_IDLE_TIMEOUT' });
    socket.destroy();
  });

  it('lets an application write to a half-closed peer for longer than idleTimeout', async () => {
    const server = await tcpServer(
      (_req, res) => {
        let ticks = 0;
        const timer = setInterval(() => {
          if ((ticks += 1) === 8) clearInterval(timer);
          if (ticks === 8) res.end('last');
          else res.write('tick');
        }, 40);
      },
      { idleTimeout: 200 },
    );
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end(head());
    expect((await end).text).toMatch(/last$/);
  });

  it('aborts the request when it comes later', async () => {
    const server = await tcpServer(() => {});
    const socket = await connect(server.address());
    const requested = once(server, 'request');
    socket.write(head());
    const [request, response] = (await within('the request', requested)) as [IncomingMessage, ServerResponse];
    await turns(10);
    const closed = once(response, 'close');
    socket.end();
    await within('the abort', closed);
    expect(request.aborted).toBe(true);
    expect(response.writableFinished).toBe(false);
  });

  it('never aborts with halfOpen allow', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('late'), 150), { halfOpen: 'allow' });
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.write(head());
    await within('the request', once(server, 'request'));
    await turns(10);
    socket.end();
    expect((await end).text).toMatch(/late$/);
  });

  it('always aborts with halfOpen abort', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('late'), 100), { halfOpen: 'abort' });
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end(head());
    expect((await end).text).toBe('');
  });

  it('obeys httpAllowHalfOpen, as over HTTP', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('late'), 100), { halfOpen: 'abort' });
    Object.assign(server, { httpAllowHalfOpen: true });
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.end(head());
    expect((await end).text).toMatch(/late$/);
  });
});

describe('EOF inside a request', () => {
  it('aborts the request with ECONNRESET, as over HTTP', async () => {
    const server = await tcpServer((req) => req.resume());
    const socket = await connect(server.address());
    const requested = once(server, 'request');
    socket.write(`${head({ CONTENT_LENGTH: '10' })}12345`);
    const [request] = (await within('the request', requested)) as [IncomingMessage];
    const failed = once(request, 'error');
    socket.end();
    const [error] = await within('the abort', failed);
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'aborted' });
    expect(request.complete).toBe(false);
  });
});

describe('a response before the request is read', () => {
  const size = 20_000_000;

  it.each(['tcp', 'unix'])('reaches a peer over %s that reads only after its whole body is sent', async (kind) => {
    const start = kind === 'tcp' ? tcpServer : unixServer;
    const server = await start((_req, res) => res.writeHead(413).end('too much'));
    const socket = await connect(server.address());
    socket.pause();
    const end = ending(socket);
    socket.pause();
    socket.write(head({ CONTENT_LENGTH: String(size) }));
    socket.write(Buffer.alloc(size), () => socket.resume());
    expect(await end).toMatchObject({ text: expect.stringMatching(/^Status: 413 [\s\S]*too much$/), by: 'fin' });
  });

  it('stops reading after lingerBytes', async () => {
    const server = await tcpServer((_req, res) => res.end('ok'), { lingerBytes: 1_000_000 });
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.write(head({ CONTENT_LENGTH: '1000000000' }));
    socket.on('drain', fill);
    fill();
    await end;
    expect(socket.bytesWritten).toBeLessThan(40_000_000);

    function fill(): void {
      while (!socket.destroyed && socket.bytesWritten < 40_000_000 && socket.write(Buffer.alloc(65_536)));
    }
  });

  it('stops waiting for a silent peer after lingerTimeout', async () => {
    const server = await tcpServer((_req, res) => res.end('ok'), { lingerTimeout: 100 });
    const closed = once(server, 'connection').then(([accepted]) => once(accepted, 'close'));
    const socket = await connect(server.address());
    socket.write(`${head({ CONTENT_LENGTH: '100' })}1`);
    await within('the close', closed);
    socket.destroy();
  });

  it('stops waiting for an application that paused the body when it answered', async () => {
    const server = await tcpServer((req, res) => void (req.once('data', () => req.pause()), res.end('ok')), {
      lingerTimeout: 100,
    });
    const closed = once(server, 'connection').then(([accepted]) => once(accepted, 'close'));
    const socket = await connect(server.address());
    socket.resume();
    socket.on('error', () => {});
    socket.write(head({ CONTENT_LENGTH: '3000000' }));
    socket.write(Buffer.alloc(3_000_000));
    await within('the close', closed);
    socket.destroy();
  });

  it('lets an application that still reads have the rest of the body', async () => {
    let got = 0;
    const server = await tcpServer((req, res) => {
      req.on('data', (chunk: Buffer) => (got += chunk.length));
      res.end('early');
    });
    const closed = once(server, 'connection').then(([accepted]) => once(accepted, 'close'));
    const socket = await connect(server.address());
    socket.resume();
    socket.write(`${head({ CONTENT_LENGTH: '10' })}12345`);
    await within('the end of the response', once(socket, 'end'));
    socket.write('67890');
    await within('the close', closed);
    expect(got).toBe(10);
    socket.destroy();
  });
});

describe('a response that breaks', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['res.destroy()', (res) => void res.destroy()],
    ['socket.destroy(), as Express does', (res) => void res.socket?.destroy()],
    ['too few bytes for its Content-Length', (res) => void res.end()],
  ])('resets a TCP connection on %s', async (_name, breakOff) => {
    const server = await tcpServer((_req, res) => {
      res.writeHead(200, { 'content-length': '10' });
      res.write('half');
    });
    const requested = once(server, 'request');
    const socket = await connect(server.address());
    const end = ending(socket);
    // libuv takes a reset that arrives with data for an EOF, so the client must have read what came before.
    const begun = once(socket, 'data');
    socket.write(head());
    const [, response] = (await within('the request', requested)) as [IncomingMessage, ServerResponse];
    await within('the first bytes', begun);
    breakOff(response);
    expect((await end).by).toBe('reset');
  });

  it('closes a Unix socket, which has no reset, with the Content-Length unmet', async () => {
    const server = await unixServer((_req, res) => {
      res.writeHead(200, { 'content-length': '10' });
      res.write('half', () => res.destroy());
    });
    const answer = await exchange(server.address(), head());
    expect(answer.text).toMatch(/content-length: 10\r\n\r\nhalf$/);
  });

  it('does not reset a response that is whole when the socket is destroyed right behind it', async () => {
    const server = await tcpServer((req, res) => {
      res.end('whole');
      req.socket.destroy();
    });
    expect(await exchange(server.address(), head())).toMatchObject({
      text: expect.stringMatching(/whole$/),
      by: 'fin',
    });
  });
});

describe('back-pressure', () => {
  it('does not read a body that the application does not take', async () => {
    const server = await tcpServer(() => {});
    const accepted = once(server, 'connection');
    const socket = await connect(server.address());
    socket.write(head({ CONTENT_LENGTH: '50000000' }));
    socket.write(Buffer.alloc(50_000_000));
    const [peer] = await within('the connection', accepted);
    await turns(200);
    expect(peer.bytesRead).toBeLessThan(1_000_000);
    socket.destroy();
  });

  it('takes the body in up to a bound while the response is blocked, since Apache sends all before it reads', async () => {
    const size = 900_000;
    const server = await tcpServer((req, res) => {
      res.write(Buffer.alloc(8_000_000), () => req.pipe(res));
    });
    const socket = await connect(server.address());
    socket.pause();
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.pause();
    socket.write(head({ CONTENT_LENGTH: String(size) }));
    socket.write(Buffer.alloc(size), () => socket.resume());
    await within('the end', once(socket, 'end'));
    expect(received).toBeGreaterThan(8_000_000 + size);
    socket.destroy();
  });

  it('discards what exceeds that bound of a body that nobody reads behind a response that is all given', async () => {
    const size = 8_000_000;
    const server = await tcpServer((_req, res) => void res.end(Buffer.alloc(size)));
    const socket = await connect(server.address());
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length)).pause();
    socket.write(head({ CONTENT_LENGTH: String(size) }));
    socket.write(Buffer.alloc(size), () => socket.resume());
    await within('the end', once(socket, 'end'));
    expect(received).toBeGreaterThan(size);
    socket.destroy();
  });
});

describe('closing the server', () => {
  it('closes connections on which nothing arrived, and lets the others finish', async () => {
    const server = await tcpServer((_req, res) => void setTimeout(() => res.end('done'), 100));
    const idle = await connect(server.address());
    const idleEnd = ending(idle);
    const busy = exchange(server.address(), head());
    await within('the request', once(server, 'request'));
    const closed = once(server, 'close');
    server.close();
    expect((await idleEnd).text).toBe('');
    expect((await busy).text).toMatch(/done$/);
    await within('the close', closed);
  });

  it('breaks every connection off with closeAllConnections', async () => {
    const server = await tcpServer((_req, res) => void res.write('half'));
    const busy = exchange(server.address(), head());
    await within('the request', once(server, 'request'));
    server.closeAllConnections();
    await busy;
    expect(server.connectionCount).toBe(0);
  });
});
