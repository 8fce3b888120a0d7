// WebSocket and the like: the socket goes to the application's `upgrade` listener as Node's HTTP server gives it.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ScgiServer } from '../../src/scgi-server.js';
import { connect, ending, exchange, head, within } from '../support/raw-client.js';
import { tcpServer, unixServer } from '../support/servers.js';

const handshake = { HTTP_UPGRADE: 'echo', HTTP_CONNECTION: 'Upgrade' };
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

function echo(server: ScgiServer): { requests: IncomingMessage[]; heads: Buffer[]; sockets: Socket[] } {
  const seen = { requests: [] as IncomingMessage[], heads: [] as Buffer[], sockets: [] as Socket[] };
  server.on('upgrade', (request: IncomingMessage, socket: Socket, first: Buffer) => {
    seen.requests.push(request);
    seen.heads.push(first);
    seen.sockets.push(socket);
    socket.write(switching);
    if (first.length > 0) socket.unshift(first);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  });
  return seen;
}

describe.each([
  ['TCP', tcpServer],
  ['a Unix socket', unixServer],
])('an upgrade over %s', (_name, create) => {
  it('hands the socket over, and both sides talk', async () => {
    const server = await create(() => {
      throw new Error('the request listener was called');
    });
    const seen = echo(server);
    const socket = await connect(server.address());
    const answer = ending(socket);
    socket.write(head(handshake));
    await within('the answer', once(socket, 'data'));
    for (const piece of ['one ', 'two ', 'x'.repeat(200_000)]) {
      socket.write(piece);
      await within('the echo', once(socket, 'data'));
    }
    socket.end('last');
    expect((await answer).text).toBe(`${switching}one two ${'x'.repeat(200_000)}last`);
    expect(seen.requests[0]).toMatchObject({ method: 'GET', upgrade: true, complete: true });
    expect(seen.requests[0]?.headers).toMatchObject({ upgrade: 'echo', connection: 'Upgrade' });
  });

  it('gives what came behind the request as the head', async () => {
    const server = await create(() => {});
    const seen = echo(server);
    const socket = await connect(server.address());
    const answer = ending(socket);
    socket.end(`${head(handshake)}early`);
    expect((await answer).text).toBe(`${switching}early`);
    expect(String(seen.heads[0])).toBe('early');
  });

  it('keeps what comes before the listener reads', async () => {
    const server = await create(() => {});
    const socket = await connect(server.address());
    const answer = ending(socket);
    const upgraded = once(server, 'upgrade');
    socket.write(head(handshake));
    const [, taken]: [IncomingMessage, Socket] = (await within('the upgrade', upgraded)) as [IncomingMessage, Socket];
    expect(taken.readableFlowing).toBe(null);
    socket.end('waiting');
    await within('the bytes', once(taken, 'readable'));
    expect(String(taken.read())).toBe('waiting');
    taken.end('bye');
    taken.resume();
    expect((await answer).text).toBe('bye');
  });
});

describe('an upgrade', () => {
  it('is answered as a normal request where nobody listens for it', async () => {
    const server = await tcpServer((request, response) => response.end(`${request.headers.upgrade}`));
    expect((await exchange(server.address(), head(handshake))).text).toMatch(/^Status: 200 OK[\s\S]*echo$/);
  });

  it('with a body is a normal request', async () => {
    const server = await tcpServer((_request, response) => response.end('normal'));
    echo(server);
    const request = `${head({ ...handshake, CONTENT_LENGTH: '4' })}body`;
    expect((await exchange(server.address(), request)).text).toMatch(/normal$/);
  });

  it('outlives the deadlines of requests', async () => {
    const server = await tcpServer(() => {});
    server.requestTimeout = 50;
    server.idleTimeout = 50;
    const seen = echo(server);
    const socket = await connect(server.address());
    socket.write(head(handshake));
    await within('the answer', once(socket, 'data'));
    // Time itself is the subject: several sweeps pass.
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.write('still here');
    expect(String((await within('the echo', once(socket, 'data')))[0])).toBe('still here');
    expect(seen.sockets[0]?.destroyed).toBe(false);
    socket.destroy();
  });

  it('has no time-outs but those of its new owner', async () => {
    const server = await tcpServer(() => {});
    const told: string[] = [];
    server.setTimeout(30, () => told.push('server'));
    const seen = echo(server);
    const socket = await connect(server.address());
    socket.write(head(handshake));
    await within('the answer', once(socket, 'data'));
    const [taken] = seen.sockets;
    await within('the time-out', once(taken ?? expect.unreachable(), 'timeout'));
    taken?.setTimeout(20);
    await within('the next time-out', once(taken ?? expect.unreachable(), 'timeout'));
    expect(told).toEqual([]);
    expect(taken?.destroyed).toBe(false);
    socket.destroy();
  });

  it.each(['end', 'reset', 'own destroy'])('counts as open until its socket ends, by: %s', async (how) => {
    const server = await tcpServer(() => {});
    const seen = echo(server);
    const socket = await connect(server.address());
    socket.on('error', () => {});
    socket.write(head(handshake));
    await within('the answer', once(socket, 'data'));
    expect(server.connectionCount).toBe(1);
    const [upgraded] = seen.sockets;
    if (upgraded === undefined) throw new Error('no upgrade');
    const closed = new Promise((resolve) => upgraded.once('close', resolve));
    if (how === 'end') socket.end();
    else if (how === 'reset') socket.resetAndDestroy();
    else upgraded.destroy();
    await within('the close', closed);
    expect(server.connectionCount).toBe(0);
  });

  it('is closed by closeAllConnections', async () => {
    const server = await tcpServer(() => {});
    echo(server);
    const socket = await connect(server.address());
    const answer = ending(socket);
    socket.write(head(handshake));
    await within('the answer', once(socket, 'data'));
    server.closeAllConnections();
    expect((await answer).text).toBe(switching);
  });

  it('shows the client, not the front end, as the peer', async () => {
    const server = await tcpServer(() => {});
    const seen = echo(server);
    const variables = { ...handshake, REMOTE_ADDR: '192.0.2.7', REMOTE_PORT: '4711', HTTPS: 'on' };
    const socket = await connect(server.address());
    socket.write(head(variables));
    await within('the answer', once(socket, 'data'));
    expect(seen.sockets[0]).toMatchObject({ remoteAddress: '192.0.2.7', remotePort: 4711, encrypted: true });
    socket.destroy();
  });
});
