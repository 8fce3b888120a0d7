// The middleware in every framework it is for: mounts, order, what stands before it and what it leaves to others.

import { createRequire } from 'node:module';
import { type IncomingMessage, type RequestListener } from 'node:http';
import middie from '@fastify/middie';
import compression from 'compression';
import session from 'express-session';
import express from 'express';
import fastify from 'fastify';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { scgi, ScgiHandler } from '../src/index.js';
import { startApp, watched } from './support/app.js';
import { answering, startBackend, type Backend } from './support/backend.js';
import { startDeafListener } from './support/deaf-listener.js';
import { fetchFrom, RawClient, type Front } from './support/front.js';
import { turns, until } from './support/within.js';

const express4: typeof express = createRequire(import.meta.url)('express4');

/** A backend that says what it was told. */
function telling(): Promise<Backend> {
  return startBackend(async (connection) => {
    const body = await connection.body();
    const tell = (name: string): string => `${name}=${connection.variables?.get(name)}`;
    const lines = ['REQUEST_METHOD', 'SCRIPT_NAME', 'PATH_INFO', 'REQUEST_URI', 'QUERY_STRING'].map(tell);
    await connection.answer(`Status: 200 OK\r\n\r\n${lines.join('\n')}\n${body.toString('latin1')}`);
  });
}

const told = (scriptName: string, pathInfo: string, uri: string, method = 'GET', body = ''): string =>
  [
    `REQUEST_METHOD=${method}`,
    `SCRIPT_NAME=${scriptName}`,
    `PATH_INFO=${pathInfo}`,
    `REQUEST_URI=${uri}`,
    `QUERY_STRING=${uri.split('?')[1] ?? ''}`,
    body,
  ].join('\n');

interface Mounting {
  (target: string): Front | Promise<Front>;
}

const withExpress = (make: typeof express): { mounted: Mounting; prefixed: Mounting } => ({
  mounted: (target) => startApp(make().use('/api', scgi(target)).use(elsewhere)),
  prefixed: (target) => startApp(make().use(scgi('/api', target)).use(elsewhere)),
});

const elsewhere: RequestListener = (_, response) => void response.end('elsewhere');

async function startFastify(use: (app: ReturnType<typeof fastify>) => void): Promise<Front> {
  const app = fastify();
  await app.register(middie);
  use(app);
  app.all('/*', () => 'elsewhere');
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void app.close());
  const address = app.server.address();
  return { server: app.server, port: typeof address === 'object' ? (address?.port ?? 0) : 0, errors: [] };
}

const frameworks: [string, Mounting][] = [
  ["Express 5, app.use('/api', scgi(target))", withExpress(express).mounted],
  ["Express 5, app.use(scgi('/api', target))", withExpress(express).prefixed],
  ["Express 4, app.use('/api', scgi(target))", withExpress(express4).mounted],
  ["Express 4, app.use(scgi('/api', target))", withExpress(express4).prefixed],
  [
    "Fastify with middie, app.use('/api', scgi(target))",
    (target) => startFastify((app) => app.use('/api', scgi(target))),
  ],
  [
    "Fastify with middie, app.use(scgi('/api', target))",
    (target) => startFastify((app) => app.use(scgi('/api', target))),
  ],
  [
    'plain http, middleware(request, response, next)',
    (target) => {
      const middleware = scgi('/api', target);
      return startApp((request, response) => middleware(request, response, () => elsewhere(request, response)));
    },
  ],
  [
    'a router inside of a router',
    (target) =>
      startApp(
        express()
          .use('/api', express.Router().use(scgi(target)))
          .use(elsewhere),
      ),
  ],
];

describe.each(frameworks)('%s', (_, start) => {
  test.each([
    ['/api/users?x=1', '/api', '/users'],
    ['/api', '/api', ''],
    ['/api?x', '/api', ''],
    ['/api/', '/api', '/'],
    ['/api/a%2Fb%20c', '/api', '/a/b c'],
  ])('%s is cut into %j and %j', async (path, scriptName, pathInfo) => {
    const { target } = await telling();
    expect((await fetchFrom(await start(target), path)).body).toBe(told(scriptName, pathInfo, path));
  });

  test.each(['/apis', '/', '/other?/api'])('%s is left to what comes after', async (path) => {
    const backend = await telling();
    expect((await fetchFrom(await start(backend.target), path)).body).toBe('elsewhere');
    expect(backend.connections).toHaveLength(0);
  });

  test('a body goes with it, and the connection of the client goes on', async () => {
    const { target } = await telling();
    const client = new RawClient(await start(target));
    const head = 'POST /api/x HTTP/1.1\r\nHost: x\r\n';
    client.send(`${head}Content-Length: 5\r\n\r\nfirst`);
    await client.sees(told('/api', '/x', '/api/x', 'POST', 'first'));
    client.send(`${head}Transfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n`);
    await client.sees(told('/api', '/x', '/api/x', 'POST', 'second'));
  });
});

