// Xitzin's page on SCGI backends, sentence by sentence, under its headings. Where we differ the test's name says so.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createGeminiApp, GeminiRequest, GeminiResponse, ScgiApp, scgiBackend, ScgiHandler } from '../src/index.js';
import type { GeminiApp, ScgiBackendOptions } from '../src/index.js';
import { answering, backend, closedPort, deafListener, temporaryFolder } from './support/backend.js';
import { ask, askOverWire, clientFingerprint, clientIdentity } from './support/client.js';
import { front } from './support/front.js';
import { deferred, until, within } from './support/within.js';

const quiet = { onError() {} };

/** An application that listens, with a backend below /api. */
async function serve(
  target: Parameters<GeminiApp['scgi']>[1],
  options: ScgiBackendOptions = quiet,
): Promise<{ app: GeminiApp; port: number; errors: unknown[]; frontErrors: unknown[] }> {
  const errors: unknown[] = [];
  const app = createGeminiApp();
  app.scgi('/api', target, { onError: (error) => void errors.push(error), ...options });
  const { port, errors: frontErrors } = await front(app);
  return { app, port, errors, frontErrors };
}

afterEach(() => vi.unstubAllEnvs());

describe('Connect via TCP', () => {
  test('requests to /api/* are forwarded to the SCGI backend', async () => {
    const { target, next } = await answering('20 text/gemini\r\n# Hello from SCGI!\n');
    const { port } = await serve(target);
    expect(await ask(port, '/api/users/123?search=hello')).toMatchObject({
      header: '20 text/gemini',
      text: '# Hello from SCGI!\n',
    });
    const { variables } = await next();
    expect(variables.get('PATH_INFO')).toBe('/users/123');
    expect(variables.get('QUERY_STRING')).toBe('search=hello');
  });
});

describe('Connect via Unix Socket', () => {
  test('a socket path is a backend, too', async () => {
    const socketPath = join(temporaryFolder(), 'myapp.sock');
    const server = createServer((socket) => void socket.end('20 text/gemini\r\nover a Unix socket'));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    onTestFinished(() => void server.close());
    expect((await ask((await serve({ socketPath })).port, '/api')).text).toBe('over a Unix socket');
    expect((await ask((await serve(`unix:${socketPath}`)).port, '/api')).text).toBe('over a Unix socket');
    const app = createGeminiApp().mount('/api', new ScgiApp(socketPath, { timeout: 60_000 }));
    expect((await ask((await front(app)).port, '/api')).text).toBe('over a Unix socket');
  });
});

describe('Use Explicit Handlers', () => {
  test('a handler with a configuration is mounted', async () => {
    const { target } = await answering('20 text/gemini\r\nexplicit');
    const handler = new ScgiHandler(target.host, target.port, { timeout: 60_000, maxResponseSize: 10 * 1024 * 1024 });
    const { port } = await front(createGeminiApp().mount('/api', handler));
    expect((await ask(port, '/api/test')).text).toBe('explicit');
    const { port: other } = await front(createGeminiApp().mount('/api', scgiBackend(target)));
    expect((await ask(other, '/api/test')).text).toBe('explicit');
  });

  test.each([
    ['neither', {}, 'neither host and port nor a socketPath'],
    ['both', { host: '127.0.0.1', port: 4000, socketPath: '/x' }, 'both host and port and a socketPath'],
    ['a host alone', { host: '127.0.0.1' }, 'host and port go together'],
    ['a port alone', { port: 4000 }, 'host and port go together'],
  ])('a target with %s is refused with a helpful word', (_, target, problem) => {
    // @ts-expect-error What a program without types may do.
    expect(() => createGeminiApp().scgi('/api', target)).toThrow(problem);
  });
});

describe('Response Format', () => {
  test.each([
    ['success with content', '20 text/gemini\r\n# Hello World', '20 text/gemini', '# Hello World'],
    ['request input', '10 Enter your name:\r\n', '10 Enter your name:', ''],
    ['redirect', '30 gemini://example.com/new-location\r\n', '30 gemini://example.com/new-location', ''],
    ['error', '51 Not found\r\n', '51 Not found', ''],
  ])('%s', async (_, response, header, text) => {
    const { target } = await answering(response);
    const { port, errors } = await serve(target);
    expect(await askOverWire(port, '/api')).toMatchObject({ header, text, ending: 'close_notify' });
    expect(errors).toEqual([]);
  });
});

