// The fetch face.

import { getEventListeners, once } from 'node:events';
import { expect, test } from 'vitest';
import { createScgiFetch, ScgiClient } from '../src/index.js';
import { answering, type BackendConnection, startBackend } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { turns, until, within } from './support/within.js';

const ok = 'Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

/** A backend whose answer depends on the path, and what was asked. */
async function serving(answers: Record<string, string>): Promise<{ target: string; asked: string[] }> {
  const asked: string[] = [];
  const { target } = await startBackend(async (connection) => {
    const body = await connection.body();
    const { variables } = connection;
    const path = variables?.get('REQUEST_URI') ?? '';
    asked.push(`${variables?.get('REQUEST_METHOD')} ${path} ${variables?.get('CONTENT_TYPE') ?? '-'} ${body}`);
    await connection.answer(answers[path] ?? 'Status: 404 Not Found\r\n\r\n');
  });
  return { target, asked };
}

function variable(connection: BackendConnection, name: string): string | undefined {
  return connection.variables?.get(name);
}

test('makes the request of the URL, and a Response of the answer', async () => {
  const backend = await answering(
    'Status: 201 Made\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello',
  );
  const scgiFetch = createScgiFetch(backend.target);
  const response = await scgiFetch('https://example.com:8443/a%20b?c=d#e', { headers: { 'X-Y': 'z' } });
  expect(response).toBeInstanceOf(Response);
  expect(response).toMatchObject({ status: 201, statusText: 'Made', ok: true, redirected: false });
  expect(response.url).toBe('https://example.com:8443/a%20b?c=d');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await response.text()).toBe('hello');
  const connection = await backend.connection();
  expect(Object.fromEntries(connection.variables ?? [])).toMatchObject({
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/a%20b?c=d',
    PATH_INFO: '/a b',
    QUERY_STRING: 'c=d',
    HTTP_HOST: 'example.com:8443',
    HTTP_X_Y: 'z',
    SERVER_NAME: 'example.com',
    SERVER_PORT: '8443',
    HTTPS: 'on',
  });
});

test('takes relative URLs, URL objects and Request objects', async () => {
  const { target, asked } = await serving({ '/a': ok, '/b?x': ok, '/c': ok, '/d': ok });
  const scgiFetch = createScgiFetch(target, { origin: 'http://app.test' });
  expect((await scgiFetch('/a')).url).toBe('http://app.test/a');
  await scgiFetch(new URL('http://h/b?x'));
  await scgiFetch(new Request('http://h/c', { method: 'PUT', body: 'one' }));
  await scgiFetch(new Request('http://h/d', { method: 'PUT', body: 'one' }), { body: 'two' });
  const text = 'text/plain;charset=UTF-8';
  expect(asked).toEqual(['GET /a - ', 'GET /b?x - ', `PUT /c ${text} one`, `PUT /d ${text} two`]);
});

