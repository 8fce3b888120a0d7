// WebSockets that a handler accepts: the handshake on the wire, frames both ways, and every way out.

import { randomBytes } from 'node:crypto';
import type { RawConnection } from '@scgi/testing';
import { describe, expect, test, vi } from 'vitest';
import { upgradeWebSocket, type ServerWebSocket, type WebSocketListeners } from '../src/index.js';
import { ask, open, serve, signal, within } from './support/stage.js';

const handshake = {
  HTTP_HOST: 'example.com',
  HTTP_CONNECTION: 'keep-alive, Upgrade',
  HTTP_UPGRADE: 'websocket',
  HTTP_SEC_WEBSOCKET_KEY: 'dGhlIHNhbXBsZSBub25jZQ==',
  HTTP_SEC_WEBSOCKET_VERSION: '13',
  SERVER_SOFTWARE: 'nginx/1.22.1',
};

/** A client's frame: final, masked, shorter than 126 bytes. */
function frame(opcode: number, payload: string | Uint8Array): Buffer {
  const mask = randomBytes(4);
  const bytes = Buffer.from(payload).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length]), mask, bytes]);
}

const closeFrame = (code: number): string => `\x88\x02${String.fromCharCode(code >> 8, code & 0xff)}`;

async function connect(address: string, variables: Record<string, string> = {}): Promise<RawConnection> {
  const client = await open(address, { variables: { ...handshake, ...variables } });
  await client.sees('\r\n\r\n');
  return client;
}

