// WebSockets: accepted, rejected, closed; messages both ways, and every way in which one ends.

import { describe, expect, test, vi } from 'vitest';
import type { SsgiApp, SsgiWebSocket } from '../src/index.js';
import { closeBytes, closeFrame, frame, handshake, opcode, shakeHands } from './support/frames.js';
import { ask, rejectionOf, serve, signal, thrownBy, webSocket, within } from './support/stage.js';

const state = { name: 'LocalProtocolError', code: 'ERR_SCGI_STATE' };

/** Accepts, and gives the test the socket. */
async function accepted(variables: Record<string, string> = {}, options = {}) {
  const seen = signal<SsgiWebSocket>();
  const running = await serve(
    webSocket(async (socket) => {
      await socket.accept();
      seen.resolve(socket);
    }),
    options,
  );
  const client = await shakeHands(running.address, variables);
  await client.sees('\r\n\r\n');
  return { running, client, socket: await within(seen.promise, 'the WebSocket') };
}

describe('the call', () => {
  test('is of type websocket, with the request', async () => {
    const seen = signal<unknown>();
    const app: SsgiApp = (...call) => {
      const [type, server, remote, method, path, query, getHeader, res] = call;
      seen.resolve([type, server, remote, method, path, query, getHeader('host'), res.extensions.env.REMOTE_USER]);
      if (type === 'websocket') return res.reject();
      return undefined;
    };
    const { address } = await serve(app);
    await shakeHands(address, { REMOTE_PORT: '9', REMOTE_USER: 'ada' });
    const expected = ['websocket', 'server.test:80', '192.0.2.7:9', 'GET', '/chat', 'room=1', 'example.com', 'ada'];
    expect(await within(seen.promise, 'the call')).toEqual(expected);
  });

  test.each([
    ['a front end that cannot carry the answer', { SERVER_SOFTWARE: 'Apache/2.4.62' }],
    ['another protocol', { HTTP_UPGRADE: 'h2c' }],
    ['a Connection that does not ask for it', { HTTP_CONNECTION: 'close' }],
  ])('is of type http for %s', async (_what, variables) => {
    const app: SsgiApp = (...call) => (call[0] === 'http' ? call[7].send('page') : call[7].reject());
    const answer = await ask((await serve(app)).address, { variables: { ...handshake, ...variables } });
    expect(answer.text).toBe('page');
  });
});

