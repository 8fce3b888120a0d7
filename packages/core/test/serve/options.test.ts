// A wrong option is an error of the start, not of the first request that meets it.

import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createScgiServer, serveScgi } from '../../src/index.js';
import type { ScgiServerOptions } from '../../src/index.js';
import { exchange, head } from '../support/raw-client.js';
import { firstAddress, rejectionOf, serve } from './support.js';

const notWholeNumbers = [-1, 1.5, Number.NaN, Infinity, '10', {}, null];
const own = ['idleTimeout', 'lingerTimeout', 'lingerBytes', 'maxBufferedBody', 'maxHeadBytes', 'maxVariables'];
const nodes = ['headersTimeout', 'requestTimeout', 'keepAliveTimeout', 'connectionsCheckingInterval', 'maxHeaderSize'];

/** As a JavaScript caller may pass it. */
function untyped(options: Record<string, unknown>): ScgiServerOptions {
  return options;
}

function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return 'no error';
}

describe('an impossible option', () => {
  const impossible: [string, unknown][] = [
    ...own.flatMap((name) =>
      notWholeNumbers.filter((value) => value !== null).map((value): [string, unknown] => [name, value]),
    ),
    ['maxHeadBytes', 0],
    ['maxVariables', 0],
    ['maxBodyBytes', -1],
    ['maxBodyBytes', 1.5],
    ['maxBodyBytes', Number.NaN],
    ['maxBodyBytes', '10'],
    ['halfOpen', 'maybe'],
    ['halfOpen', true],
    ['basePath', 'app'],
    ['basePath', ''],
    ['basePath', 5],
    ['basePath', '/app?x'],
    ['basePath', '/app#x'],
    ['basePath', 'http://example.com/app'],
    ['allowFrom', '127.0.0.1'],
    ['allowFrom', ['localhost']],
    ['allowFrom', ['10.0.0.0/33']],
    ['allowFrom', ['10.0.0.0/']],
    ['allowFrom', ['']],
    ['allowFrom', [5]],
  ];
  it.each(impossible)('%s: %j is ERR_SCGI_OPTION', async (name, value) => {
    const options = untyped({ [name]: value });
    expect(codeOf(() => createScgiServer(options))).toBe('ERR_SCGI_OPTION');
    expect(await rejectionOf(serveScgi(() => {}, { bind: 0, ...options }))).toMatchObject({ code: 'ERR_SCGI_OPTION' });
  });

  it('strict together with lax is ERR_SCGI_OPTION', () => {
    expect(codeOf(() => createScgiServer({ strict: true, lax: true }))).toBe('ERR_SCGI_OPTION');
  });

  it('is named in the message, with what to write instead', () => {
    expect(() => createScgiServer({ basePath: 'app' })).toThrow(/basePath "app".*such as \/app/);
    expect(() => createScgiServer(untyped({ halfOpen: 'maybe' }))).toThrow(/halfOpen "maybe".*auto, allow or abort/);
    expect(() => createScgiServer({ idleTimeout: -1 })).toThrow(/idleTimeout.*-1/);
    expect(() => createScgiServer({ allowFrom: ['localhost'] })).toThrow(/allowFrom.*localhost.*10\.0\.0\.0\/24/);
  });

  it.each(nodes.flatMap((name) => notWholeNumbers.map((value): [string, unknown] => [name, value])))(
    '%s: %j of http.createServer is refused as there',
    (name, value) => {
      const options = untyped({ [name]: value });
      const expected = codeOf(() => createServer(options));
      expect(expected).toMatch(/^ERR_/);
      expect(codeOf(() => createScgiServer(options))).toBe(expected);
    },
  );

  it('in serveScgi leaves nothing that listens', async () => {
    const error = await rejectionOf(serveScgi(() => {}, { bind: 0, idleTimeout: -1 }));
    expect(error.code).toBe('ERR_SCGI_OPTION');
    expect(process.getActiveResourcesInfo()).not.toContain('TCPServerWrap');
  });
});

