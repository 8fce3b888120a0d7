// A Gemini handler behind a Gemini server that speaks SCGI: what it sees of each server's variables, what is answered.

import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { BackendSocket, parseTarget } from '@scgi/client/exchange';
import { encodeRequest } from '@scgi/core/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createGeminiApp, GeminiResponse, serveScgi } from '../src/index.js';
import type { GeminiHandler, GeminiRequest, GeminiServeOptions } from '../src/index.js';
import { ask, askOverWire, clientFingerprint, clientIdentity } from './support/client.js';
import { front } from './support/front.js';
import { deferred, within } from './support/within.js';

interface Served {
  readonly address: string;
  readonly errors: unknown[];
}

async function serve(handler: GeminiHandler, options: GeminiServeOptions = {}): Promise<Served> {
  const errors: unknown[] = [];
  const running = await serveScgi(handler, { bind: 0, onError: (error) => void errors.push(error), ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  return { address: running.endpoints[0]?.address ?? '', errors };
}

/** Sends bytes, reads until the end. A net.Socket would lose a reset that comes together with bytes. */
async function talk(address: string, bytes: Uint8Array | string): Promise<{ text: string; reset: boolean }> {
  const chunks: Uint8Array[] = [];
  const socket = new BackendSocket((chunk) => chunks.push(chunk));
  onTestFinished(() => void socket.destroy());
  const ended = new Promise<boolean>((resolve) => {
    socket.once('end', () => resolve(false)).once('error', () => resolve(true));
  });
  socket.connect(parseTarget(address).connect).write(bytes);
  const reset = await within('the end', ended);
  return { text: Buffer.concat(chunks).toString('utf8'), reset };
}

const head = (variables: Record<string, string>): Uint8Array => encodeRequest(Object.entries(variables).flat(), 0);

/** What the handler sees. */
async function observe(variables: Record<string, string>): Promise<GeminiRequest> {
  let seen: GeminiRequest | undefined;
  const { address } = await serve((request) => {
    seen = request;
    return 'ok';
  });
  expect((await talk(address, head(variables))).text).toBe('20 text/gemini\r\nok');
  if (seen === undefined) throw new Error('the handler was not called');
  return seen;
}

/** As Debian's Molly Brown sends them. */
const mollyBrown = {
  QUERY_STRING: 'q=1',
  PATH_INFO: '/x y/ü',
  REQUEST_METHOD: '',
  SERVER_NAME: 'localhost',
  SERVER_PORT: '19651',
  SERVER_PROTOCOL: 'GEMINI',
  SERVER_SOFTWARE: 'MOLLY_BROWN',
  REMOTE_ADDR: '127.0.0.1',
  SCRIPT_PATH: '/app',
};
const octets = (variables: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));

describe('a request', () => {
  test('from Molly Brown', async () => {
    const { SERVER_SOFTWARE } = mollyBrown;
    const request = await observe(
      octets({
        ...mollyBrown,
        AUTH_TYPE: 'Certificate',
        TLS_CLIENT_HASH: 'ab01',
        TLS_CLIENT_SUBJECT_CN: 'Ada Löwe',
        TLS_CLIENT_ISSUER_CN: 'Ada Löwe',
      }),
    );
    expect(request).toMatchObject({
      url: 'gemini://localhost:19651/app/x%20y/%C3%BC?q=1',
      host: 'localhost',
      port: 19_651,
      path: '/app/x y/ü',
      query: 'q=1',
      scriptName: '/app',
      pathInfo: '/x y/ü',
      remoteAddress: '127.0.0.1',
      tls: undefined,
      certificate: { fingerprint: 'ab01', commonName: 'Ada Löwe', issuerCommonName: 'Ada Löwe' },
    });
    expect(request.env?.['SERVER_SOFTWARE']).toBe(SERVER_SOFTWARE);
  });

  test('from Molly Brown, which cuts at no segment, is not below the mount point then', async () => {
    const request = await observe({ ...mollyBrown, PATH_INFO: 'le' });
    expect(request).toMatchObject({ path: '/apple', scriptName: '', pathInfo: '/apple' });
  });

  test('from Molly Brown with a slash at the end of its path', async () => {
    const request = await observe({ ...mollyBrown, SCRIPT_PATH: '/app/', PATH_INFO: 'x' });
    expect(request).toMatchObject({ path: '/app/x', scriptName: '/app', pathInfo: '/x' });
  });

  test('from Molly Brown with its address and port in one', async () => {
    const request = await observe({ ...mollyBrown, REMOTE_ADDR: '[2001:db8::7]:4711' });
    expect(request).toMatchObject({ remoteAddress: '2001:db8::7', remotePort: 4711 });
    const other = await observe({ ...mollyBrown, REMOTE_ADDR: '192.0.2.7:4711' });
    expect(other).toMatchObject({ remoteAddress: '192.0.2.7', remotePort: 4711 });
  });

  test('from Xitzin, whose mount point shows in the URL only', async () => {
    const request = await observe({
      GEMINI_URL: 'gemini://example.com/api/users/123?search=hello',
      SCRIPT_NAME: '',
      PATH_INFO: '/users/123',
      QUERY_STRING: 'search=hello',
      REMOTE_ADDR: '192.0.2.7',
      TLS_CLIENT_AUTHORISED: '0',
    });
    expect(request).toMatchObject({
      scriptName: '/api',
      pathInfo: '/users/123',
      input: 'search=hello',
      certificate: undefined,
    });
  });

  test('from a server that writes fingerprints as Jetforce does', async () => {
    const request = await observe({ GEMINI_URL: 'gemini://h/', TLS_CLIENT_HASH: 'SHA256:AB01', REMOTE_USER: 'Ada' });
    expect(request.certificate).toMatchObject({ fingerprint: 'ab01', commonName: 'Ada' });
  });

  test('from a server that says of an address what is none', async () => {
    expect(await observe({ GEMINI_URL: 'gemini://h/', REMOTE_ADDR: 'somewhere' })).toMatchObject({
      remoteAddress: undefined,
    });
  });

  test('is the same through our own front', async () => {
    let direct: GeminiRequest | undefined;
    let behind: GeminiRequest | undefined;
    const app = createGeminiApp().mount('/direct', (request) => ((direct = request), 'ok'));
    const { address } = await serve(createGeminiApp().mount('/', (request) => ((behind = request), 'ok')));
    app.scgi('/scgi', address);
    const { port } = await front(app);
    await ask(port, '/direct/a%20b/%C3%BC?x%20y', clientIdentity);
    await ask(port, '/scgi/a%20b/%C3%BC?x%20y', clientIdentity);
    for (const name of ['host', 'port', 'query', 'input', 'remoteAddress', 'pathInfo', 'tls']) {
      expect([name, Reflect.get(Object(behind), name)]).toEqual([name, Reflect.get(Object(direct), name)]);
    }
    expect(behind?.scriptName).toBe('/scgi');
    expect(behind?.url).toBe(direct?.url.replace('/direct/', '/scgi/'));
    const { notBefore, notAfter, ...certificate } = direct?.certificate ?? {};
    expect(behind?.certificate).toMatchObject(certificate);
    expect([behind?.certificate?.notBefore, behind?.certificate?.notAfter]).toEqual([notBefore, notAfter]);
    expect(behind?.certificate?.fingerprint).toBe(clientFingerprint);
  });
});

describe('an answer', () => {
  test('streams', async () => {
    const { address, errors } = await serve(() => GeminiResponse.success(Readable.from(['a', Buffer.from('b')])));
    expect(await talk(address, head(mollyBrown)).then(({ text }) => text)).toBe('20 text/gemini\r\nab');
    expect(errors).toEqual([]);
  });

  test('without a meta has none', async () => {
    const { address } = await serve(() => GeminiResponse.notFound(''));
    expect((await talk(address, head(mollyBrown))).text).toBe('51\r\n');
  });

  test('of a handler that throws is 42, without a word of why', async () => {
    const { address, errors } = await serve(() => {
      throw new Error('the database password is wrong');
    });
    expect((await talk(address, head(mollyBrown))).text).toBe('42 CGI error\r\n');
    expect(errors).toEqual([expect.objectContaining({ message: 'the database password is wrong' })]);
  });

  test('of a handler that takes too long is 42', async () => {
    const { address, errors } = await serve(() => new Promise(() => {}), { handlerTimeout: 50 });
    expect((await talk(address, head(mollyBrown))).text).toBe('42 CGI error\r\n');
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_HANDLER_TIMEOUT' })]);
  });

  test('whose body fails is reset', async () => {
    const { address, errors } = await serve(() =>
      GeminiResponse.success(
        (async function* () {
          yield 'half';
          await new Promise((resolve) => setImmediate(resolve));
          throw new Error('the disk is gone');
        })(),
      ),
    );
    expect(await talk(address, head(mollyBrown))).toMatchObject({ reset: true });
    expect(errors).toHaveLength(1);
    const app = createGeminiApp();
    app.scgi('/', address, { onError() {} });
    expect((await askOverWire((await front(app)).port, '/')).ending).toBe('truncated');
  });

  test('is dropped when the Gemini server leaves', async () => {
    const asked = deferred<void>();
    const dropped = deferred<void>();
    const { address, errors } = await serve(() => {
      asked.resolve();
      const body = new Readable({ read() {} });
      body.push('some');
      body.on('close', () => dropped.resolve());
      return GeminiResponse.success(body);
    });
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host);
    socket.write(head(mollyBrown));
    await asked.promise;
    socket.on('data', () => socket.resetAndDestroy());
    await within('the end of the body', dropped.promise);
    expect(errors).toEqual([]);
  });
});