test.each([
  ['text', 'x', 'text/plain;charset=UTF-8', 'x'],
  ['bytes', new Uint8Array([120]), undefined, 'x'],
  ['parameters', new URLSearchParams({ a: 'b c' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=b+c'],
  ['a blob', new Blob(['x'], { type: 'x/y' }), 'x/y', 'x'],
])('sends %s with its length and type', async (_, body, type, sent) => {
  const backend = await answering(ok);
  await createScgiFetch(backend.target)('/', { method: 'POST', body });
  const connection = await backend.connection();
  expect(variable(connection, 'CONTENT_TYPE')).toBe(type);
  expect((await connection.body()).toString()).toBe(sent);
});

test('sends a form, and a Request with a Content-Length without keeping it', async () => {
  const backend = await answering(ok);
  const scgiFetch = createScgiFetch(backend.target, { maxHeldBody: 0, maxSpooledBody: 0 });
  const form = new FormData();
  form.append('a', 'b');
  expect((await scgiFetch('/', { method: 'POST', body: form })).status).toBe(200);
  expect((await (await backend.connection()).body()).toString()).toContain('name="a"\r\n\r\nb\r\n');
  const headers = { 'Content-Length': '3' };
  expect((await scgiFetch(new Request('http://h/', { method: 'POST', body: 'abc', headers }))).status).toBe(200);
  expect((await (await backend.connection(1)).body()).toString()).toBe('abc');
  const refused = scgiFetch(new Request('http://h/', { method: 'POST', body: 'abc' }));
  expect(await rejection(refused)).toMatchObject({ cause: { code: 'ERR_SCGI_LENGTH_REQUIRED' } });
});

test('sends a stream with duplex half, and refuses one without it', async () => {
  const backend = await answering(ok);
  const scgiFetch = createScgiFetch(backend.target);
  const stream = (): ReadableStream => new Blob(['abc']).stream();
  await scgiFetch('/', { method: 'POST', body: stream(), duplex: 'half' });
  expect((await (await backend.connection()).body()).toString()).toBe('abc');
  expect(await rejection(scgiFetch('/', { method: 'POST', body: stream() }))).toBeInstanceOf(TypeError);
});

test.each(['GET', 'HEAD'])('refuses a body with %s', async (method) => {
  const error = await rejection(createScgiFetch(1)('/', { method, body: 'x' }));
  expect(error).toBeInstanceOf(TypeError);
});

test.each([
  ['HEAD', ok],
  ['GET', 'Status: 204 No Content\r\n\r\n'],
  ['GET', 'Status: 205 Reset Content\r\n\r\nignored'],
  ['GET', 'Status: 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
])('gives no body where none can be: %s %j', async (method, answer) => {
  const { target } = await answering(answer);
  const response = await createScgiFetch(target)('/', { method });
  expect(response.body).toBe(null);
  expect(await response.text()).toBe('');
});

test('rejects as fetch does, with the typed error as the cause', async () => {
  const { target } = await answering('nonsense\r\n\r\n');
  const error = await rejection(createScgiFetch(target)('/'));
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ERR_SCGI_RESPONSE_HEAD' } });
});

test.each([101, 199, 600])('rejects the status %i, which no Response can have', async (status) => {
  const backend = await startBackend((connection) => {
    connection.socket.write(`Status: ${status} Odd\r\n\r\n${status === 199 ? 'Status: 999 Odd\r\n\r\n' : ''}`);
  });
  const client = new ScgiClient(backend.target);
  const error = await rejection(createScgiFetch(client)('/'));
  expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ERR_SCGI_RESPONSE_STATUS' } });
  await until('the connection is closed', () => client.backend.connections === 0);
});

test('a body that breaks off errors as terminated', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const response = await createScgiFetch(target)('/');
  const error = await rejection(response.text());
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: 'terminated', cause: { code: 'ERR_SCGI_RESPONSE_TRUNCATED' } });
});

test('what came before the break is read first', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const reader = (await createScgiFetch(target)('/')).body?.getReader();
  await turns(50);
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('half');
  expect(await rejection(Promise.resolve(reader?.read()))).toMatchObject({ message: 'terminated' });
});

test('cancelling the body closes the connection', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const response = await createScgiFetch(backend.target)('/');
  await response.body?.cancel();
  await (await backend.connection()).closed();
});

test('the body pulls: what nobody reads stays in the backend', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\nContent-Length: 20000000\r\n\r\n');
    connection.socket.end(Buffer.alloc(20_000_000));
  });
  const response = await createScgiFetch(backend.target)('/');
  const { socket } = await backend.connection();
  await turns(200);
  expect(socket.writableFinished).toBe(false);
  expect((await response.arrayBuffer()).byteLength).toBe(20_000_000);
});

