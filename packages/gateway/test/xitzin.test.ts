// What Xitzin's page documents of its SCGI backends, behaviour by behaviour, over HTTP. Where this differs, a test says so.

import { once } from 'node:events';
import { join } from 'node:path';
import express from 'express';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { scgi, ScgiApp, ScgiHandler, type GatewayOptions } from '../src/index.js';
import { startApp, watched } from './support/app.js';
import { answering, startBackend, temporaryFolder, type Backend } from './support/backend.js';
import { fetchFrom, RawClient } from './support/front.js';

/** A backend that lists its variables. */
function listing(tcp = true): Promise<Backend> {
  return startBackend(
    async (connection) => {
      await connection.body();
      const lines = [...(connection.variables ?? [])].map(([name, value]) => `${name}=${value}`);
      await connection.answer(`Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n${lines.join('\n')}`);
    },
    { tcp },
  );
}

/** The variables of one request through a mount with these options. */
async function variablesWith(
  options: GatewayOptions,
  headers: Record<string, string> = {},
): Promise<Record<string, string | undefined>> {
  const { target } = await listing();
  const front = await startApp(express().use(scgi('/api', target, options)));
  const { body } = await fetchFrom(front, '/api/users/123?search=hello', { headers });
  return Object.fromEntries(body.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
}

const parts = (target: string): { host: string; port: number } => {
  const [host = '', port] = target.split(':');
  return { host, port: Number(port) };
};

describe('connecting', () => {
  test('via TCP: a prefix, a host and a port', async () => {
    const { target } = await listing();
    const front = await startApp(express().use(scgi('/api', parts(target))));
    expect((await fetchFrom(front, '/api/users')).body).toContain('PATH_INFO=/users');
  });

  test('via a Unix socket: a prefix and a path', async () => {
    const { target } = await listing(false);
    const front = await startApp(express().use(scgi('/api', { socketPath: target.slice('unix:'.length) })));
    expect((await fetchFrom(front, '/api/users')).body).toContain('PATH_INFO=/users');
  });

  test('with an explicit handler for TCP, mounted', async () => {
    const { target } = await listing();
    const { host, port } = parts(target);
    const handler = new ScgiHandler(host, port, { timeout: 60_000, maxResponseSize: 10 * 1024 * 1024 });
    const front = await startApp(express().use('/api', handler.middleware()));
    expect((await fetchFrom(front, '/api/users')).body).toContain('PATH_INFO=/users');
  });

  test.each(['', 'unix:'])('with an explicit handler for a Unix socket, mounted: %j', async (scheme) => {
    const { target } = await listing(false);
    const handler = new ScgiApp(scheme + target.slice('unix:'.length), { timeout: 60_000 });
    const front = await startApp(express().use('/api', handler.middleware()));
    expect((await fetchFrom(front, '/api/users')).body).toContain('PATH_INFO=/users');
  });
});

test('every path below the prefix goes to the backend, and none beside it', async () => {
  const { target } = await listing();
  const front = await startApp(express().use(scgi('/api', target)));
  for (const path of ['/api', '/api/', '/api/a/b']) expect((await fetchFrom(front, path)).status).toBe(200);
  for (const path of ['/apis', '/ap', '/']) expect((await fetchFrom(front, path)).status).toBe(404);
});

test('mounts win over later routes, and stand beside others', async () => {
  const { target } = await listing();
  const app = express()
    .get('/', (_, response) => void response.send('home'))
    .use(scgi('/api', target))
    .get('/api/test', (_, response) => void response.send('route'))
    .get('/about', (_, response) => void response.send('about'));
  const front = await startApp(app);
  expect((await fetchFrom(front, '/')).body).toBe('home');
  expect((await fetchFrom(front, '/api/test')).body).toContain('PATH_INFO=/test');
  expect((await fetchFrom(front, '/about')).body).toBe('about');
});

test('ordinary middleware wraps backends, and sees the path and the status', async () => {
  const { target } = await answering('Status: 418 I am a teapot\r\nContent-Length: 0\r\n\r\n');
  const log: string[] = [];
  const app = express().use((request, response, next) => {
    log.push(`Request: ${request.path}`);
    response.on('finish', () => log.push(`Response: ${response.statusCode}`));
    next();
  });
  await fetchFrom(await startApp(app.use(scgi('/api', target))), '/api/test');
  expect(log).toEqual(['Request: /api/test', 'Response: 418']);
});

test('middleware may keep requests from the backend', async () => {
  const backend = await listing();
  const app = express()
    .use((_, response) => void response.sendStatus(401))
    .use(scgi('/api', backend.target));
  expect((await fetchFrom(await startApp(app), '/api')).status).toBe(401);
  expect(backend.connections).toHaveLength(0);
});

describe('the environment variables', () => {
  test('are those of CGI, of SCGI and of the request', async () => {
    expect(await variablesWith({}, { Host: 'example.com' })).toMatchObject({
      SCGI: '1',
      CONTENT_LENGTH: '0',
      GATEWAY_INTERFACE: 'CGI/1.1',
      PATH_INFO: '/users/123',
      QUERY_STRING: 'search=hello',
      SERVER_NAME: 'example.com',
      SERVER_PORT: expect.stringMatching(/^[0-9]+$/),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_METHOD: 'GET',
    });
  });

  test('have the mount point in SCRIPT_NAME, which Xitzin leaves empty', async () => {
    expect(await variablesWith({})).toMatchObject({ SCRIPT_NAME: '/api', REQUEST_URI: '/api/users/123?search=hello' });
  });
});

describe('the state of the application', () => {
  test('is passed by key, upper-cased behind APP_', async () => {
    const appState = { db_url: 'postgres://localhost/mydb', api_key: 'secret123', other: 'not asked for' };
    const variables = await variablesWith({ appState, appStateKeys: ['db_url', 'api_key'] });
    expect(variables).toMatchObject({ APP_DB_URL: 'postgres://localhost/mydb', APP_API_KEY: 'secret123' });
    expect(Object.keys(variables).filter((name) => name.startsWith('APP_'))).toHaveLength(2);
  });

  test('is passed under another prefix where one is given', async () => {
    const options = { appState: { a: 1 }, appStateKeys: ['a'], appStatePrefix: 'XITZIN_' };
    expect(await variablesWith(options)).toMatchObject({ XITZIN_A: '1' });
  });

  test('has its missing keys skipped', async () => {
    const appState = { there: 'yes', empty: undefined, none: null };
    const variables = await variablesWith({ appState, appStateKeys: ['there', 'empty', 'none', 'missing'] });
    expect(Object.keys(variables).filter((name) => name.startsWith('APP_'))).toEqual(['APP_THERE']);
  });

  test('has its values turned into text', async () => {
    const appState = { number: 42, flag: false, list: [1, 2], text: '' };
    const options = { appState, appStateKeys: Object.keys(appState) };
    expect(await variablesWith(options)).toMatchObject({
      APP_NUMBER: '42',
      APP_FLAG: 'false',
      APP_LIST: '1,2',
      APP_TEXT: '',
    });
  });

  test('is read at each request: what a start-up hook has set is there', async () => {
    const appState: { db_url?: string } = {};
    const backend = await listing();
    const front = await startApp(scgi(backend.target, { appState, appStateKeys: ['db_url'] }));
    expect((await fetchFrom(front)).body).not.toContain('APP_DB_URL');
    appState.db_url = 'postgres://later';
    expect((await fetchFrom(front)).body).toContain('APP_DB_URL=postgres://later');
  });

  test('is nothing without keys', async () => {
    const variables = await variablesWith({ appState: { secret: 'x' } });
    expect(Object.keys(variables).filter((name) => name.startsWith('APP_'))).toEqual([]);
  });
});

describe('the environment of the process', () => {
  const environment = (values: Record<string, string>): void => {
    for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
  };

  test('stays here by default, where Xitzin passes it on', async () => {
    environment({ TEST_SECRET: 'x' });
    expect(await variablesWith({})).not.toHaveProperty('TEST_SECRET');
  });

  test('goes with inheritEnvironment: true', async () => {
    environment({ TEST_SETTING: 'grün' });
    const variables = await variablesWith({ inheritEnvironment: true });
    expect(Buffer.from(variables['TEST_SETTING'] ?? '', 'latin1').toString()).toBe('grün');
  });

  test('goes by name with a list, and names that are not set do not matter', async () => {
    environment({ TEST_ONE: '1', TEST_TWO: '2' });
    const variables = await variablesWith({ inheritEnvironment: ['TEST_ONE', 'TEST_NONE'] });
    expect(variables).toMatchObject({ TEST_ONE: '1' });
    expect(variables).not.toHaveProperty('TEST_TWO');
    expect(variables).not.toHaveProperty('TEST_NONE');
  });

  test('never passes for the request', async () => {
    environment({
      HTTP_PROXY: 'p',
      http_proxy: 'p',
      PROXY: 'p',
      REMOTE_USER: 'root',
      PATH_INFO: '/x',
      HTTPS: 'on',
      HTTP_HOST: 'h',
    });
    const variables = await variablesWith({ inheritEnvironment: true }, { Host: 'example.com' });
    expect(variables).toMatchObject({ PATH_INFO: '/users/123', HTTP_HOST: 'example.com' });
    for (const name of ['HTTP_PROXY', 'http_proxy', 'PROXY', 'REMOTE_USER', 'HTTPS']) {
      expect(variables).not.toHaveProperty(name);
    }
  });
});

describe('timeouts', () => {
  test('a backend that does not respond within `timeout` makes a proxy error', async () => {
    const { target } = await startBackend();
    const { middleware, errors } = watched('/api', target, { timeout: 50 });
    expect((await fetchFrom(await startApp(middleware), '/api')).status).toBe(504);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'first byte' } }]);
  });

  test('a backend that stops in the middle is broken off, and one that drips is not, however long it takes', async () => {
    const { target } = await startBackend(async ({ socket }) => {
      socket.write('Status: 200 OK\r\nContent-Length: 10\r\n\r\n');
      for (let count = 0; count < 9; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, 30));
        socket.write('x');
      }
    });
    const { middleware, errors } = watched('/api', target, { timeout: 150 });
    const client = new RawClient(await startApp(middleware));
    client.send('GET /api HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.closed();
    expect(client.text.split('\r\n\r\n')[1]).toBe('xxxxxxxxx');
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_TIMEOUT', details: { awaited: 'response' } }]);
  });

  test('`timeout` is the default of the finer ones, which win', async () => {
    const { settings } = new ScgiHandler('127.0.0.1', 4000, { timeout: 1000, idleTimeout: 7 });
    expect(settings.backend.settings).toMatchObject({ connectTimeout: 1000, firstByteTimeout: 1000, idleTimeout: 7 });
  });

  test.each([
    [{}, 5000, 30_000],
    [{ timeout: 60_000 }, 5000, 60_000],
    [{ timeout: 0 }, 5000, 0],
  ])('with %o, connecting may take %i ms and an answer %i ms', (options, connectTimeout, firstByteTimeout) => {
    const { settings } = new ScgiHandler('127.0.0.1', 4000, options);
    expect(settings.backend.settings).toMatchObject({
      connectTimeout,
      firstByteTimeout,
      idleTimeout: firstByteTimeout,
    });
  });
});

