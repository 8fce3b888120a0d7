// Local redirects (RFC 3875 §6.2.2): handed on as nginx does, or followed.

import express from 'express';
import { describe, expect, test } from 'vitest';
import { scgi, type GatewayOptions } from '../src/index.js';
import { startApp, startMiddleware } from './support/app.js';
import { startBackend, type Backend, type BackendConnection } from './support/backend.js';
import { fetchFrom, RawClient } from './support/front.js';

/** Answers by path, with `text` for paths that have no answer of their own. */
function routing(answers: Readonly<Record<string, string>>): Promise<Backend> {
  return startBackend(async (connection) => {
    await connection.body();
    const path = connection.variables?.get('REQUEST_URI') ?? '';
    await connection.answer(answers[path] ?? `Status: 200 OK\r\n\r\n${path}`);
  });
}

const variablesOf = (connection: BackendConnection | undefined): Record<string, string> =>
  Object.fromEntries(connection?.variables ?? []);

test('are handed on as a 302 by default', async () => {
  const { target } = await routing({ '/a': 'Location: /b\r\n\r\n' });
  const { status, headers } = await fetchFrom(await startMiddleware(target), '/a');
  expect({ status, location: headers.location }).toEqual({ status: 302, location: '/b' });
});

describe("with 'follow'", () => {
  const options: GatewayOptions = { localRedirect: 'follow' };

  test('the same backend is asked with GET, without the body, and told where the request came from', async () => {
    const backend = await routing({ '/a?1': 'Location: /b?2\r\n\r\n' });
    const answer = await fetchFrom(await startMiddleware(backend.target, options), '/a?1', {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', 'X-Kept': '1' },
      body: 'body',
    });
    expect(answer).toMatchObject({ status: 200, body: '/b?2' });
    const variables = variablesOf(backend.connections[1]);
    expect(variables).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/b?2',
      PATH_INFO: '/b',
      QUERY_STRING: '2',
      CONTENT_LENGTH: '0',
      HTTP_X_KEPT: '1',
      REDIRECT_STATUS: '200',
      REDIRECT_URL: '/a',
    });
    expect(Object.keys(variables).filter((name) => name.includes('CONTENT_'))).toEqual(['CONTENT_LENGTH']);
  });

  test('HEAD stays HEAD', async () => {
    const backend = await routing({ '/a': 'Location: /b\r\n\r\n' });
    await fetchFrom(await startMiddleware(backend.target, options), '/a', { method: 'HEAD' });
    expect(variablesOf(backend.connections[1])['REQUEST_METHOD']).toBe('HEAD');
  });

  test('below a mount point, only what is below it as well is followed', async () => {
    const backend = await routing({ '/api/a': 'Location: /api/b\r\n\r\n', '/api/out': 'Location: /other\r\n\r\n' });
    const front = await startApp(express().use('/api', scgi(backend.target, options)));
    expect((await fetchFrom(front, '/api/a')).body).toBe('/api/b');
    expect(variablesOf(backend.connections[1])).toMatchObject({ SCRIPT_NAME: '/api', PATH_INFO: '/b' });
    const { status, headers } = await fetchFrom(front, '/api/out');
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/other' });
  });

  test('they are followed maxLocalRedirects times in a row, then it is a 502', async () => {
    const backend = await routing({
      '/1': 'Location: /2\r\n\r\n',
      '/2': 'Location: /3\r\n\r\n',
      '/3': 'Location: /4\r\n\r\n',
    });
    const enough = await startMiddleware(backend.target, { ...options, maxLocalRedirects: 3 });
    expect((await fetchFrom(enough, '/1')).body).toBe('/4');
    const few = await startMiddleware(backend.target, { ...options, maxLocalRedirects: 2 });
    expect((await fetchFrom(few, '/1')).status).toBe(502);
    expect(few.errors).toMatchObject([{ code: 'ERR_SCGI_REDIRECT_LOOP' }]);
  });

  test('a redirect with a status or with a body of its own is none of these', async () => {
    const answer = 'Status: 303 See Other\r\nLocation: /b\r\n\r\n';
    const { target } = await routing({ '/a': answer });
    expect((await fetchFrom(await startMiddleware(target, options), '/a')).status).toBe(303);
  });

  test('while the client still uploads, its connection goes on', async () => {
    const backend = await startBackend(
      (connection) => {
        if (backend.connections.length === 1) connection.socket.end('Location: /b\r\n\r\n');
        else void connection.answer('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok');
      },
      { readBody: false },
    );
    const client = new RawClient(await startMiddleware(backend.target, options));
    client.send('POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf');
    await client.sees('\r\n\r\nok');
    client.text = '';
    client.send('restGET /c HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.sees('\r\n\r\nok');
  });

  test('a client that leaves between the two is not called for', async () => {
    const backend = await startBackend((connection) => {
      client.socket.destroy();
      connection.socket.on('close', () => backend.server.emit('left'));
    });
    const client = new RawClient(await startMiddleware(backend.target, options));
    client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    const connection = await backend.connection();
    connection.socket.end('Location: /b\r\n\r\n');
    await connection.closed();
    expect(backend.connections).toHaveLength(1);
  });
});

describe('with a function', () => {
  test('its path is asked for, or the redirect is handed on', async () => {
    const backend = await routing({ '/a': 'Location: /b\r\n\r\n', '/x': 'Location: /y\r\n\r\n' });
    const front = await startMiddleware(backend.target, {
      localRedirect: async (location, request) => (request.url === '/a' ? `${location}?asked` : null),
    });
    expect((await fetchFrom(front, '/a')).body).toBe('/b?asked');
    expect(await fetchFrom(front, '/x')).toMatchObject({ status: 302, headers: { location: '/y' } });
  });

  test('that throws, it is a 500', async () => {
    const { target } = await routing({ '/a': 'Location: /b\r\n\r\n' });
    const front = await startMiddleware(target, {
      localRedirect: () => {
        throw new Error('broken');
      },
    });
    expect((await fetchFrom(front, '/a')).status).toBe(500);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_OPTION', details: { option: 'localRedirect' } }]);
  });
});