describe('what is no request', () => {
  const app = (): string => 'ok';

  test.each([
    ['variables without a place', head({ QUERY_STRING: '' })],
    ['a URL that is none', head({ GEMINI_URL: 'hello' })],
    ['a URL of another scheme', head({ GEMINI_URL: 'https://example.com/' })],
    ['a path with dots', head({ ...mollyBrown, PATH_INFO: '/../etc/passwd' })],
  ])('is answered 59: %s', async (_, bytes) => {
    const { address, errors } = await serve(app);
    expect((await talk(address, bytes)).text).toBe('59 Bad request\r\n');
    expect(errors).toEqual([]);
  });

  test('is answered 42 when it is no SCGI', async () => {
    expect((await talk((await serve(app)).address, '0:,')).text).toBe('42 CGI error\r\n');
  });

  test('is answered 42 when it does not come in time', async () => {
    const { address } = await serve(app, { headersTimeout: 50 });
    expect((await talk(address, '50:')).text).toBe('42 CGI error\r\n');
  });

  test('is answered in HTTP when it is HTTP', async () => {
    const { text } = await talk((await serve(app)).address, 'GET / HTTP/1.1\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test('an application is started before it is asked, and stopped behind the last request', async () => {
  const seen: string[] = [];
  const app = createGeminiApp()
    .onStartup(() => void seen.push('start'))
    .onShutdown(() => void seen.push('stop'))
    .route('/app', () => (seen.push('request'), 'ok'));
  const running = await serveScgi(createGeminiApp().mount('/', app), { bind: 0 });
  await running.close();
  expect(seen).toEqual([]);
  const other = await serveScgi(app, { bind: 0 });
  await talk(other.endpoints[0]?.address ?? '', head({ ...mollyBrown, SCRIPT_PATH: '', PATH_INFO: '/app' }));
  await other.close();
  await other.close();
  expect(seen).toEqual(['start', 'request', 'stop']);
});