describe('the limit of the response size', () => {
  const body = (length: number): string => `Status: 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;

  test('a larger response is a proxy error, of which the client sees nothing but the status', async () => {
    const { target } = await answering(body(11));
    const { middleware, errors } = watched('/api', target, { maxResponseSize: 10 });
    const answer = await fetchFrom(await startApp(middleware), '/api');
    expect(answer).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_TOO_LARGE' }]);
  });

  test('one as large as the limit is none', async () => {
    const { target } = await answering(body(10));
    const front = await startApp(scgi('/api', target, { maxResponseSize: 10 }));
    expect((await fetchFrom(front, '/api')).body).toBe('xxxxxxxxxx');
  });

  test('one whose size shows only on the way breaks the connection off: it must not look whole', async () => {
    const { target } = await startBackend(({ socket }) => {
      socket.write('Status: 200 OK\r\n\r\n12345');
      socket.write('678901');
    });
    const { middleware, errors } = watched('/api', target, { maxResponseSize: 10 });
    const client = new RawClient(await startApp(middleware));
    client.send('GET /api HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.closed();
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_RESPONSE_TOO_LARGE' }]);
  });

  test('of 0 means zero, where Xitzin takes it for none', async () => {
    const { target } = await answering(body(1));
    const { middleware } = watched('/api', target, { maxResponseSize: 0 });
    expect((await fetchFrom(await startApp(middleware), '/api')).status).toBe(502);
    const empty = await answering(body(0));
    expect((await fetchFrom(await startApp(scgi('/api', empty.target, { maxResponseSize: 0 })), '/api')).status).toBe(
      200,
    );
  });

  test('of null is none, and none is the default, because bodies are streamed', async () => {
    const { target } = await answering(body(3_000_000));
    for (const options of [{}, { maxResponseSize: null }]) {
      expect((await fetchFrom(await startApp(scgi('/api', target, options)), '/api')).body).toHaveLength(3_000_000);
    }
  });
});

test('bufferSize is the most that is read at once', async () => {
  const { target } = await answering(`Status: 200 OK\r\n\r\n${'x'.repeat(1000)}`);
  const front = await startApp(scgi(target, { bufferSize: 100 }));
  const client = new RawClient(front);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.sees('\r\n0\r\n\r\n');
  const chunks =
    client.text
      .split('\r\n\r\n')
      .slice(1)
      .join('')
      .match(/[0-9a-f]+(?=\r\nx)/g) ?? [];
  expect(chunks.length).toBeGreaterThanOrEqual(10);
  for (const size of chunks) expect(Number.parseInt(size, 16)).toBeLessThanOrEqual(100);
});

describe('errors', () => {
  test.each([
    [
      'connection refused',
      502,
      'ERR_SCGI_BACKEND_UNREACHABLE',
      async () => {
        const { target, server } = await startBackend(undefined, { tcp: true });
        await new Promise((resolve) => server.close(resolve));
        return target;
      },
    ],
    [
      'socket not found',
      502,
      'ERR_SCGI_BACKEND_UNREACHABLE',
      async () => `unix:${join(temporaryFolder(), 'missing.sock')}`,
    ],
    ['read timeout', 504, 'ERR_SCGI_BACKEND_TIMEOUT', async () => (await startBackend()).target],
    [
      'response too large',
      502,
      'ERR_SCGI_RESPONSE_TOO_LARGE',
      async () => (await answering('Content-Length: 99\r\n\r\n')).target,
    ],
    ['invalid response', 502, 'ERR_SCGI_RESPONSE_HEAD', async () => (await answering('20 text/gemini\r\n# Hi')).target],
    ['no output', 502, 'ERR_SCGI_RESPONSE_EMPTY', async () => (await answering('')).target],
    [
      'connection reset',
      502,
      'ERR_SCGI_BACKEND_RESET',
      async () => {
        const backend = await startBackend(
          async ({ socket }) => {
            await once(socket, 'readable');
            socket.resetAndDestroy();
          },
          { tcp: true },
        );
        return backend.target;
      },
    ],
  ])('%s: %i for the client and nothing else, %s for onError', async (_, status, code, start) => {
    const target = await start();
    const { middleware, errors } = watched('/api', target, { timeout: 200, maxResponseSize: 50 });
    const answer = await fetchFrom(await startApp(middleware), '/api');
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(new RegExp(`^${status} [A-Z][A-Za-z ]+\n$`));
    expect(JSON.stringify(answer.rawHeaders)).not.toContain('sock');
    expect(errors).toMatchObject([{ code }]);
  });

  test('too many at once: 503', async () => {
    const backend = await startBackend();
    const { middleware, errors } = watched('/api', backend.target, { maxConcurrent: 1, maxQueued: 0 });
    const front = await startApp(middleware);
    const first = new RawClient(front);
    first.send('GET /api HTTP/1.1\r\nHost: x\r\n\r\n');
    await backend.connection();
    expect((await fetchFrom(front, '/api')).status).toBe(503);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_BUSY' }]);
  });

  test('middleware can handle proxy errors', async () => {
    const { target } = await answering('');
    const statuses: number[] = [];
    const app = express().use((_, response, next) => {
      response.on('finish', () => statuses.push(response.statusCode));
      next();
    });
    await fetchFrom(await startApp(app.use(watched('/api', target).middleware)), '/api');
    expect(statuses).toEqual([502]);
  });

  test('onError gets the request, as the framework has it', async () => {
    const { target } = await answering('');
    const seen: unknown[] = [];
    const onError = (error: Error, request: express.Request): void => void seen.push(error.name, request.originalUrl);
    await fetchFrom(await startApp(express().use('/api', scgi(target, { onError }))), '/api/x');
    expect(seen).toEqual(['RemoteProtocolError', '/api/x']);
  });
});
