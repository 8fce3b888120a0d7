// Requests and responses over TLS: what is served, what is refused, and what the client can tell from the end.

import { connect as connectTcp } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createGeminiApp, GeminiResponse, listenGemini } from '../src/index.js';
import type { GeminiBody, GeminiRequest } from '../src/index.js';
import {
  ask,
  askOverWire,
  clientFingerprint,
  clientIdentity,
  fixture,
  open,
  readAll,
  requestLine,
} from './support/client.js';
import { front } from './support/front.js';
import { deferred, standstill, until, within } from './support/within.js';

const echo = ({ url }: GeminiRequest): string => url;

describe('a request', () => {
  test('is answered at every cut', async () => {
    const { port } = await front(echo);
    const line = Buffer.from(requestLine(port, '/x'));
    for (const cut of [1, 5, line.length - 2, line.length - 1]) {
      const { header, text } = await ask(port, [line.subarray(0, cut), line.subarray(cut)]);
      expect(header).toBe('20 text/gemini');
      expect(text).toBe(`gemini://localhost:${port}/x`);
    }
  });

  test('tells who asks, and how', async () => {
    let seen: GeminiRequest | undefined;
    const { port } = await front((request) => {
      seen = request;
      return 'ok';
    });
    await ask(port, '/');
    expect(seen).toMatchObject({ remoteAddress: '127.0.0.1', certificate: undefined, env: undefined });
    expect(seen?.tls).toEqual({ version: 'TLSv1.3', cipher: expect.stringContaining('TLS_') });
    await ask(port, '/', { ...clientIdentity, maxVersion: 'TLSv1.2' });
    expect(seen?.tls?.version).toBe('TLSv1.2');
    expect(seen?.certificate).toEqual({
      fingerprint: clientFingerprint,
      commonName: 'Ada Löwe',
      issuerCommonName: 'Ada Löwe',
      serialNumber: '429FE40F02D735AAE3C240E407E0A99112D65A9B',
      notBefore: expect.any(Date),
      notAfter: expect.any(Date),
    });
  });

  test.each([
    ['that is no URL', 'hello\r\n'],
    ['that is empty', '\r\n'],
    ['with a fragment', 'gemini://localhost/#x\r\n'],
    ['with userinfo', 'gemini://me@localhost/\r\n'],
    ['with a NUL', 'gemini://localhost/\0\r\n'],
    ['ended by a bare LF', 'gemini://localhost/\n'],
    ['that is HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['that is too long', 'gemini://localhost/'.padEnd(60_000, 'a')],
  ])('%s gets 59', async (_, bytes) => {
    const { port, errors } = await front(echo);
    expect(await ask(port, [bytes])).toMatchObject({ header: '59 Bad request', text: '' });
    expect(errors).toEqual([]);
  });

  test.each([
    ['for another host', 'gemini://example.com/'],
    ['for another port', 'gemini://localhost:7/'],
    ['for the default port, which is not ours', 'gemini://localhost/'],
    ['for another scheme', 'https://localhost/'],
  ])('%s gets 53', async (_, url) => {
    const { port } = await front(echo);
    expect(await ask(port, url)).toMatchObject({ header: '53 Proxy request refused', text: '' });
  });

  test.each(['127.0.0.1', '[::1]', 'LOCALHOST', 'www.capsule.test', 'bücher.test', 'xn--bcher-kva.test'])(
    'for a name of the certificate is served: %s',
    async (host) => {
      const { port } = await front(echo);
      expect((await ask(port, `gemini://${host}:${port}/`)).header).toBe('20 text/gemini');
    },
  );

  test('may be for other names and another port, if the options say so', async () => {
    const { port } = await front(echo, { hostnames: ['Bücher.example', '::2'], publicPort: 1965 });
    expect(port).toBe(1965);
    const { server } = await front(echo, { hostnames: ['Bücher.example', '::2'] });
    expect((await ask(server.port, `gemini://xn--bcher-kva.example:${server.port}/`)).header).toBe('20 text/gemini');
    expect((await ask(server.port, `gemini://[::2]:${server.port}/`)).header).toBe('20 text/gemini');
    expect((await ask(server.port, `gemini://localhost:${server.port}/`)).header).toBe('53 Proxy request refused');
  });

  test('may be followed by bytes that nobody wants', async () => {
    const { port } = await front(echo);
    const { header } = await ask(port, [requestLine(port, '/'), 'x'.repeat(10_000)]);
    expect(header).toBe('20 text/gemini');
  });

  test('may come with the end of the client’s side', async () => {
    const { port } = await front(async () => GeminiResponse.success(slowly('whole')));
    const socket = await open(port);
    const answer = readAll(socket);
    socket.end(requestLine(port, '/'));
    expect(await answer).toMatchObject({ header: '20 text/gemini', text: 'whole' });
  });
});

async function* slowly(...pieces: string[]): AsyncGenerator<string> {
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve));
    yield piece;
  }
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a client is known again in a resumed session of %s', async (version) => {
  const { port } = await front(({ certificate }) => certificate?.fingerprint ?? 'nobody');
  const options = { ...clientIdentity, minVersion: version, maxVersion: version };
  const first = await open(port, options);
  first.write(requestLine(port, '/'));
  expect((await readAll(first)).text).toBe(clientFingerprint);
  const second = await open(port, { ...options, session: first.getSession() });
  expect(second.isSessionReused()).toBe(true);
  second.write(requestLine(port, '/'));
  expect((await readAll(second)).text).toBe(clientFingerprint);
});