test('without a next, what is not below the prefix gets a 404', async () => {
  const { target } = await telling();
  const front = await startApp(scgi('/api', target));
  expect(await fetchFrom(front, '/other')).toMatchObject({ status: 404, body: '404 Not Found\n' });
});

test('one handler serves several mounts, and closes them all', async () => {
  const backend = await startBackend(
    async (connection) => {
      await connection.body();
      await connection.answer(`Status: 200 OK\r\n\r\n${connection.variables?.get('SCRIPT_NAME')}`);
    },
    { tcp: true },
  );
  const [host = '', port] = backend.target.split(':');
  const mounted = new ScgiHandler(host, Number(port), { onError: () => {} });
  const front = await startApp(express().use(mounted.middleware('/a')).use('/b', mounted.middleware()));
  expect((await fetchFrom(front, '/a/x')).body).toBe('/a');
  expect((await fetchFrom(front, '/b/x')).body).toBe('/b');
  mounted.close();
  expect((await fetchFrom(front, '/a/x')).status).toBe(503);
});

describe('what earlier middleware has done', () => {
  test('a rewritten url is what the backend is asked for', async () => {
    const { target } = await telling();
    const app = express().use((request, _, next) => {
      request.url = request.url.replace('/old', '/api/new');
      next();
    });
    expect((await fetchFrom(await startApp(app.use('/api', scgi(target))), '/old/x?y')).body).toBe(
      told('/api', '/new/x', '/api/new/x?y'),
    );
  });

  test('fields that it has deleted, changed or added are what the backend gets', async () => {
    const backend = await answering('Status: 200 OK\r\n\r\n');
    const app = express().use((request, _, next) => {
      delete request.headers['x-internal'];
      request.headers['x-user'] = 'me';
      next();
    });
    await fetchFrom(await startApp(app.use(scgi(backend.target))), '/', {
      headers: { 'X-Internal': '1', 'X-User': 'root' },
    });
    const { variables } = await backend.connection();
    expect(variables?.has('HTTP_X_INTERNAL')).toBe(false);
    expect(variables?.get('HTTP_X_USER')).toBe('me');
  });

  test('fields that it has set stay, unless the backend has its own; cookies and Vary of both go out', async () => {
    const { target } = await answering(
      'Status: 200 OK\r\nX-B: backend\r\nSet-Cookie: b=2\r\nSet-Cookie: c=3\r\nVary: B\r\nX-C: 1\r\nX-C: 2\r\n\r\nok',
    );
    const app = express().use((_, response, next) => {
      response.set({ 'X-A': 'app', 'X-B': 'app', 'X-C': 'app', 'Set-Cookie': 'a=1', Vary: 'A' });
      next();
    });
    const { headers } = await fetchFrom(await startApp(app.use(scgi(target))));
    expect(headers).toMatchObject({
      'x-a': 'app',
      'x-b': 'backend',
      'x-c': '1, 2',
      vary: 'A, B',
      'set-cookie': ['a=1', 'b=2', 'c=3'],
    });
  });

  test('compression may compress the answer', async () => {
    const text = 'text '.repeat(1000);
    const { target } = await answering(
      `Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n`,
      text,
    );
    const front = await startApp(express().use(compression()).use(scgi(target)));
    const { headers, body } = await fetchFrom(front, '/', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(headers['content-encoding']).toBe('gzip');
    expect(body.length).toBeLessThan(500);
  });

  test('compression does not hold events back', async () => {
    const backend = await startBackend();
    const client = new RawClient(await startApp(express().use(compression()).use(scgi(backend.target))));
    client.send('GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n');
    const { socket } = await backend.connection();
    socket.write('Status: 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    await client.sees('\r\n\r\n');
    await until('the first event', () => client.text.split('\r\n\r\n')[1] !== '');
    const before = client.text.length;
    socket.write('data: 2\n\n');
    await until('the second event', () => client.text.length > before);
  });

  test('a session is saved before the answer ends', async () => {
    const { target } = await answering('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const keep = session({ secret: 'x', resave: false, saveUninitialized: true });
    const { status, headers } = await fetchFrom(await startApp(express().use(keep).use(scgi(target))));
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(/^connect\.sid=/);
  });

  test('an answer that it gives meanwhile is left alone, and the backend is left', async () => {
    const backend = await startBackend();
    const { middleware, errors } = watched('/', backend.target);
    const front = await startApp((request, response) => {
      middleware(request, response);
      response.on('give up', () => response.writeHead(503, { 'Content-Length': 100 }).write('too late'));
      request.socket.once('give up', () => response.emit('give up'));
      void backend.connection().then(() => response.emit('give up'));
    });
    const client = new RawClient(front);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees('too late');
    const connection = await backend.connection();
    connection.socket.write('Status: 200 OK\r\n\r\nhello');
    await connection.closed();
    expect(client.text).not.toContain('hello');
    expect(errors).toEqual([]);
  });
});

describe('a body that a parser has read before', () => {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"a": 1}' };

  test.each(['Content-Length', 'Transfer-Encoding'])(
    'is an error that says what to do, not a hang: %s',
    async (framing) => {
      const backend = await telling();
      const { middleware, errors } = watched('/api', backend.target);
      const front = await startApp(express().use(express.json()).use(middleware));
      const headers =
        framing === 'Content-Length' ? { ...json.headers, [framing]: '8' } : { ...json.headers, [framing]: 'chunked' };
      expect(await fetchFrom(front, '/api', { ...json, headers })).toMatchObject({
        status: 500,
        body: '500 Internal Server Error\n',
      });
      expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_USED' }]);
      expect(errors[0]?.message).toContain('mount scgi() before body parsers');
      expect(backend.connections).toHaveLength(0);
    },
  );

  test('is passed on as it was where express.raw() has kept it', async () => {
    const { target } = await telling();
    const front = await startApp(
      express()
        .use(express.raw({ type: () => true }))
        .use(scgi('/api', target)),
    );
    expect((await fetchFrom(front, '/api', json)).body).toBe(told('/api', '', '/api', 'POST', json.body));
  });

  test('is passed on as it was where the platform has left it in rawBody', async () => {
    const { target } = await telling();
    const keep = (request: IncomingMessage, _: unknown, bytes: Buffer): void =>
      void Object.assign(request, { rawBody: bytes });
    const front = await startApp(
      express()
        .use(express.json({ verify: keep }))
        .use(scgi('/api', target)),
    );
    expect((await fetchFrom(front, '/api', json)).body).toBe(told('/api', '', '/api', 'POST', json.body));
  });

  test('does not matter to requests without one', async () => {
    const { target } = await telling();
    const front = await startApp(express().use(express.json()).use(scgi('/api', target)));
    expect((await fetchFrom(front, '/api')).status).toBe(200);
    expect((await fetchFrom(front, '/api', { method: 'POST', headers: { 'Content-Length': '0' } })).status).toBe(200);
  });
});

test('Expect is answered once the backend has accepted, if the server leaves it to the middleware', async () => {
  const { target } = await telling();
  const middleware = scgi(target);
  const front = await startApp(middleware);
  front.server.on('checkContinue', middleware);
  const client = new RawClient(front);
  client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  await client.sees('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await client.sees('\nbody');
  expect(client.text.match(/100 Continue/g)).toHaveLength(1);
});

test('Expect is answered at once by a server that nobody has told otherwise', async () => {
  const { target } = await telling();
  const client = new RawClient(await startApp(scgi(target)));
  client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  await client.sees('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await client.sees('\nbody');
  expect(client.text.match(/100 Continue/g)).toHaveLength(1);
});

test('a client that leaves while it waits for a connection is never called for', async () => {
  const backend = await startBackend();
  const { middleware, errors } = watched('/', backend.target, { maxConcurrent: 1 });
  const front = await startApp(middleware);
  const [first, second] = [new RawClient(front), new RawClient(front)];
  first.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await backend.connection();
  second.send('GET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
  await turns(20);
  second.socket.destroy();
  await turns(20);
  backend.connections[0]?.socket.end('Status: 200 OK\r\n\r\n');
  await first.sees('200 OK');
  await turns(20);
  expect(backend.connections).toHaveLength(1);
  expect(errors).toEqual([]);
});

test('a client that leaves while the backend does not accept gives up its connection', async () => {
  const [host = '', port] = (await startDeafListener()).split(':');
  const backend = new ScgiHandler(host, Number(port));
  const front = await startApp(backend.middleware());
  const client = new RawClient(front);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('it connects', () => backend.settings.backend.connections === 1);
  client.socket.destroy();
  await until('it does not any more', () => backend.settings.backend.connections === 0);
});

test('onError may throw or reject: a warning, and the next request works', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const { target } = await answering('nonsense');
  const thrower = await startApp(
    scgi(target, {
      onError: () => {
        throw new Error('thrown');
      },
    }),
  );
  const rejecter = await startApp(
    scgi(target, {
      onError: async () => {
        throw new Error('rejected');
      },
    }),
  );
  for (const front of [thrower, rejecter, thrower]) expect((await fetchFrom(front)).status).toBe(502);
  await until('the warnings are there', () => warn.mock.calls.length === 3);
  expect(warn.mock.calls.map(([fault]) => fault)).toEqual([
    new Error('thrown'),
    new Error('rejected'),
    new Error('thrown'),
  ]);
});

test('nothing of a request stays with the connection of its client', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const counts: number[] = [];
  const middleware = scgi(target);
  const front = await startApp((request, response) => {
    const { socket } = request;
    counts.push(socket.eventNames().flatMap((name) => socket.listeners(name)).length);
    middleware(request, response);
  });
  const client = new RawClient(front);
  for (let round = 1; round <= 5; round += 1) {
    client.text = '';
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees('\r\n\r\nok');
  }
  expect(counts).toEqual(Array.from(counts, () => counts[0]));
  expect(counts).toHaveLength(5);
});