describe('Environment Variables', () => {
  async function received(
    path: string,
    identity = {},
  ): Promise<{ variables: ReadonlyMap<string, string>; port: number }> {
    const { target, next } = await answering('20 text/gemini\r\n');
    const { port } = await serve(target);
    await ask(port, path, identity);
    return { variables: (await next()).variables, port };
  }

  test('SCGI is always 1, CONTENT_LENGTH always 0', async () => {
    const { variables } = await received('/api');
    expect([...variables].slice(0, 2)).toEqual([
      ['CONTENT_LENGTH', '0'],
      ['SCGI', '1'],
    ]);
  });

  test('PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT and GEMINI_URL say what was asked', async () => {
    const { variables, port } = await received('/api/users/123?search=hello');
    expect(Object.fromEntries(variables)).toMatchObject({
      PATH_INFO: '/users/123',
      QUERY_STRING: 'search=hello',
      SERVER_NAME: 'localhost',
      SERVER_PORT: `${port}`,
      GEMINI_URL: `gemini://localhost:${port}/api/users/123?search=hello`,
    });
  });

  test('SCRIPT_NAME is the mount point, where Xitzin leaves it empty', async () => {
    expect((await received('/api/users/123')).variables.get('SCRIPT_NAME')).toBe('/api');
  });

  test('TLS_CLIENT_HASH is the fingerprint of the certificate, and TLS_CLIENT_AUTHORISED 1', async () => {
    const { variables } = await received('/api', clientIdentity);
    expect(variables.get('TLS_CLIENT_HASH')).toBe(clientFingerprint);
    expect(variables.get('TLS_CLIENT_AUTHORISED')).toBe('1');
    expect(variables.get('AUTH_TYPE')).toBe('CERTIFICATE');
  });

  test('without a certificate TLS_CLIENT_AUTHORISED is 0', async () => {
    const { variables } = await received('/api');
    expect(variables.get('TLS_CLIENT_AUTHORISED')).toBe('0');
    expect(variables.has('TLS_CLIENT_HASH')).toBe(false);
    expect(variables.has('AUTH_TYPE')).toBe(false);
  });
});

describe('Pass Application State', () => {
  test('the keys that are named come as variables, with APP_ before them unless you say otherwise', async () => {
    const { target, requests } = await answering('20 text/gemini\r\n');
    const app = createGeminiApp();
    app.onStartup(() => {
      app.state['db_url'] = 'postgres://localhost/mydb';
      app.state['api_key'] = 'secret123';
    });
    app.scgi('/api', target, { appStateKeys: ['db_url'] });
    app.scgi('/old', target, { appStateKeys: ['db_url', 'api_key'], appStatePrefix: 'XITZIN_' });
    const { port } = await front(app);
    await ask(port, '/api');
    await ask(port, '/old');
    const [first, second] = requests.map(({ variables }) => Object.fromEntries(variables));
    expect(first).toMatchObject({ APP_DB_URL: 'postgres://localhost/mydb' });
    expect(first).not.toHaveProperty('APP_API_KEY');
    expect(second).toMatchObject({ XITZIN_DB_URL: 'postgres://localhost/mydb', XITZIN_API_KEY: 'secret123' });
  });

  test('a handler that is mounted gets them, too', async () => {
    const { target, next } = await answering('20 text/gemini\r\n');
    const app = createGeminiApp().mount('/api', scgiBackend(target, { appStateKeys: ['db_url'] }));
    app.state['db_url'] = 'x';
    await ask((await front(app)).port, '/api');
    expect((await next()).variables.get('APP_DB_URL')).toBe('x');
  });
});

describe('Limit Response Size', () => {
  test('null is for unlimited, which is the default here, where Xitzin’s is 1 MiB', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'x');
    const { target } = await answering('20 text/plain\r\n', large);
    for (const options of [{}, { maxResponseSize: null }]) {
      expect((await ask((await serve(target, options)).port, '/api')).body.length).toBe(large.length);
    }
  });

  test('a response as large as the limit passes', async () => {
    const { target } = await answering('20 text/plain\r\n', 'x'.repeat(10));
    expect((await ask((await serve(target, { maxResponseSize: 10 })).port, '/api')).text).toBe('xxxxxxxxxx');
  });

  test('0 means zero, where Xitzin takes it for unlimited', async () => {
    const { target } = await answering('20 text/plain\r\nx');
    const { port } = await serve(target, { ...quiet, maxResponseSize: 0 });
    expect((await ask(port, '/api')).header).toBe('43 SCGI response exceeds maximum size');
  });
});

