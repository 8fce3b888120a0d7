// Programs behind handlers of the Fetch standard.

import { writeFileSync } from 'node:fs';
import { RemoteProtocolError, type ScgiError } from '@scgi/core/protocol';
import { Mount } from '@scgi/core/relay';
import { describe, expect, test } from 'vitest';
import { createFetchHandler } from '../src/fetch.js';
import { cgiDirectory } from '../src/index.js';
import type { CgiDirectoryOptions } from '../src/index.js';
import type { Run, RunHandler } from '../src/runner/runner.js';
import { writePrograms } from './support/programs.js';

const head = "printf 'Content-Type: text/plain\\r\\n\\r\\n'";

function programs(sources: Readonly<Record<string, string>>, options: CgiDirectoryOptions = {}) {
  const errors: ScgiError[] = [];
  const onError = (error: ScgiError): void => void errors.push(error);
  const folder = writePrograms(sources);
  const { fetch } = cgiDirectory(folder, { onError, onErrorOutput: () => {}, ...options });
  return {
    errors,
    folder,
    ask: (path: string, init?: RequestInit) => fetch(new Request(`http://app.test${path}`, init)),
  };
}

test('the answer of a program is a Response', async () => {
  const { ask } = programs({ a: `printf 'Status: 404 Nothing here\\r\\nX-A: 1\\r\\nX-A: 2\\r\\n\\r\\nbody'` });
  const response = await ask('/a');
  expect([response.status, response.statusText, response.headers.get('x-a')]).toEqual([404, 'Nothing here', '1, 2']);
  expect(await response.text()).toBe('body');
});

test('a program reads the body of the Request', async () => {
  const { ask } = programs({ a: `${head}; cat` });
  const body = 'x'.repeat(300_000);
  const response = await ask('/a', { method: 'POST', body, headers: { 'Content-Length': String(body.length) } });
  expect(await response.text()).toBe(body);
});

test('a body of unknown length is refused: CGI has no place for it', async () => {
  const { ask, errors } = programs({ a: `${head}; cat` });
  const body = new Blob(['x']).stream();
  const response = await ask('/a', { method: 'POST', body, duplex: 'half' } as RequestInit);
  expect(response.status).toBe(411);
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_LENGTH_REQUIRED']);
});

test('a program sees what the context vouches for', async () => {
  const folder = writePrograms({ a: `${head}; echo "$REMOTE_USER $REMOTE_ADDR $SCRIPT_NAME $PATH_INFO $LD_PRELOAD"` });
  const { fetch } = cgiDirectory(folder, { mount: '/cgi-bin' });
  const env = { REMOTE_USER: 'ada', REMOTE_ADDR: '192.0.2.1', LD_PRELOAD: '/evil.so' };
  const response = await fetch(new Request('http://app.test/cgi-bin/a/x%20y'), { env });
  expect(await response.text()).toBe('ada 192.0.2.1 /cgi-bin/a /x y \n');
  expect((await fetch(new Request('http://app.test/other/a'))).status).toBe(404);
});

test('a line break in the path is refused below a base path, too', async () => {
  const { fetch } = cgiDirectory(writePrograms({ a: `${head}; echo "$PATH_INFO"` }), { onError: () => {} });
  for (const path of ['/a/x%0ay', '/a/%0d']) {
    for (const basePath of ['', '/b', '/base', '/base/path']) {
      const response = await fetch(new Request(`http://app.test${path}`), { basePath });
      expect([path, basePath, response.status]).toEqual([path, basePath, 400]);
    }
  }
});

test('serverName wins over what the front end and the client say', async () => {
  const folder = writePrograms({ a: `${head}; echo "$SERVER_NAME"` });
  const { fetch } = cgiDirectory(folder, { serverName: 'own.test' });
  expect(await (await fetch(new Request('http://app.test/a'))).text()).toBe('own.test\n');
  const env = { SERVER_NAME: 'front.test' };
  expect(await (await fetch(new Request('http://app.test/a'), { env })).text()).toBe('own.test\n');
});

test('a local redirect is answered by the program that it leads to', async () => {
  const { ask } = programs({
    a: `echo 'Location: /b/there?x=1'; echo`,
    b: `${head}; echo "$REQUEST_METHOD $PATH_INFO $QUERY_STRING $REDIRECT_URL \${CONTENT_LENGTH-none}"`,
  });
  const response = await ask('/a', { method: 'POST', body: 'form', headers: { 'Content-Length': '4' } });
  expect(await response.text()).toBe('GET /there x=1 /a none\n');
});

test('programs that redirect to each other end in a 502', async () => {
  const { ask, errors } = programs({ a: `echo 'Location: /b'; echo`, b: `echo 'Location: /a'; echo` });
  expect((await ask('/a')).status).toBe(502);
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_REDIRECT_LOOP']);
});

describe('a client that leaves', () => {
  test('before the head makes the promise reject with the reason', async () => {
    const leaving = new AbortController();
    const { ask, errors } = programs({ a: 'exec cat /dev/zero > /dev/null' });
    const asked = ask('/a', { signal: leaving.signal });
    leaving.abort(new Error('left'));
    await expect(asked).rejects.toThrow('left');
    expect(errors).toEqual([]);
  });

  test('inside the body ends the program', async () => {
    const { ask, errors } = programs({ a: `${head}; echo $$; exec cat /dev/zero` });
    const response = await ask('/a');
    const reader = response.body?.getReader();
    const first = Buffer.from((await reader?.read())?.value ?? []).toString('latin1');
    const pid = Number(/^[0-9]+/.exec(first)?.[0]);
    expect(pid).toBeGreaterThan(0);
    await reader?.cancel();
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(errors).toEqual([]);
  });
});

const half = "printf 'Content-Length: 9\\r\\n\\r\\nbody'";

test('an answer that breaks off errors the body', async () => {
  const { ask, errors, folder } = programs({ a: `${half}; until [ -e gate ]; do sleep 0.01; done` });
  const response = await ask('/a');
  expect(response.status).toBe(200);
  writeFileSync(`${folder}/gate`, '');
  await expect(response.text()).rejects.toThrow();
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_RESPONSE_TRUNCATED']);
});

test('an answer that breaks off before anybody can read it is a 502', async () => {
  const reported: ScgiError[] = [];
  const failure = new RemoteProtocolError('ERR_SCGI_RESPONSE_TRUNCATED');
  const ignore = (): void => {};
  // A program that has ended when it is first looked at: all comes in one turn.
  const prepare = (_: unknown, handler: RunHandler): Promise<Run> => {
    const start = (): void => {
      handler.onHead({ kind: 'document', status: 200, reason: 'OK', fields: [], contentLength: 9 });
      handler.onBody(Buffer.from('body'));
      handler.onError(failure);
    };
    return Promise.resolve({ start, resume: ignore, noteInput: ignore, destroy: ignore });
  };
  const onError = (error: ScgiError): void => void reported.push(error);
  const own = { mount: '', timeout: 0, serverName: undefined, maxLocalRedirects: 1, onError };
  const fetch = createFetchHandler({ ...own, runner: { prepare, close: ignore } }, new Mount(''));
  const response = await fetch(new Request('http://app.test/a'));
  expect([response.status, await response.text(), reported]).toEqual([502, '502 Bad Gateway\n', [failure]]);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