describe('an option', () => {
  it.each(['idleTimeout', 'lingerTimeout', 'lingerBytes', 'maxBufferedBody', 'headersTimeout', 'requestTimeout'])(
    '%s: 0 is possible, and means none',
    async (name) => {
      const { server, endpoints } = await serve((_req, res) => res.end('here'), untyped({ [name]: 0 }));
      expect(Reflect.get(server, name)).toBe(0);
      expect(endpoints).toHaveLength(1);
      expect((await exchange(server.address(), head())).text).toMatch(/here$/);
    },
  );

  it('maxBodyBytes: Infinity is possible', () => {
    expect(codeOf(() => createScgiServer({ maxBodyBytes: Infinity }))).toBe('no error');
  });

  it('maxHeaderSize: 0 means the default, as over HTTP', async () => {
    const running = await serve((_req, res) => res.end('here'), { maxHeaderSize: 0 });
    expect((await exchange(firstAddress(running), head())).text).toMatch(/here$/);
  });

  it.each<[string, ScgiServerOptions]>([
    ['maxHeadBytes', { maxHeadBytes: 200 }],
    ['maxHeaderSize, its name over HTTP', { maxHeaderSize: 200 }],
    ['maxVariables', { maxVariables: 6 }],
  ])('%s bounds the request head', async (_name, options) => {
    const running = await serve((_req, res) => res.end('here'), options);
    const small = await exchange(firstAddress(running), head());
    expect(small.text).toMatch(/here$/);
    const large = await exchange(firstAddress(running), head({ HTTP_A: 'a'.repeat(200), HTTP_B: 'b' }));
    expect(large.text).toMatch(/^Status: 431 /);
  });

  it('maxBodyBytes bounds the request body, before the application is called', async () => {
    let requests = 0;
    const running = await serve(
      (_req, res) => {
        requests += 1;
        res.end('here');
      },
      { maxBodyBytes: 3 },
    );
    expect((await exchange(firstAddress(running), `${head({ CONTENT_LENGTH: '3' })}abc`)).text).toMatch(/here$/);
    expect((await exchange(firstAddress(running), `${head({ CONTENT_LENGTH: '4' })}abcd`)).text).toMatch(
      /^Status: 413 /,
    );
    expect(requests).toBe(1);
  });

  it('strict refuses what the specification forbids, lax takes what it forbids and others send', async () => {
    const listener = (_req: unknown, res: { end(text: string): unknown }): unknown => res.end('here');
    const twice = `${head({ HTTP_A: '1' }).replace(/^\d+:/, '').slice(0, -1)}HTTP_A\x002\0`;
    const bytes = `${twice.length}:${twice},`;
    const bare = head({ CONTENT_LENGTH: undefined, SCGI: undefined });
    const statuses: Record<string, string[]> = {};
    for (const [name, options] of Object.entries({ usual: {}, strict: { strict: true }, lax: { lax: true } })) {
      const running = await serve(listener, options);
      const answers = [await exchange(firstAddress(running), bytes), await exchange(firstAddress(running), bare)];
      statuses[name] = answers.map(({ text }) => text.slice(0, 11));
    }
    expect(statuses).toEqual({
      usual: ['Status: 200', 'Status: 400'],
      strict: ['Status: 400', 'Status: 400'],
      lax: ['Status: 200', 'Status: 200'],
    });
  });

  it('unbufferedEvents tells nginx not to hold events back, unless it is false', async () => {
    const texts: string[] = [];
    for (const options of [{}, { unbufferedEvents: true }, { unbufferedEvents: false }]) {
      const running = await serve((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: 1\n\n');
      }, options);
      texts.push((await exchange(firstAddress(running), head())).text);
    }
    expect(texts.map((text) => text.includes('\r\nX-Accel-Buffering: no\r\n'))).toEqual([true, true, false]);
  });
});
