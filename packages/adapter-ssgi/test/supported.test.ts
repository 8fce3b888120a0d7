// Frameworks that pick their interfaces: what they are offered, what serves each pick, and picks that cannot be served.

import type { ScgiListener } from '@scgi/core';
import { describe, expect, test, vi } from 'vitest';
import {
  serveScgi,
  type NodeUpgradeHandler,
  type SsgiApp,
  type SsgiFramework,
  type SsgiHttpHandler,
  type SsgiSupported,
  type SsgiWebSocketHandler,
} from '../src/index.js';
import { closeBytes, closeFrame, frame, handshake, opcode, shakeHands } from './support/frames.js';
import { ask, rejectionOf, serve, signal, within, type Served } from './support/stage.js';

const pick = (supported: SsgiSupported) => ({ getSupported: () => supported });
const ssgiHttp: SsgiHttpHandler = (...call) => call[7].send(`ssgi ${call[0]} ${call[4]}`);
const page: ScgiListener = (_request, response) => response.end('page');
const ssgiEcho: SsgiWebSocketHandler = async (...call) => {
  const [, server, remote, method, path, query, getHeader, socket] = call;
  socket.onReceive((ws, message) => ws.send(message));
  await socket.accept();
  socket.send([server, remote, method, path, query, getHeader('host'), getHeader().host].join(' '));
};

/** Serves a framework that picks this. */
async function servePick(supported: SsgiSupported, options = {}): Promise<Served> {
  return serve(pick(supported), options);
}

describe('getSupported', () => {
  test('is offered the interfaces with their versions', async () => {
    const getSupported = vi.fn((): SsgiSupported => ({ http: ['ssgi', ssgiHttp] }));
    await serve({ getSupported });
    expect(getSupported.mock.calls).toEqual([[{ ssgi: '1.0', node: '1', fetch: '1' }]]);
  });

  test('is asked of a function too, and with its own this', async () => {
    const framework = Object.assign(() => {}, {
      handler: ssgiHttp,
      getSupported(): SsgiSupported {
        return { http: ['ssgi', this.handler] };
      },
    });
    expect((await ask((await serve(framework)).address)).text).toBe('ssgi http /');
  });

  test.each([
    ['an interface that is not offered', { http: ['wsgi', () => {}] }, { protocol: 'http', interface: 'wsgi' }],
    ['a name of Object', { websocket: ['toString', () => {}] }, { protocol: 'websocket', interface: 'toString' }],
    ['no pair', { http: () => {} }, { protocol: 'http' }],
    ['no handler', { http: ['ssgi'] }, { protocol: 'http', fault: 'no handler' }],
    [
      'two that do not go together',
      { http: ['ssgi', ssgiHttp], websocket: ['node', () => {}] },
      { picks: 'ssgi, node' },
    ],
    [
      'two that do not go together',
      { http: ['fetch', () => {}], websocket: ['ssgi', ssgiEcho] },
      { picks: 'fetch, ssgi' },
    ],
  ])('that picks %s is refused at the start', async (_what, supported, details) => {
    const framework: SsgiFramework = { getSupported: vi.fn().mockReturnValue(supported) };
    const error = await rejectionOf(serveScgi(framework, { bind: 0 }));
    expect(error).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_OPTION', details });
  });

  test('that returns nothing leaves everything unserved', async () => {
    const framework: SsgiFramework = { getSupported: vi.fn() };
    expect((await ask((await serve(framework)).address)).status).toBe(503);
  });

  test('that throws stops the start', async () => {
    const framework = {
      getSupported(): SsgiSupported {
        throw new Error('not today');
      },
    };
    expect(await rejectionOf(serveScgi(framework, { bind: 0 }))).toEqual(new Error('not today'));
  });
});

test('what is no application is refused at the start', async () => {
  const nothing: SsgiApp = JSON.parse('{}');
  expect(await rejectionOf(serveScgi(nothing, { bind: 0 }))).toMatchObject({ code: 'ERR_SCGI_OPTION' });
});

describe('ssgi', () => {
  test.each(['websocket', 'websockets'])('serves both, with the key %s', async (key) => {
    const { address } = await servePick({ http: ['ssgi', ssgiHttp], [key]: ['ssgi', ssgiEcho] });
    expect((await ask(address, { target: '/a' })).text).toBe('ssgi http /a');
    const client = await shakeHands(address);
    await client.sees(' GET /chat room=1 example.com example.com');
  });

  test('for HTTP alone answers 501 for WebSockets', async () => {
    const { address } = await servePick({ http: ['ssgi', ssgiHttp], websocket: null });
    expect((await ask(address, { variables: handshake })).status).toBe(501);
    expect((await ask(address)).status).toBe(200);
  });

  test('for WebSockets alone answers 503 for HTTP', async () => {
    const { address } = await servePick({ http: null, websocket: ['ssgi', ssgiEcho] });
    expect((await ask(address)).status).toBe(503);
    await (await shakeHands(address)).sees(' 101 ');
  });
});