describe('a response', () => {
  const large = Buffer.alloc(3_000_000, 'gemini');

  test.each<[string, () => GeminiBody, Uint8Array]>([
    ['a string', () => '# Hü', Buffer.from('# Hü')],
    ['an empty string', () => '', Buffer.alloc(0)],
    ['bytes', () => Buffer.from('bytes'), Buffer.from('bytes')],
    ['many bytes', () => large, large],
    ['a long string', () => large.toString(), large],
    ['a Readable', () => Readable.from(['a', Buffer.from('b')]), Buffer.from('ab')],
    ['a ReadableStream', () => new Blob(['web']).stream(), Buffer.from('web')],
    ['an async iterable', () => slowly('one ', '', 'two'), Buffer.from('one two')],
    ['an iterable', () => ['three ', 'four'], Buffer.from('three four')],
  ])('may have %s for its body', async (_, body, bytes) => {
    const { port, errors } = await front(() => GeminiResponse.success(body(), 'application/octet-stream'));
    const answer = await ask(port, '/');
    expect(answer.header).toBe('20 application/octet-stream');
    expect(answer.body.equals(bytes)).toBe(true);
    expect(errors).toEqual([]);
  });

  test.each([
    ['with a body', () => GeminiResponse.success(slowly('a', 'b')), '20 text/gemini', 'ab'],
    ['without a body', () => GeminiResponse.redirect('/new'), '30 /new', ''],
  ])('that is whole ends with close_notify, %s', async (_, handler, header, text) => {
    const { port } = await front(handler);
    expect(await askOverWire(port, '/')).toMatchObject({ header, text, ending: 'close_notify' });
  });

  test('of a handler that throws is 40, without a word of why', async () => {
    const { port, errors } = await front(() => {
      throw new Error('the database password is wrong');
    });
    expect(await askOverWire(port, '/')).toMatchObject({
      header: '40 Temporary failure',
      text: '',
      ending: 'close_notify',
    });
    expect(errors).toEqual([expect.objectContaining({ message: 'the database password is wrong' })]);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    // @ts-expect-error What a program without types may do.
    ['returns nothing', (): GeminiResponse => undefined],
  ])('of a handler that %s is 40', async (_, handler) => {
    const { port, errors } = await front(handler);
    expect((await ask(port, '/')).header).toBe('40 Temporary failure');
    expect(errors).toHaveLength(1);
  });

  test.each<[string, () => GeminiBody]>([
    ['fails', () => failing()],
    ['is destroyed', () => destroyedLater()],
    ['was read already', () => destroyedNow()],
    ['gives what are no bytes', () => Readable.from([Buffer.from('half'), { not: 'bytes' }])],
  ])('whose body %s is visibly truncated', async (_, body) => {
    const { port, errors } = await front(() => GeminiResponse.success(body()));
    expect(await askOverWire(port, '/')).toMatchObject({ ending: 'truncated' });
    expect(errors).toHaveLength(1);
  });

  async function* failing(): AsyncGenerator<string> {
    yield 'half';
    throw new Error('the disk is gone');
  }

  function destroyedLater(): Readable {
    const body = new Readable({ read() {} });
    body.push('half');
    setImmediate(() => body.destroy());
    return body;
  }

  function destroyedNow(): Readable {
    const body = Readable.from(['x']);
    body.destroy();
    return body;
  }
});

