// Who answers which request.

import { describe, expect, test } from 'vitest';
import { createHttpFront, ScgiApp } from '../../src/index.js';
import { fetchFrom, sendRaw } from '../support/front.js';
import { listenWith, named } from './support.js';

describe('several backends', () => {
  test('each get what is below their prefix, as SCRIPT_NAME and PATH_INFO', async () => {
    const [root, api, v2] = [await named('root'), await named('api'), await named('v2')];
    const front = await listenWith({ backends: { '/': root.target, '/api': api.target, '/api/v2': [v2.target] } });
    const ask = async (path: string): Promise<string> => (await fetchFrom(front, path)).body;
    expect(await ask('/')).toBe('root [] [/] []');
    expect(await ask('/apis?x=1')).toBe('root [] [/apis] [x=1]');
    expect(await ask('/api')).toBe('api [/api] [] []');
    expect(await ask('/api/users/1?x=1')).toBe('api [/api] [/users/1] [x=1]');
    expect(await ask('/api/v2/%C3%A9')).toBe('v2 [/api/v2] [/Ã©] []');
  });

  test('leave the rest a 404 when none is for /', async () => {
    const api = await named('api');
    const front = await listenWith({ backends: { '/api': api.target } });
    expect(await fetchFrom(front, '/other')).toMatchObject({ status: 404, body: '404 Not Found\n' });
    expect(front.errors).toEqual([]);
    expect(api.connections).toHaveLength(0);
  });

  test('are told apart in an absolute form, too', async () => {
    const [root, api] = [await named('root'), await named('api')];
    const front = await listenWith({ backends: { '/': root.target, '/api': api.target } });
    const bytes = 'GET http://example.org/api/x HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(front, bytes)).text).toContain('api [/api] [/x] []');
  });

  test('fail one by one', async () => {
    const api = await named('api');
    const front = await listenWith({ backends: { '/': 'unix:/nowhere/app.sock', '/api': api.target } });
    expect((await fetchFrom(front, '/')).status).toBe(502);
    expect((await fetchFrom(front, '/api')).status).toBe(200);
    expect(front.errors).toMatchObject([{ code: 'ERR_SCGI_BACKEND_UNREACHABLE' }]);
  });
});

test('a handler keeps its own options', async () => {
  const { target } = await named('app');
  const heard: string[] = [];
  const app = new ScgiApp(target, { maxResponseSize: 3, onError: ({ code }) => void heard.push(code) });
  const front = await listenWith({ backends: { '/app': app } });
  await expect(fetchFrom(front, '/app')).rejects.toThrow();
  expect(heard).toEqual(['ERR_SCGI_RESPONSE_TOO_LARGE']);
  expect(front.errors).toEqual([]);
});

test('the options of the front are for all targets', async () => {
  const one = await named('one');
  const front = await listenWith({
    backends: { '/one': one.target },
    serverName: 'front.example',
    env: { EXTRA: 'x' },
  });
  await fetchFrom(front, '/one');
  const variables = one.connections[0]?.variables;
  expect([variables?.get('SERVER_NAME'), variables?.get('EXTRA')]).toEqual(['front.example', 'x']);
});

test('several addresses of one backend take turns', async () => {
  const [a, b] = [await named('a'), await named('b')];
  const front = await listenWith({ to: [a.target, b.target], balance: 'round-robin' });
  const seen: string[] = [];
  for (let request = 0; request < 4; request += 1) seen.push((await fetchFrom(front)).body.charAt(0));
  expect(seen).toEqual(['a', 'b', 'a', 'b']);
});

test.each([
  ['nothing to serve', {}, /nothing to serve/],
  ['no backend at all', { backends: {} }, /nothing to serve/],
  ['both ways to say it', { to: 4000, backends: { '/': 4000 } }, /not both/],
  ['a prefix that is none', { backends: { api: 4000 } }, /begins with '\/'/],
  ['a prefix twice', { backends: { '/api': 4000, '/api/': 4001 } }, /twice/],
  ['a target that is none', { backends: { '/api': '/run/app.sock' } }, /unix:/],
  ['no address', { to: [] }, /at least one address/],
  ['a folder that is not there', { static: { '/': '/nowhere/at/all' } }, /no such folder/],
  ['a file for a folder', { static: { '/': new URL(import.meta.url).pathname } }, /no such folder/],
  ['an impossible closeTimeout', { to: 4000, closeTimeout: -1 }, /closeTimeout/],
])('%s is refused when the front is made', (_, options, message) => {
  expect(() => createHttpFront(options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
  expect(() => createHttpFront(options)).toThrow(message);
});
