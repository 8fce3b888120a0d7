// Local redirects.

import { expect, test } from 'vitest';
import { scgi, ScgiClient, type ScgiResponse } from '../src/index.js';
import { startBackend } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { until } from './support/within.js';

/** A backend that redirects from /0 to /1 and so on up to `last`; paths without a number are answered. */
async function redirecting(last: number): Promise<{ target: string; asked: string[] }> {
  const asked: string[] = [];
  const { target } = await startBackend(async (connection) => {
    const body = await connection.body();
    const { variables } = connection;
    const path = variables?.get('REQUEST_URI') ?? '';
    asked.push(`${variables?.get('REQUEST_METHOD')} ${path} ${variables?.get('CONTENT_TYPE') ?? '-'} ${body}`);
    const number = Number(path.slice(path.lastIndexOf('/') + 1));
    const next = path.slice(0, path.lastIndexOf('/') + 1);
    await connection.answer(number < last ? `Location: ${next}${number + 1}\r\n\r\n` : 'Status: 200 OK\r\n\r\nend');
  });
  return { target, asked };
}

test('a local redirect is returned unless it is to be followed', async () => {
  const { target } = await redirecting(1);
  expect(await scgi(target, { path: '/0' })).toMatchObject({ status: 302, kind: 'local-redirect', location: '/1' });
});

test('following one asks for its path with GET, without the body and what described it', async () => {
  const { target, asked } = await redirecting(1);
  const response = await scgi(target, {
    path: '/0',
    body: 'x',
    headers: { 'Content-Type': 'text/xml', 'Content-Length': '1' },
    onLocalRedirect: 'follow',
  });
  expect([response.status, await response.text()]).toEqual([200, 'end']);
  expect(asked).toEqual(['POST /0 text/xml x', 'GET /1 - ']);
});

test('HEAD stays HEAD', async () => {
  const { target, asked } = await redirecting(1);
  await scgi(target, { path: '/0', method: 'HEAD', onLocalRedirect: 'follow' });
  expect(asked).toEqual(['HEAD /0 - ', 'HEAD /1 - ']);
});

test('as many are followed as maxLocalRedirects says, 10 by default', async () => {
  const { target, asked } = await redirecting(10);
  const client = new ScgiClient(target, { onLocalRedirect: 'follow' });
  expect((await client.request({ path: '/0' })).status).toBe(200);
  expect(asked).toHaveLength(11);
  const error = await rejection(client.request({ path: '/0', maxLocalRedirects: 9 }));
  expect(error).toMatchObject({ code: 'ERR_SCGI_REDIRECT_LOOP', details: { maxLocalRedirects: 9 } });
  expect(asked).toHaveLength(21);
  expect(await rejection(client.request({ path: '/0', maxLocalRedirects: 0 }))).toMatchObject({
    code: 'ERR_SCGI_REDIRECT_LOOP',
  });
  await until('no connection is left', () => client.backend.connections === 0);
});

test('one connection at a time is enough', async () => {
  const { target } = await redirecting(3);
  const client = new ScgiClient(target, { maxConcurrent: 1, onLocalRedirect: 'follow' });
  expect(await (await client.request({ path: '/0' })).text()).toBe('end');
});

test('null follows for ever', async () => {
  const { target } = await redirecting(30);
  const response = await scgi(target, { path: '/0', onLocalRedirect: 'follow', maxLocalRedirects: null });
  expect(response.status).toBe(200);
});

test('a function says where to go on, or that the answer is the end', async () => {
  const { target, asked } = await redirecting(2);
  const seen: string[] = [];
  const onLocalRedirect = async (location: string, response: ScgiResponse): Promise<string | null> => {
    seen.push(`${response.status} ${location}`);
    return location === '/1' ? '/sub/1?q' : null;
  };
  expect(await scgi(target, { path: '/0', onLocalRedirect })).toMatchObject({ status: 200 });
  expect(seen).toEqual(['302 /1']);
  expect(asked[1]).toBe('GET /sub/1?q - ');
  const end = await scgi(target, { path: '/1', onLocalRedirect });
  expect(end).toMatchObject({ kind: 'local-redirect', location: '/2' });
});

test('a function that throws fails the request', async () => {
  const { target } = await redirecting(1);
  const client = new ScgiClient(target);
  const thrown = new Error('no');
  const onLocalRedirect = (): never => {
    throw thrown;
  };
  expect(await rejection(client.request({ path: '/0', onLocalRedirect }))).toBe(thrown);
  await until('no connection is left', () => client.backend.connections === 0);
});

test('below a mount point its paths are followed, others returned', async () => {
  const { target, asked } = await redirecting(1);
  const options = { scriptName: '/app', onLocalRedirect: 'follow' } as const;
  expect((await scgi(target, { path: '/0', ...options })).status).toBe(200);
  expect(asked).toEqual(['GET /app/0 - ', 'GET /app/1 - ']);
  const away = await startBackend((connection) => connection.answer('Location: /else\r\n\r\n'));
  expect(await scgi(away.target, { path: '/0', ...options })).toMatchObject({ kind: 'local-redirect' });
});

test('a client redirect is never followed', async () => {
  const { target } = await startBackend((connection) => connection.answer('Location: http://other.test/x\r\n\r\n'));
  expect(await scgi(target, { onLocalRedirect: 'follow' })).toMatchObject({
    status: 302,
    kind: 'client-redirect',
    location: 'http://other.test/x',
  });
});