describe('the handshake', () => {
  test('switches protocols', async () => {
    const { address } = await serve((request) => upgradeWebSocket(request, {}));
    const client = await connect(address);
    expect(client.received()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(client.received()).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(client.received()).not.toContain('Sec-WebSocket-Protocol');
  });

  test('is done for a handler that is asynchronous, and wrapped', async () => {
    const { address } = await serve(async (request) => {
      await Promise.resolve();
      const response = upgradeWebSocket(request, {});
      return new Response(response.body, response);
    });
    expect((await connect(address)).received()).toContain(' 101 ');
  });

  test('agrees on the protocol that the handler names', async () => {
    const { address } = await serve((request) => upgradeWebSocket(request, { protocol: 'b' }));
    const client = await connect(address, { HTTP_SEC_WEBSOCKET_PROTOCOL: 'a, b' });
    expect(client.received()).toContain('Sec-WebSocket-Protocol: b\r\n');
  });

  test('carries the fields of the response', async () => {
    const { address } = await serve((request) => {
      const response = upgradeWebSocket(request, {});
      response.headers.append('set-cookie', 'a=1');
      response.headers.append('set-cookie', 'b=2');
      return response;
    });
    const received = (await connect(address)).received();
    expect(received).toMatch(/set-cookie: a=1\r\nset-cookie: b=2\r\n/i);
    expect(received.match(/upgrade: websocket/gi)).toHaveLength(1);
  });

  test.each([
    ['no upgrade', { HTTP_UPGRADE: '', HTTP_CONNECTION: '' }, 426],
    ['another protocol', { HTTP_UPGRADE: 'h2c' }, 426],
    ['no key', { HTTP_SEC_WEBSOCKET_KEY: '' }, 400],
    ['a malformed key', { HTTP_SEC_WEBSOCKET_KEY: 'abc' }, 400],
    ['an unknown version', { HTTP_SEC_WEBSOCKET_VERSION: '12' }, 400],
  ])('is refused for a request with %s', async (_what, variables, status) => {
    const { address } = await serve((request) => upgradeWebSocket(request, {}));
    expect((await ask(address, { variables: { ...handshake, ...variables } })).status).toBe(status);
  });

  test('does not happen if something else is answered after all', async () => {
    const opened = vi.fn();
    const { address } = await serve((request) => {
      upgradeWebSocket(request, { open: opened });
      return new Response('no', { status: 403 });
    });
    expect((await ask(address, { variables: handshake })).status).toBe(403);
    expect(opened).not.toHaveBeenCalled();
  });

  test('does not happen without being asked for', async () => {
    const { address } = await serve(() => new Response('page'));
    expect((await ask(address, { variables: handshake })).text).toBe('page');
  });

  test('needs the request of the handler', () => {
    expect(() => upgradeWebSocket(new Request('http://a.test/'), {})).toThrow(TypeError);
  });
});

describe('a WebSocket', () => {
  async function accept(
    listeners: WebSocketListeners,
  ): Promise<{ client: RawConnection; running: Awaited<ReturnType<typeof serve>> }> {
    const running = await serve((request) => upgradeWebSocket(request, listeners));
    return { client: await connect(running.address), running };
  }

  test('carries text and bytes both ways', async () => {
    const seen: unknown[] = [];
    const { client } = await accept({
      message(socket, data) {
        seen.push(typeof data === 'string' ? data : [...data]);
        socket.send(data);
      },
    });
    client.socket.write(Buffer.concat([frame(1, 'hello'), frame(2, new Uint8Array([1, 2]))]));
    await client.sees('\x81\x05hello\x82\x02\x01\x02');
    expect(seen).toEqual(['hello', [1, 2]]);
  });

  test('takes frames that came together with the request', async () => {
    const { address } = await serve((request) =>
      upgradeWebSocket(request, { message: (socket, data) => socket.send(data) }),
    );
    const client = await open(address, { variables: handshake }, 0, frame(1, 'early'));
    await client.sees('\x81\x05early');
  });

  test('may be written to when it opens', async () => {
    const { client } = await accept({ open: (socket) => socket.send('welcome') });
    await client.sees('\x81\x07welcome');
  });

  test('tells how the client closed it', async () => {
    const closed = signal<unknown>();
    const { client } = await accept({ close: (_socket, code, reason) => closed.resolve([code, reason]) });
    client.socket.write(frame(8, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('bye')])));
    expect(await within(closed.promise, 'the close')).toEqual([1000, 'bye']);
  });

  test('tells that the client is gone', async () => {
    const closed = signal<unknown>();
    const { client, running } = await accept({ close: (_socket, code) => closed.resolve(code) });
    client.socket.destroy();
    expect(await within(closed.promise, 'the close')).toBe(1006);
    expect(running.errors).toEqual([]);
  });

  test('is closed by the server with code and reason', async () => {
    const { client } = await accept({ open: (socket) => socket.close(4000, 'enough') });
    await client.sees('\x88\x08\x0f\xa0enough');
  });

  test.each<[string, WebSocketListeners]>([
    ['open', { open: () => Promise.reject(new Error('in a listener')) }],
    [
      'message',
      {
        message() {
          throw new Error('in a listener');
        },
      },
    ],
  ])('whose listener %s fails is closed with 1011, and onError hears of it', async (_name, listeners) => {
    const { client, running } = await accept(listeners);
    client.socket.write(frame(1, 'x'));
    await client.sees(closeFrame(1011));
    expect(running.errors).toEqual([new Error('in a listener')]);
  });

  test('is closed with 1009 for a message that is too large', async () => {
    const failed = signal<unknown>();
    const running = await serve(
      (request) => upgradeWebSocket(request, { error: (_socket, error) => failed.resolve(error) }),
      {
        webSocket: { maxPayload: 4 },
      },
    );
    const client = await connect(running.address);
    client.socket.write(frame(1, 'hello'));
    await client.sees(closeFrame(1009));
    expect(await within(failed.promise, 'the error')).toBeInstanceOf(Error);
  });

  test('is told that the server goes away', async () => {
    const opened = signal<ServerWebSocket>();
    const { client, running } = await accept({ open: opened.resolve });
    expect((await within(opened.promise, 'the opening')).readyState).toBe(1);
    const closing = running.close();
    await client.sees(closeFrame(1001));
    client.socket.write(frame(8, Buffer.from([0x03, 0xe9])));
    await within(closing, 'the end');
  });
});

describe('without the package ws', () => {
  async function withoutWs(): Promise<typeof import('../src/index.js')> {
    vi.resetModules();
    vi.doMock('ws', () => {
      throw Object.assign(new Error("Cannot find package 'ws'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    return import('../src/index.js');
  }

  test('the option says at the start what to install', async () => {
    const { serveScgi } = await withoutWs();
    await expect(serveScgi(() => new Response(), { bind: 0, webSocket: {} })).rejects.toMatchObject({
      code: 'ERR_SCGI_OPTION',
      message: expect.stringContaining('npm install ws'),
    });
    vi.doUnmock('ws');
  });

  test('an accepted WebSocket is a 500, and onError is told what to install', async () => {
    const adapter = await withoutWs();
    const failed = signal<unknown>();
    const running = await adapter.serveScgi((request) => adapter.upgradeWebSocket(request, {}), {
      bind: 0,
      onError: failed.resolve,
    });
    const answer = await ask(running.endpoints[0]?.address ?? '', { variables: handshake });
    expect(answer.status).toBe(500);
    expect(await failed.promise).toMatchObject({ message: expect.stringContaining('npm install ws') });
    await running.close();
    vi.doUnmock('ws');
  });
});
