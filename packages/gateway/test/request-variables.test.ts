// What the backend is told: everything about the request, and nothing a client could use to pass for somebody else.

import { describe, expect, test } from 'vitest';
import { startBackend, type BackendConnection } from './support/backend.js';
import { sendRaw, startFront } from './support/front.js';

async function deliver(head: string, serverName?: string): Promise<BackendConnection> {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
  const front = await startFront(backend.target, { serverName });
  await sendRaw(front, `${head}\r\nConnection: close\r\n\r\n`);
  return backend.connection();
}

test('CONTENT_LENGTH comes first, then SCGI, and the request line is told', async () => {
  const { flat, variables } = await deliver('GET /a%2Fb/c?x=%20 HTTP/1.1\r\nHost: example.org:8080\r\nX-One: 1');
  expect(flat.slice(0, 4)).toEqual(['CONTENT_LENGTH', '0', 'SCGI', '1']);
  expect(Object.fromEntries(variables ?? [])).toMatchObject({
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/a%2Fb/c?x=%20',
    PATH_INFO: '/a/b/c',
    SCRIPT_NAME: '',
    QUERY_STRING: 'x=%20',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'example.org',
    HTTP_HOST: 'example.org:8080',
    HTTP_X_ONE: '1',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_SCHEME: 'http',
  });
  expect(variables?.get('REMOTE_PORT')).toMatch(/^[0-9]+$/);
});

test('serverName sets SERVER_NAME', async () => {
  const { variables } = await deliver('GET / HTTP/1.1\r\nHost: evil.example', 'www.example.org');
  expect(variables?.get('SERVER_NAME')).toBe('www.example.org');
});

test('facts about the client come from its socket, whatever its fields say', async () => {
  const { variables } = await deliver(
    'GET / HTTP/1.1\r\nHost: x\r\nRemote-Addr: 10.0.0.1\r\nHTTPS: on\r\nRemote-User: root\r\nX-Forwarded-For: 10.0.0.1',
  );
  expect(variables?.get('REMOTE_ADDR')).toBe('127.0.0.1');
  expect(variables?.has('HTTPS')).toBe(false);
  expect(variables?.has('REMOTE_USER')).toBe(false);
  expect(variables?.get('HTTP_REMOTE_USER')).toBe('root');
  expect(variables?.get('HTTP_X_FORWARDED_FOR')).toBe('10.0.0.1');
});

test.each([
  [{ remoteAddress: '::ffff:192.0.2.1' }, { REMOTE_ADDR: '192.0.2.1', REQUEST_SCHEME: 'http' }],
  [{ remoteAddress: '2001:db8::1' }, { REMOTE_ADDR: '2001:db8::1' }],
  [{ encrypted: true }, { HTTPS: 'on', REQUEST_SCHEME: 'https' }],
])('a client socket with %o makes %o', async (facts, expected) => {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nok'));
  const front = await startFront(backend.target);
  front.server.on('connection', (socket) => {
    for (const [name, value] of Object.entries(facts)) Object.defineProperty(socket, name, { value });
  });
  await sendRaw(front, 'GET / HTTP/1.0\r\n\r\n');
  expect(Object.fromEntries(backend.connections[0]?.variables ?? [])).toMatchObject(expected);
});

describe('a field that is not passed on:', () => {
  test.each([
    ['Proxy, which programs take for the variable HTTP_PROXY', 'Proxy: http://evil/', 'HTTP_PROXY'],
    ['one with an underscore, which would pass for one with a hyphen', 'X_User: root', 'HTTP_X_USER'],
    ['Keep-Alive', 'Keep-Alive: timeout=5', 'HTTP_KEEP_ALIVE'],
    ['TE', 'TE: trailers', 'HTTP_TE'],
    ['Upgrade', 'Upgrade: websocket', 'HTTP_UPGRADE'],
    ['Connection', 'Connection: x-secret', 'HTTP_CONNECTION'],
    ['one that Connection names', 'X-Secret: 1\r\nConnection: x-secret', 'HTTP_X_SECRET'],
  ])('%s', async (_, field, name) => {
    const { variables } = await deliver(`GET / HTTP/1.1\r\nHost: x\r\n${field}`);
    expect(variables?.has('HTTP_HOST')).toBe(true);
    expect(variables?.has(name)).toBe(false);
  });
});

test('a request to upgrade is answered as any other', async () => {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\n\r\nplain'));
  const { text } = await sendRaw(
    await startFront(backend.target),
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
  );
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*plain/);
});

test('nothing of the environment of this process is passed on', async () => {
  const { variables } = await deliver('GET / HTTP/1.1\r\nHost: x');
  const passed = [...(variables?.keys() ?? [])].filter((name) => name in process.env);
  expect(passed).toEqual([]);
});