describe('a client that leaves', () => {
  test('destroys the body', async () => {
    let given = 0;
    const closed = deferred<void>();
    const body = new Readable({
      read() {
        given += 1;
        this.push(Buffer.alloc(65_536));
      },
      destroy(_error, callback) {
        closed.resolve();
        callback(null);
      },
    });
    const { port, errors } = await front(() => GeminiResponse.success(body, 'application/octet-stream'));
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await within('the first bytes', new Promise((resolve) => socket.once('data', resolve)));
    socket.destroy();
    await within('the end of the body', closed.promise);
    expect(given).toBeLessThan(1000);
    expect(errors).toEqual([]);
  });

  test('aborts the signal while the handler still works', async () => {
    const aborted = deferred<unknown>();
    const asked = deferred<void>();
    const { port, errors } = await front(
      ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        asked.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      { halfCloseTime: 0 },
    );
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await asked.promise;
    socket.end();
    expect(await within('the abort', aborted.promise)).toMatchObject({ code: 'ERR_SCGI_CLIENT_GONE' });
    expect(errors).toEqual([]);
  });

  test('right behind its request is not waited for without end', async () => {
    const closed = deferred<void>();
    const body = new Readable({ read() {} });
    body.on('close', () => closed.resolve());
    const { port } = await front(() => GeminiResponse.success(body), { idleTimeout: 100, halfCloseTime: 60_000 });
    const socket = await open(port);
    socket.end(requestLine(port, '/'));
    await within('the end of the body', closed.promise);
  });

  test('does not keep a response that comes too late', async () => {
    const asked = deferred<void>();
    const gone = deferred<void>();
    const dropped = deferred<void>();
    const { port } = await front(
      async ({ signal }) => {
        signal.addEventListener('abort', () => gone.resolve());
        asked.resolve();
        await gone.promise;
        const body = new Readable({ read() {} });
        body.on('close', () => dropped.resolve());
        return GeminiResponse.success(body);
      },
      { halfCloseTime: 0 },
    );
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await asked.promise;
    socket.destroy();
    await within('the end of the body', dropped.promise);
  });
});

describe('a slow client', () => {
  test('holds the body back, and gets all of it', async () => {
    const pieces = 400;
    let given = 0;
    const body = new Readable({
      read() {
        given += 1;
        this.push(given > pieces ? null : Buffer.alloc(65_536, 1));
      },
    });
    const { port } = await front(() => GeminiResponse.success(body, 'application/octet-stream'));
    const socket = await open(port);
    socket.pause();
    socket.write(requestLine(port, '/'));
    // As long as the kernel's buffers fill, it goes on.
    await standstill(() => given);
    expect(given).toBeLessThan(pieces);
    const answer = readAll(socket);
    socket.resume();
    expect((await answer).body.length).toBe(pieces * 65_536);
  });

  test('that reads nothing is cut off after idleTimeout', async () => {
    const closed = deferred<void>();
    const body = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
      destroy(_error, callback) {
        closed.resolve();
        callback(null);
      },
    });
    const { port } = await front(() => GeminiResponse.success(body), { idleTimeout: 100 });
    const socket = await open(port);
    socket.pause();
    socket.write(requestLine(port, '/'));
    await within('the end of the body', closed.promise);
  });

  test('with half a request gets 59 after requestTimeout', async () => {
    const { port } = await front(echo, { requestTimeout: 100 });
    const socket = await open(port);
    socket.write('gemini://');
    expect((await readAll(socket)).header).toBe('59 Request timeout');
  });

  test('that says nothing is closed after requestTimeout', async () => {
    const { port } = await front(echo, { requestTimeout: 100 });
    expect((await readAll(await open(port))).header).toBe('');
  });

  test('that says something after requestTimeout is not heard', async () => {
    let asked = 0;
    const { port } = await front(() => `${(asked += 1)}`, { requestTimeout: 50 });
    const socket = await open(port);
    expect((await readAll(socket)).header).toBe('');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end(requestLine(port, '/'));
    await within('the close', closed);
    expect(asked).toBe(0);
  });

  test('that does not even shake hands is closed after requestTimeout', async () => {
    const { port } = await front(echo, { requestTimeout: 100 });
    const socket = connectTcp(port, '127.0.0.1');
    await within(
      'the close',
      new Promise((resolve) =>
        socket
          .on('error', () => {})
          .on('close', resolve)
          .resume(),
      ),
    );
  });

  test('that never closes is cut off after lingerTimeout', async () => {
    const { port, server } = await front(echo, { lingerTimeout: 50 });
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await readAll(socket);
    expect(socket.writableEnded).toBe(false);
    await until('the close', () => server.connections === 0);
  });
});

