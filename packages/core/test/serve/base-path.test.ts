// Mounting below a prefix: what the application sees of the path, and what is not its own.

import { describe, expect, it } from 'vitest';
import type { ServeOptions } from '../../src/index.js';
import { exchange, head } from '../support/raw-client.js';
import { firstAddress, serve } from './support.js';

interface Seen {
  readonly status: string;
  readonly url?: unknown;
  readonly originalUrl?: unknown;
  readonly basePath?: unknown;
}

/** What the application sees of a request; only the status if it is not asked. */
async function see(options: ServeOptions, variables: Record<string, string | undefined>): Promise<Seen> {
  let seen: Omit<Seen, 'status'> = {};
  const running = await serve((req, res) => {
    seen = { url: req.url, originalUrl: Reflect.get(req, 'originalUrl'), basePath: req.scgi.basePath };
    res.end();
  }, options);
  const { text } = await exchange(firstAddress(running), head(variables));
  return { status: text.slice('Status: '.length, 'Status: 200'.length), ...seen };
}

describe('without basePath', () => {
  it('the application sees the whole path, wherever it is mounted', async () => {
    const variables = { REQUEST_URI: '/app/x?q=1', SCRIPT_NAME: '/app', PATH_INFO: '/x' };
    expect(await see({}, variables)).toEqual({
      status: '200',
      url: '/app/x?q=1',
      originalUrl: undefined,
      basePath: '',
    });
  });
});

describe('basePath', () => {
  it.each([
    ['/app', '/app/x?q=1', '/x?q=1'],
    ['/app', '/app', '/'],
    ['/app', '/app/', '/'],
    ['/app', '/app?q=1', '/?q=1'],
    ['/app', '/app//x', '//x'],
    ['/app', '/app/app/x', '/app/x'],
    ['/app', '/app/caf%C3%A9?%20', '/caf%C3%A9?%20'],
    ['/app/', '/app/x', '/x'],
    ['/app//', '/app', '/'],
    ['/a/b', '/a/b/c', '/c'],
    // Either side may be encoded, and each way.
    ['/caf%C3%A9', '/caf%c3%a9/x', '/x'],
    ['/caf%C3%A9', '/caf\xc3\xa9/x', '/x'],
    ['/app', '/%61pp/x', '/x'],
    ['/a%20b', '/a%20b/x%20y', '/x%20y'],
    ['/', '/x?q=1', '/x?q=1'],
  ])('%s cuts %s to %s and keeps the original', async (basePath, target, url) => {
    const { status, ...seen } = await see({ basePath }, { REQUEST_URI: target });
    expect(status).toBe('200');
    expect(seen.url).toBe(url);
    if (basePath !== '/') expect(seen.originalUrl).toBe(target);
  });

  it.each([
    ['/app', '/application'],
    ['/app', '/'],
    ['/app', '/x/app'],
    ['/app', '/APP/x'],
    ['/app', '/?/app'],
    ['/app', '/app%2Fx'],
    ['/a/b', '/a%2Fb/c'],
    ['/a/b', '/a'],
    ['/app', '*'],
  ])('%s leaves %s to a 404, without asking the application', async (basePath, target) => {
    const method = target === '*' ? 'OPTIONS' : 'GET';
    const seen = await see({ basePath }, { REQUEST_URI: target, REQUEST_METHOD: method });
    expect(seen).toEqual({ status: '404' });
  });

  it('shows as req.scgi.basePath without the slash at its end', async () => {
    expect(await see({ basePath: '/app/' }, { REQUEST_URI: '/app/x' })).toMatchObject({ basePath: '/app' });
  });

  it('is found in a target that was put together from PATH_INFO', async () => {
    const variables = { REQUEST_URI: undefined, SCRIPT_NAME: '/app', PATH_INFO: '/x y', QUERY_STRING: 'q=1' };
    expect(await see({ basePath: '/app' }, variables)).toMatchObject({
      url: '/x%20y?q=1',
      originalUrl: '/app/x%20y?q=1',
    });
  });

  it('answers a 404 also while a body is on its way', async () => {
    const running = await serve(() => {}, { basePath: '/app' });
    const request = `${head({ REQUEST_URI: '/other', REQUEST_METHOD: 'POST', CONTENT_LENGTH: '100000' })}${'x'.repeat(100_000)}`;
    const { text, by } = await exchange(firstAddress(running), request);
    expect(text).toMatch(/^Status: 404 /);
    expect(by).toBe('fin');
  });
});

describe("basePath: 'SCRIPT_NAME'", () => {
  const basePath = 'SCRIPT_NAME';

  it.each([
    ['/app', '/app/x?q=1', '/x?q=1'],
    ['/app', '/app', '/'],
    ['/app/', '/app/x', '/x'],
    // SCRIPT_NAME is decoded (RFC 3875 §4.1.13), REQUEST_URI is not.
    ['/a b', '/a%20b/x', '/x'],
    ['', '/x', '/x'],
  ])('takes %j off %s, per request', async (scriptName, target, url) => {
    const pathInfo = decodeURI(url.replace(/\?.*/, ''));
    const seen = await see({ basePath }, { REQUEST_URI: target, SCRIPT_NAME: scriptName, PATH_INFO: pathInfo });
    expect(seen).toMatchObject({ status: '200', url });
  });

  it('leaves the path whole where the front end states no mount point, as nginx does', async () => {
    expect(await see({ basePath }, { REQUEST_URI: '/x/y' })).toMatchObject({
      status: '200',
      url: '/x/y',
      basePath: '',
    });
  });
});