describe('Error Handling', () => {
  async function failure(
    target: Parameters<typeof serve>[0],
    options: ScgiBackendOptions = {},
  ): Promise<[string, string]> {
    const { port, errors } = await serve(target, options);
    const { header, text, ending } = await askOverWire(port, '/api/x');
    expect({ text, ending }).toEqual({ text: '', ending: 'close_notify' });
    expect(errors).toHaveLength(1);
    return [header, errors.map((error) => Reflect.get(Object(error), 'code')).join()];
  }

  test('Connection refused: 43 Failed to connect to SCGI backend', async () => {
    const answer = await failure({ host: '127.0.0.1', port: await closedPort() });
    expect(answer).toEqual(['43 Failed to connect to SCGI backend', 'ERR_SCGI_BACKEND_UNREACHABLE']);
  });

  test('SCGI socket not found: 43 Failed to connect to SCGI backend, without its path', async () => {
    const answer = await failure({ socketPath: join(temporaryFolder(), 'secret.sock') });
    expect(answer).toEqual(['43 Failed to connect to SCGI backend', 'ERR_SCGI_BACKEND_UNREACHABLE']);
  });

  test('SCGI socket that is no socket: 43 Failed to connect to SCGI backend', async () => {
    const socketPath = join(temporaryFolder(), 'file');
    writeFileSync(socketPath, '');
    expect((await failure({ socketPath }))[0]).toBe('43 Failed to connect to SCGI backend');
  });

  test('Connection timeout: 43 SCGI connection timeout', async () => {
    const answer = await failure(await deafListener(), { connectTimeout: 100 });
    expect(answer).toEqual(['43 SCGI connection timeout', 'ERR_SCGI_BACKEND_TIMEOUT']);
  });

  test('Read timeout: 43 SCGI backend timeout', async () => {
    const answer = await failure((await backend()).target, { timeout: 100 });
    expect(answer).toEqual(['43 SCGI backend timeout', 'ERR_SCGI_BACKEND_TIMEOUT']);
  });

  test('Read timeout inside the header: 43 SCGI backend timeout', async () => {
    const half = await backend(({ socket }) => void socket.write('20 text/'));
    expect(await failure(half.target, { timeout: 100 })).toEqual([
      '43 SCGI backend timeout',
      'ERR_SCGI_BACKEND_TIMEOUT',
    ]);
  });

  test('Response too large: 43 SCGI response exceeds maximum size', async () => {
    const { target } = await answering(`20 text/plain\r\n${'x'.repeat(2000)}`);
    const answer = await failure(target, { maxResponseSize: 1000 });
    expect(answer).toEqual(['43 SCGI response exceeds maximum size', 'ERR_SCGI_RESPONSE_TOO_LARGE']);
  });

  test.each([
    ['no output', '', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['empty header', '\r\n', 'ERR_SCGI_GEMINI_RESPONSE'],
    ['invalid header format', 'hello\r\n', 'ERR_SCGI_GEMINI_RESPONSE'],
    ['status not 10–69', '99 x\r\n', 'ERR_SCGI_GEMINI_RESPONSE'],
    ['an answer of CGI', 'Status: 200 OK\r\nContent-Type: text/html\r\n\r\n', 'ERR_SCGI_GEMINI_RESPONSE'],
    ['end inside the header', '20 text/gem', 'ERR_SCGI_GEMINI_RESPONSE'],
  ])('Invalid response, %s: 43 SCGI backend error', async (_, response, code) => {
    expect(await failure((await answering(response)).target)).toEqual(['43 SCGI backend error', code]);
  });

  test('SCGI communication error: 43, when the connection is reset before the header', async () => {
    const { target } = await backend(({ socket }) => void socket.resetAndDestroy());
    expect(await failure(target)).toEqual(['43 SCGI communication error', 'ERR_SCGI_BACKEND_RESET']);
  });

  test('a busy backend: 43 SCGI backend is busy', async () => {
    const { target, requests } = await backend();
    const { port, errors } = await serve(target, { maxConcurrent: 1, maxQueued: 0 });
    const first = ask(port, '/api').catch(() => undefined);
    await until('the first request', () => requests.length === 1);
    expect((await ask(port, '/api')).header).toBe('43 SCGI backend is busy');
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_BACKEND_BUSY' })]);
    requests[0]?.socket.end('51 x\r\n');
    await first;
  });

  test.each<[string, (write: (text: string) => void, reset: () => void) => void, ScgiBackendOptions, string]>([
    ['a reset', (_write, reset) => reset(), {}, 'ERR_SCGI_BACKEND_RESET'],
    ['silence', () => {}, { timeout: 100 }, 'ERR_SCGI_BACKEND_TIMEOUT'],
    ['too much', (write) => write('x'.repeat(5000)), { maxResponseSize: 1000 }, 'ERR_SCGI_RESPONSE_TOO_LARGE'],
  ])('after the header %s truncates the response', async (_, then, options, code) => {
    const { target, next } = await backend(({ socket }) => void socket.write('20 text/plain\r\nhalf'));
    const { port, errors, frontErrors } = await serve(target, options);
    const began = deferred<void>();
    const answer = askOverWire(port, '/api', began.resolve);
    const { socket } = await next();
    await within('the header', began.promise);
    then(
      (text) => void socket.write(text),
      () => void socket.resetAndDestroy(),
    );
    expect(await answer).toMatchObject({ header: '20 text/plain', text: 'half', ending: 'truncated' });
    expect(errors).toEqual([expect.objectContaining({ code })]);
    // Once is enough.
    expect(frontErrors).toEqual([]);
  });

  test('failures can be handled gracefully by middleware', async () => {
    const seen: string[] = [];
    const app = createGeminiApp().use(async (_request, next) => {
      const response = await next();
      if (response.status === 43) seen.push(response.meta);
      return response.status === 43 ? GeminiResponse.success('# Come back later') : response;
    });
    app.scgi('/api', { host: '127.0.0.1', port: await closedPort() }, quiet);
    expect((await ask((await front(app)).port, '/api')).text).toBe('# Come back later');
    expect(seen).toEqual(['Failed to connect to SCGI backend']);
  });

  test('the next request works', async () => {
    let fails = true;
    const { target } = await backend(({ socket }) => {
      if (fails) socket.resetAndDestroy();
      else socket.end('20 text/gemini\r\nfine');
    });
    const { port } = await serve(target);
    expect((await ask(port, '/api')).header).toBe('43 SCGI communication error');
    fails = false;
    expect((await ask(port, '/api')).text).toBe('fine');
  });
});

describe('Combine with Regular Routes', () => {
  test('SCGI handlers work alongside regular routes, and win for matching paths', async () => {
    const { target } = await answering('20 text/gemini\r\nbackend');
    const app = createGeminiApp()
      .route('/', () => '# Home\n\n=> /api/ API (SCGI backend)')
      .route('/api/shadowed', () => 'never');
    app.scgi('/api', target);
    app.route('/about', () => '# About');
    const { port } = await front(app);
    expect((await ask(port, '/')).text).toContain('# Home');
    expect((await ask(port, '/about')).text).toBe('# About');
    expect((await ask(port, '/api/')).text).toBe('backend');
    expect((await ask(port, '/api/shadowed')).text).toBe('backend');
    expect((await ask(port, '/nothing')).header).toBe('51 Not found');
  });
});

describe('Apply Middleware', () => {
  test('middleware applies to SCGI requests just like to routes', async () => {
    const { target } = await answering('20 text/gemini\r\n');
    const seen: string[] = [];
    const app = createGeminiApp().use(async (request, next) => {
      seen.push(`Request: ${request.path}`);
      const response = await next();
      seen.push(`Response: ${response.status}`);
      return response;
    });
    app.scgi('/api', target);
    await ask((await front(app)).port, '/api/x');
    expect(seen).toEqual(['Request: /api/x', 'Response: 20']);
  });
});

describe('Test SCGI Integration', () => {
  test('an application with a mock server is asked without TLS', async () => {
    const { target } = await answering('20 text/gemini\r\n# Mock Response\n');
    const app = createGeminiApp();
    app.scgi('/api', target);
    const response = await app.handle(GeminiRequest.for('gemini://localhost/api/test'));
    expect(response).toMatchObject({ status: 20, meta: 'text/gemini' });
    expect(await response.text()).toContain('Mock Response');
  });
});

describe('Configuration Reference', () => {
  test('timeout, maxResponseSize, bufferSize, inheritEnvironment and appStateKeys are the options', async () => {
    vi.stubEnv('LANG', 'de');
    const { target, next } = await answering('20 text/gemini\r\n', 'x'.repeat(50_000));
    const { app, port } = await serve(target, {
      timeout: 60_000,
      maxResponseSize: 10 * 1024 * 1024,
      bufferSize: 16_384,
      inheritEnvironment: ['LANG'],
      appStateKeys: ['db_url', 'api_key'],
    });
    app.state['db_url'] = 'x';
    expect((await ask(port, '/api')).text).toBe('x'.repeat(50_000));
    const { variables } = await next();
    expect(Object.fromEntries(variables)).toMatchObject({ LANG: 'de', APP_DB_URL: 'x' });
  });

  test('the environment is not inherited by default, where Xitzin’s page says that it is', async () => {
    vi.stubEnv('SECRET_KEY', 'x');
    const { target, next } = await answering('20 text/gemini\r\n');
    await ask((await serve(target)).port, '/api');
    expect((await next()).variables.has('SECRET_KEY')).toBe(false);
  });
});