describe('node', () => {
  test('serves a listener', async () => {
    const listener: ScgiListener = ({ method, url, scgi }, response) =>
      response.end(`${method} ${url} ${scgi.env.SCGI}`);
    const { address } = await servePick({ http: ['node', listener] });
    expect((await ask(address, { target: '/a' })).text).toBe('GET /a 1');
  });

  test('reports a listener that fails', async () => {
    const error = new Error('lost');
    const { address, errors } = await servePick({ http: ['node', () => Promise.reject(error)] });
    expect((await ask(address)).status).toBe(500);
    expect(errors).toEqual([error]);
  });

  test('answers 501 for WebSockets that nobody serves', async () => {
    const { address } = await servePick({ http: ['node', page] });
    expect((await ask(address, { variables: handshake })).status).toBe(501);
    expect((await ask(address, { variables: { ...handshake, HTTP_UPGRADE: 'h2c' } })).text).toBe('page');
  });

  test('serves WebSockets with a listener of upgrade', async () => {
    const upgrade: NodeUpgradeHandler = ({ url }, socket, head) => socket.end(`${url} ${head.length}`);
    const { address } = await servePick({ http: ['node', page], websocket: ['node', upgrade] });
    expect((await ask(address)).text).toBe('page');
    await (await shakeHands(address)).sees('/chat?room=1 0');
    expect((await ask(address, { variables: { ...handshake, HTTP_UPGRADE: 'h2c' } })).text).toBe('page');
  });

  test('reports a listener of upgrade that fails, and closes', async () => {
    const error = new Error('lost');
    const { address, errors } = await servePick({ websocket: ['node', () => Promise.reject(error)] });
    await (await shakeHands(address)).closed();
    expect(errors).toEqual([error]);
    expect((await ask(address)).status).toBe(503);
  });
});

describe('node for HTTP with ssgi for WebSockets', () => {
  const both = (websocket: SsgiWebSocketHandler): Promise<Served> =>
    servePick({ http: ['node', page], websocket: ['ssgi', websocket] });

  test('serves both', async () => {
    const { address } = await both(ssgiEcho);
    expect((await ask(address)).text).toBe('page');
    const client = await shakeHands(address, { REMOTE_PORT: '9', SERVER_ADDR: '10.0.0.1' });
    await client.sees('10.0.0.1:80 192.0.2.7:9 GET /chat room=1 example.com example.com');
    client.socket.write(frame(opcode.text, 'echo'));
    await client.sees('\x81\x04echo');
  });

  test('rejects with an ordinary response', async () => {
    const { address } = await both((...call) => call[7].reject(401, 'no', [['X-A', '1']]));
    const { status, text, fields } = await ask(address, { variables: handshake });
    expect([status, text, fields]).toEqual([401, 'no', ['X-A', '1', 'Content-Length', '2']]);
  });

  test('has the extensions', async () => {
    const { address } = await both((...call) =>
      call[7].reject(400, JSON.stringify([call[7].extensions.scgi, call[7].extensions.env.REMOTE_USER])),
    );
    const answer = await ask(address, { target: '/x', variables: { ...handshake, HTTPS: 'on', REMOTE_USER: 'ada' } });
    expect(JSON.parse(answer.text)).toEqual([
      { basePath: '', target: '/x', encrypted: true, serverName: 'server.test' },
      'ada',
    ]);
  });

  test('answers 500 for a handler that fails', async () => {
    const error = new Error('lost');
    const { address, errors } = await both(() => Promise.reject(error));
    expect((await ask(address, { variables: handshake })).status).toBe(500);
    expect(errors).toEqual([error]);
  });

  test('closes WebSockets with the server', async () => {
    const running = await both(ssgiEcho);
    const client = await shakeHands(running.address);
    await client.sees('example.com');
    const closed = running.close();
    await client.sees(closeBytes(1001));
    client.socket.write(closeFrame(1001));
    await within(closed, 'the end of the server');
  });

  test('hears of a client that vanishes', async () => {
    const code = signal<number>();
    const { address } = await both(async (...call) => {
      call[7].onClose((_socket, found) => code.resolve(found));
      await call[7].accept();
    });
    const client = await shakeHands(address);
    await client.sees(' 101 ');
    await client.leave();
    expect(await within(code.promise, 'the close')).toBe(1006);
  });
});

describe('fetch', () => {
  test.each([
    ['a function', (request: Request) => new Response(`fetched ${new URL(request.url).pathname}`)],
    ['an object', { fetch: (request: Request) => new Response(`fetched ${new URL(request.url).pathname}`) }],
  ])('serves %s', async (_what, handler) => {
    const { address } = await servePick({ http: ['fetch', handler] });
    expect((await ask(address, { target: '/a' })).text).toBe('fetched /a');
    expect((await ask(address, { variables: handshake })).status).toBe(501);
  });

  test('serves WebSockets with the same handler, or another one', async () => {
    const say = (text: string) => () => new Response(text);
    const one = say('one');
    const same = await servePick({ http: ['fetch', one], websocket: ['fetch', one] });
    expect((await ask(same.address, { variables: handshake })).text).toBe('one');
    const other = await servePick({ http: ['fetch', one], websocket: ['fetch', say('other')] });
    expect((await ask(other.address, { variables: handshake })).text).toBe('other');
    expect((await ask(other.address)).text).toBe('one');
  });

  test('reports a handler that fails', async () => {
    const error = new Error('lost');
    const { address, errors, failed } = await servePick({ http: ['fetch', () => Promise.reject(error)] });
    expect((await ask(address, { target: '/a' })).status).toBe(500);
    expect(errors).toEqual([error]);
    expect(failed).toMatchObject([{ method: 'GET', aborted: false }]);
  });

  test('says what to install if the adapter is missing', async () => {
    vi.doMock('@scgi/adapter-fetch', () => {
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const error = await rejectionOf(servePick({ http: ['fetch', () => new Response()] }));
    vi.doUnmock('@scgi/adapter-fetch');
    expect(error).toMatchObject({ code: 'ERR_SCGI_OPTION', details: { remedy: 'npm install @scgi/adapter-fetch' } });
  });
});