test('a signal rejects with its reason at every stage', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    if (variable(connection, 'PATH_INFO') === '/body') connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const scgiFetch = createScgiFetch(backend.target);
  const reason = new Error('enough');
  expect(await rejection(scgiFetch('/', { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect(backend.connections).toHaveLength(0);
  const waiting = new AbortController();
  const pending = scgiFetch(new Request('http://h/', { signal: waiting.signal }));
  await (await backend.connection()).body();
  waiting.abort(reason);
  expect(await rejection(pending)).toBe(reason);
  const reading = new AbortController();
  const response = await scgiFetch('/body', { signal: reading.signal });
  reading.abort(reason);
  expect(await rejection(response.text())).toBe(reason);
  await (await backend.connection(1)).closed();
});

test('a signal of many requests gathers no listeners', async () => {
  const { target } = await answering(ok);
  const scgiFetch = createScgiFetch(target);
  const { signal } = new AbortController();
  for (let round = 0; round < 20; round += 1) await (await scgiFetch('/', { signal })).text();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

const redirects = {
  '/relative': 'Status: 302 Found\r\nLocation: /end\r\n\r\n',
  '/local': 'Location: /end\r\n\r\n',
  '/absolute': 'Status: 301 Moved\r\nLocation: http://localhost/end\r\n\r\n',
  '/see': 'Status: 303 See Other\r\nLocation: end\r\n\r\n',
  '/same': 'Status: 307 Temporary Redirect\r\nLocation: /end\r\n\r\n',
  '/away': 'Status: 302 Found\r\nLocation: http://elsewhere.test/end\r\n\r\n',
  '/port': 'Status: 302 Found\r\nLocation: http://localhost:81/end\r\n\r\n',
  '/broken': 'Status: 302 Found\r\nLocation: http://[\r\n\r\n',
  '/loop': 'Status: 302 Found\r\nLocation: /loop\r\n\r\n',
  '/end': ok,
};

test.each(['/relative', '/local', '/absolute', '/see', '/same'])(
  'follows a redirect of its origin: %s',
  async (path) => {
    const { target, asked } = await serving(redirects);
    const response = await createScgiFetch(target)(path);
    expect(response).toMatchObject({ status: 200, redirected: true, url: 'http://localhost/end' });
    expect(asked).toEqual([`GET ${path} - `, 'GET /end - ']);
  },
);

test.each(['/away', '/port'])('returns a redirect to another origin as it is: %s', async (path) => {
  const { target, asked } = await serving(redirects);
  const response = await createScgiFetch(target)(path);
  expect(response).toMatchObject({ status: 302, redirected: false });
  expect(asked).toHaveLength(1);
});

test('returns every redirect with manual, and rejects it with error', async () => {
  const { target } = await serving(redirects);
  const scgiFetch = createScgiFetch(target);
  const response = await scgiFetch('/relative', { redirect: 'manual' });
  expect(response).toMatchObject({ status: 302, type: 'default' });
  expect(response.headers.get('location')).toBe('/end');
  expect(await rejection(scgiFetch('/relative', { redirect: 'error' }))).toMatchObject({ message: 'fetch failed' });
});

test('rejects a redirect to what is no URL, and one after the other', async () => {
  const { target, asked } = await serving(redirects);
  const scgiFetch = createScgiFetch(target);
  expect(await rejection(scgiFetch('/broken'))).toMatchObject({ message: 'fetch failed' });
  asked.length = 0;
  expect(await rejection(scgiFetch('/loop'))).toMatchObject({ cause: { code: 'ERR_SCGI_REDIRECT_LOOP' } });
  expect(asked).toHaveLength(21);
});

test.each([
  ['/relative', 'GET /end - '],
  ['/see', 'GET /end - '],
  ['/same', 'POST /end text/plain;charset=UTF-8 body'],
])('a POST that is redirected by %s becomes %j', async (path, second) => {
  const { target, asked } = await serving(redirects);
  await createScgiFetch(target)(path, { method: 'POST', body: 'body' });
  expect(asked[1]).toBe(second);
});

test('rejects a 307 for a stream, which is gone', async () => {
  const { target } = await serving(redirects);
  const body = new Blob(['abc']).stream();
  const error = await rejection(createScgiFetch(target)('/same', { method: 'POST', body, duplex: 'half' }));
  expect(error).toMatchObject({ message: 'fetch failed' });
});

test('below a mount point the URL has it, and redirects out of it are returned', async () => {
  const { target, asked } = await serving({
    '/app/in': 'Status: 302 Found\r\nLocation: /app/end\r\n\r\n',
    '/app/out': 'Status: 302 Found\r\nLocation: /end\r\n\r\n',
    '/app/end': ok,
  });
  const scgiFetch = createScgiFetch(target, { scriptName: '/app' });
  expect((await scgiFetch('/app/in')).status).toBe(200);
  expect((await scgiFetch('/app/out')).status).toBe(302);
  expect(asked).toHaveLength(3);
  expect(await rejection(scgiFetch('/apps'))).toMatchObject({ cause: { code: 'ERR_SCGI_OPTION' } });
});

test('the mount point of a client that is given counts', async () => {
  const { target, asked } = await serving({ '/app/x': ok });
  const response = await createScgiFetch(new ScgiClient(target, { scriptName: '/app' }))('/app/x');
  expect(response.status).toBe(200);
  expect(asked).toEqual(['GET /app/x - ']);
});

test('an answer without end goes through while it is sent', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const response = await createScgiFetch(backend.target)('/');
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
  const { socket } = await backend.connection();
  socket.write('second');
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('second');
  socket.end();
  await within('the end', Promise.all([once(socket, 'finish'), reader?.closed]));
});