describe('accept', () => {
  test('switches protocols', async () => {
    const { client, socket } = await accepted();
    expect(client.received()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(client.received()).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(client.received()).not.toContain('Sec-WebSocket-Protocol');
    expect(socket.status).toBe(3);
  });

  test.each([
    ['the first that the client offers', undefined, 'a, b', 'a'],
    ['the one that is named', 'b', 'a, b', 'b'],
    ['none if the named one is not offered', 'c', 'a, b', undefined],
    ['none if the client offers none', 'a', undefined, undefined],
  ])('agrees on a subprotocol: %s', async (_what, named, offered, agreed) => {
    const { address } = await serve(webSocket((socket) => socket.accept(named)));
    const client = await shakeHands(address, offered === undefined ? {} : { HTTP_SEC_WEBSOCKET_PROTOCOL: offered });
    await client.sees('\r\n\r\n');
    expect(/Sec-WebSocket-Protocol: (.*)\r\n/.exec(client.received())?.[1]).toBe(agreed);
  });

  test('resolves to true once, then to false', async () => {
    const outcome = signal<unknown>();
    const { address } = await serve(
      webSocket(async (socket) => {
        const first = socket.accept();
        outcome.resolve([await Promise.all([first, socket.accept()]), await socket.accept(), await socket.reject()]);
      }),
    );
    await shakeHands(address);
    expect(await within(outcome.promise, 'the handler')).toEqual([[true, false], false, false]);
  });

  test.each([
    ['no key', { HTTP_SEC_WEBSOCKET_KEY: '' }],
    ['a malformed key', { HTTP_SEC_WEBSOCKET_KEY: 'abc' }],
    ['an unknown version', { HTTP_SEC_WEBSOCKET_VERSION: '12' }],
  ])('resolves to false for a handshake with %s, which is answered 400', async (_what, variables) => {
    const outcome = signal<unknown>();
    const { address } = await serve(
      webSocket(async (socket) => outcome.resolve([await socket.accept(), socket.status])),
    );
    const client = await shakeHands(address, variables);
    await client.sees('HTTP/1.1 400 Bad Request\r\n');
    await client.closed();
    expect(await within(outcome.promise, 'the handler')).toEqual([false, 1]);
  });

  test('may come later', async () => {
    const { address } = await serve(
      webSocket((socket) => {
        socket.onClose(() => {});
        setImmediate(() => void socket.accept());
      }),
    );
    await (await shakeHands(address)).sees(' 101 ');
  });

  test('resolves to false when the client has left', async () => {
    const started = signal();
    const left = signal<unknown>();
    const outcome = signal<boolean>();
    const { address } = await serve(
      webSocket((socket) => {
        socket.onClose((ws, code, reason) => {
          left.resolve([code, reason, ws.status]);
          void socket.accept().then(outcome.resolve);
        });
        started.resolve();
      }),
    );
    const client = await shakeHands(address);
    await within(started.promise, 'the handler');
    await client.leave();
    expect(await within(left.promise, 'the close')).toEqual([1006, '', 2]);
    expect(await within(outcome.promise, 'the answer')).toBe(false);
  });

  test('says what to install if ws is missing', async () => {
    vi.doMock('ws', () => {
      throw Object.assign(new Error("Cannot find package 'ws'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const { address, errors } = await serve(webSocket((socket) => socket.accept()));
    const client = await shakeHands(address);
    await client.sees('Status: 500 Internal Server Error');
    vi.doUnmock('ws');
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_OPTION', details: { remedy: 'npm install ws' } }]);
  });
});

describe('reject', () => {
  const rejection = async (reject: (socket: SsgiWebSocket) => unknown) => {
    const { address } = await serve(webSocket(reject));
    return ask(address, { variables: handshake });
  };

  test('answers 403 unless told otherwise', async () => {
    const { status, text } = await rejection((socket) => socket.reject());
    expect([status, text]).toEqual([403, 'Forbidden\n']);
  });

  test('answers a status, a payload and fields', async () => {
    const { status, text, fields } = await rejection((socket) =>
      socket.reject(401, 'who are you?', [
        ['WWW-Authenticate', 'Basic'],
        ['Content-Type', 'text/plain'],
      ]),
    );
    expect([status, text]).toEqual([401, 'who are you?']);
    expect(fields.slice(0, 4)).toEqual(['WWW-Authenticate', 'Basic', 'Content-Type', 'text/plain']);
  });

  test('answers without a body for null', async () => {
    const { status, text } = await rejection((socket) => socket.reject(404, null));
    expect([status, text]).toEqual([404, '']);
  });

  test('resolves to true once and sets the status', async () => {
    const results: unknown[] = [];
    await rejection(async (socket) => {
      results.push(socket.status, await socket.reject(), socket.status, await socket.reject(), await socket.accept());
      results.push(socket.send('x'));
      socket.close();
    });
    expect(results).toEqual([0, true, 1, false, false, false]);
  });

  test('refuses what is no status, which is answered 500', async () => {
    expect((await rejection((socket) => socket.reject(101))).status).toBe(500);
  });
});

describe('messages', () => {
  test('come as text or bytes, with the arguments of onReceive', async () => {
    const seen: unknown[] = [];
    const { address } = await serve(
      webSocket(async (socket) => {
        socket.onReceive(
          (ws, message, ...args) => {
            seen.push(ws === socket, message, ...args);
            if (seen.length === 8) ws.send('enough');
          },
          'a',
          1,
        );
        await socket.accept();
      }),
    );
    const client = await shakeHands(address);
    client.socket.write(Buffer.concat([frame(opcode.text, 'grüß'), frame(opcode.binary, new Uint8Array([0, 255]))]));
    await client.sees('\x81\x06enough');
    expect(seen).toEqual([true, 'grüß', 'a', 1, true, Buffer.from([0, 255]), 'a', 1]);
  });

  test('go as text or binary', async () => {
    const { client, socket } = await accepted();
    expect([socket.send('ü'), socket.send(new Uint8Array([1, 2]))]).toEqual([true, true]);
    await client.sees('\x81\x02\xc3\xbc\x82\x02\x01\x02');
  });

  test('that come together with the request are not lost', async () => {
    const seen = signal<unknown>();
    const { address } = await serve(
      webSocket(async (socket) => {
        await socket.accept();
        socket.onReceive((_ws, message) => seen.resolve(message));
      }),
    );
    const client = await shakeHands(address);
    client.socket.write(frame(opcode.text, 'first'));
    expect(await within(seen.promise, 'the message')).toBe('first');
  });

  test('are held back by a client that takes none', async () => {
    const { client, socket } = await accepted();
    client.pause();
    expect(socket.send(Buffer.alloc(20_000_000))).toBe(false);
    expect(socket.bufferedAmount).toBeGreaterThan(0);
    client.resume();
    await within(socket.drained(), 'the drain', 5000);
    expect(socket.bufferedAmount).toBe(0);
  });

  test('may not be larger than maxPayload', async () => {
    const closed = signal<number>();
    const { client, socket } = await accepted({}, { maxPayload: 10 });
    socket.onClose((_ws, code) => closed.resolve(code));
    client.socket.write(frame(opcode.text, 'x'.repeat(11)));
    await client.sees(closeBytes(1009));
    // As ws has it where the client broke the protocol.
    expect(await within(closed.promise, 'the close')).toBe(1006);
  });

  test('cannot be sent before accept', async () => {
    const errors: unknown[] = [];
    const { address } = await serve(
      webSocket(async (socket) => {
        errors.push(
          thrownBy(() => socket.send('x')),
          thrownBy(() => socket.close()),
        );
        await socket.reject();
      }),
    );
    await ask(address, { variables: handshake });
    expect(errors).toMatchObject([state, state]);
  });

  test('get pings answered', async () => {
    const { client } = await accepted();
    client.socket.write(frame(opcode.ping, 'you'));
    await client.sees('\x8a\x03you');
  });
});

describe('the close', () => {
  test('by the application has its code and reason', async () => {
    const { client, socket } = await accepted();
    const closed = signal<unknown>();
    socket.onClose((ws, code, reason, ...args) => closed.resolve([ws.status, code, reason, ...args]), 'a', 2);
    socket.close(4001, 'enough');
    await client.sees(closeBytes(4001, 'enough'));
    client.socket.write(closeFrame(4001, 'enough'));
    await client.closed();
    expect(await within(closed.promise, 'the close')).toEqual([2, 4001, 'enough', 'a', 2]);
    expect([socket.send('x'), socket.status]).toEqual([false, 2]);
  });

  test('has code 1000 unless told otherwise', async () => {
    const { client, socket } = await accepted();
    socket.close();
    await client.sees(closeBytes(1000));
  });

  test('by the client reaches the application', async () => {
    const { client, socket } = await accepted();
    const closed = signal<unknown>();
    socket.onClose((_ws, code, reason) => closed.resolve([code, reason]));
    client.socket.write(closeFrame(1001, 'bye'));
    expect(await within(closed.promise, 'the close')).toEqual([1001, 'bye']);
    await client.closed();
  });

  test('is 1006 for a client that vanishes', async () => {
    const { client, socket } = await accepted();
    const closed = signal<unknown>();
    socket.onClose((_ws, code) => closed.resolve([code, socket.status]));
    await client.leave();
    expect(await within(closed.promise, 'the close')).toEqual([1006, 2]);
  });

  test('is 1006 for a client that vanishes with a reset', async () => {
    const { client, socket, running } = await accepted();
    const closed = signal<number>();
    socket.onClose((_ws, code) => closed.resolve(code));
    client.reset();
    expect(await within(closed.promise, 'the close')).toBe(1006);
    expect(running.errors).toEqual([]);
  });

  test('ends waiting for the client to take more', async () => {
    const { client, socket } = await accepted();
    client.pause();
    socket.send(Buffer.alloc(20_000_000));
    const drained = socket.drained();
    await client.leave();
    await within(drained, 'the end of waiting');
  });

  test('is 1001 when the server closes, which waits for it', async () => {
    const { client, running } = await accepted();
    const closed = running.close();
    await client.sees(closeBytes(1001));
    client.socket.write(closeFrame(1001));
    await within(closed, 'the end of the server');
  });

  test('comes for WebSockets that are accepted while the server closes', async () => {
    const go = signal();
    const { address, close } = await serve(
      webSocket(async (socket) => {
        await go.promise;
        await socket.accept();
      }),
    );
    const started = shakeHands(address);
    const client = await started;
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const closed = close();
    go.resolve();
    await client.sees(closeBytes(1001));
    client.socket.write(closeFrame(1001));
    await within(closed, 'the end of the server');
  });
});

describe('a handler that fails', () => {
  const secret = new Error('secret');

  test.each([
    [
      'throws',
      () => {
        throw secret;
      },
    ],
    ['rejects', () => Promise.reject(secret)],
  ])('and %s before it decides is answered 500', async (_how, fail) => {
    const { address, errors, failed } = await serve(webSocket(fail));
    const { status, text } = await ask(address, { target: '/chat', variables: handshake });
    expect([status, text]).toEqual([500, 'Internal Server Error\n']);
    expect([errors, failed]).toEqual([[secret], [{ method: 'GET', url: '/chat', aborted: false }]]);
  });

  test.each([
    ['sync', () => {}],
    ['async', async () => {}],
  ])('to decide, and is %s, is answered 500', async (_how, forget) => {
    const { address, errors } = await serve(webSocket(forget));
    expect((await ask(address, { variables: handshake })).status).toBe(500);
    expect(errors).toMatchObject([state]);
  });

  test.each(['onReceive', 'runAsync'] as const)('in %s closes with 1011', async (where) => {
    const { client, socket, running } = await accepted();
    if (where === 'onReceive') {
      socket.onReceive(() => Promise.reject(secret));
      client.socket.write(frame(opcode.text, 'x'));
    } else {
      socket.runAsync((error) => Promise.reject(error), secret);
    }
    await client.sees(closeBytes(1011));
    expect(running.errors).toEqual([secret]);
  });

  test('in onClose is reported', async () => {
    const { client, socket, running } = await accepted();
    socket.onClose(() => {
      throw secret;
    });
    await client.leave();
    await vi.waitFor(() => expect(running.errors).toEqual([secret]));
    expect(running.failed).toMatchObject([{ aborted: true }]);
  });

  test('because it closes with a code that does not exist closes with 1011', async () => {
    const { client, socket, running } = await accepted();
    socket.runAsync(() => socket.close(7));
    await client.sees(closeBytes(1011));
    expect(running.errors).toMatchObject([{ name: 'TypeError' }]);
  });
});

test('close() of the server waits for tasks of WebSockets', async () => {
  const { client, socket, running } = await accepted();
  const finish = signal();
  const done: string[] = [];
  socket.runAsync(async () => {
    await finish.promise;
    done.push('task');
  });
  await client.leave();
  const closed = running.close().then(() => done.push('closed'));
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  finish.resolve();
  await within(closed, 'the end of the server');
  expect(done).toEqual(['task', 'closed']);
  expect(await rejectionOf(ask(running.address))).toMatchObject({ code: 'ECONNREFUSED' });
});