test('a handler that takes too long is answered 40, and told', async () => {
  const aborted = deferred<void>();
  const { port, errors } = await front(
    ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve());
      return new Promise(() => {});
    },
    { handlerTimeout: 50 },
  );
  expect((await ask(port, '/')).header).toBe('40 Temporary failure');
  await within('the abort', aborted.promise);
  expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_HANDLER_TIMEOUT' })]);
});

describe('TLS', () => {
  test('before 1.2 is refused', async () => {
    const { port } = await front(echo);
    await expect(
      open(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    expect((await ask(port, '/')).header).toBe('20 text/gemini');
  });

  test('is needed', async () => {
    const { port } = await front(echo);
    const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
    socket.write(requestLine(port, '/'));
    await within('the close', new Promise((resolve) => socket.on('close', resolve).resume()));
    expect((await ask(port, '/')).header).toBe('20 text/gemini');
  });
});

describe('a front', () => {
  test('takes no more connections than maxConnections', async () => {
    const { port, server } = await front(echo, { maxConnections: 2 });
    const held = [await open(port), await open(port)];
    await expect(open(port)).rejects.toThrow();
    held[0]?.destroy();
    await until('the close', () => server.connections === 1);
    expect((await ask(port, '/')).header).toBe('20 text/gemini');
  });

  test('that closes lets requests in flight finish, and idle connections go', async () => {
    const asked = deferred<void>();
    const release = deferred<string>();
    const { port, server } = await front(() => {
      asked.resolve();
      return release.promise;
    });
    const idle = await open(port);
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await asked.promise;
    const answer = readAll(socket);
    const closed = server.close();
    expect((await readAll(idle)).header).toBe('');
    release.resolve('in time');
    expect(await answer).toMatchObject({ header: '20 text/gemini', text: 'in time' });
    socket.end();
    await within('the close', closed);
    await expect(open(port)).rejects.toThrow();
  });

  test('that closes breaks off what takes longer than the timeout', async () => {
    const asked = deferred<void>();
    const { port, server } = await front(() => {
      asked.resolve();
      return new Promise(() => {});
    });
    const socket = await open(port);
    socket.write(requestLine(port, '/'));
    await asked.promise;
    const answer = readAll(socket);
    await within('the close', server.close({ timeout: 20 }));
    expect((await answer).header).toBe('');
  });

  test('runs what the application wants at start and stop', async () => {
    const seen: string[] = [];
    const app = createGeminiApp()
      .onStartup(async () => void seen.push('start'))
      .onShutdown(() => void seen.push('stop 1'))
      .onShutdown(() => void seen.push('stop 2'))
      .route('/', () => {
        seen.push('request');
        return 'ok';
      });
    const server = await app.listen({ key: fixture('server-key.pem'), cert: fixture('server.pem'), port: 0 });
    await ask(server.port, '/');
    await server.close();
    await server.close();
    expect(seen).toEqual(['start', 'request', 'stop 2', 'stop 1']);
  });

  test.each([
    ['a key that is none', { key: 'x' }, 'ERR_SCGI_OPTION'],
    ['a certificate that is none', { cert: 'x' }, 'ERR_SCGI_OPTION'],
    ['a port that is none', { port: 70_000 }, 'ERR_SCGI_OPTION'],
    ['a name that is none', { hostnames: ['a b'] }, 'ERR_SCGI_OPTION'],
    ['an address of somebody else', { host: '192.0.2.1' }, 'ERR_SCGI_BIND'],
  ])('does not start with %s', async (_, options, code) => {
    const given = { key: fixture('server-key.pem'), cert: fixture('server.pem'), port: 0, ...options };
    await expect(listenGemini(echo, given)).rejects.toMatchObject({ code });
  });

  test('says so when its port is taken', async () => {
    const { port } = await front(echo);
    const given = { key: fixture('server-key.pem'), cert: fixture('server.pem'), port };
    await expect(listenGemini(echo, given)).rejects.toMatchObject({
      code: 'ERR_SCGI_BIND',
      details: { problem: 'EADDRINUSE' },
    });
  });

  test('listens on loopback unless told otherwise', async () => {
    expect((await front(echo)).server.address).toBe('127.0.0.1');
  });
});
