// What lighttpd's mod_scgi makes of a request line: method, target, prefix, rewrites and error handlers, and what the
// application sees of it.

import { describe, expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { rawExchange } from '../support/http-client.js';
import type { LighttpdOptions } from '../support/lighttpd.js';
import { ask, answerTo } from './support/ask.js';
import { mirror, test, transports, type LighttpdBefore, type Stage } from './support/stage.js';

describeWith('lighttpd', 'the target behind lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([
      ['/', '/'],
      ['/a%2Fb', '/a/b'],
      ['//a//b/', '/a/b/'],
      ['/a/./b/../c', '/a/c'],
      ['/caf%C3%A9%20x', '/caf\xc3\xa9 x'],
      ['/caf\xe9', '/caf\xe9'],
      ['/a?', '/a'],
      ['/a?b=c&d=%20+e', '/a'],
      ['/a;b=c', '/a;b=c'],
    ])('is what the client sent for %s, whatever PATH_INFO says', async ([target = '', path], { stage, lighttpd }) => {
      const { address } = await stage.serve(mirror, { over });
      const { url, env } = await ask(await lighttpd({ to: address }), `GET ${target} HTTP/1.1`);
      expect(url).toBe(target);
      expect(env).toMatchObject({ PATH_INFO: path, SCRIPT_NAME: '', QUERY_STRING: target.split('?')[1] ?? '' });
    });
  });

  test('is the path of an absolute form, whose host must be the one of the Host field', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const server = await lighttpd({ to: address });
    const { url, headers } = await ask(server, 'GET http://a.example/p%20q?r=1 HTTP/1.1');
    expect({ url, host: headers.host }).toEqual({ url: '/p%20q?r=1', host: 'a.example' });
    expect((await answerTo(server, 'GET http://other.example/p HTTP/1.1')).status).toBe(400);
  });
});

describeWith('lighttpd', 'the method behind lighttpd', () => {
  test.for(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE'])(
    'reaches the application: %s',
    async (method, { stage, lighttpd }) => {
      const methods: (string | undefined)[] = [];
      const { address } = await stage.serve((request, response) => {
        methods.push(request.method);
        response.end();
      });
      expect((await answerTo(await lighttpd({ to: address }), `${method} / HTTP/1.1`)).status).toBe(200);
      expect(methods).toEqual([method]);
    },
  );

  test.for([
    ['FROB /', 501],
    ['get /', 501],
    ['CONNECT a.example:443', 400],
    ['OPTIONS *', 200],
  ] as const)('is answered by lighttpd itself: %s', async ([line, status], { stage, lighttpd }) => {
    const { address } = await stage.serve(() => expect.unreachable());
    expect((await answerTo(await lighttpd({ to: address }), `${line} HTTP/1.1`)).status).toBe(status);
  });

  test.for([
    ['POST / HTTP/1.1\r\nHost: a\r\n\r\n', '411'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', '400'],
  ])('of %j is refused by lighttpd: %s', async ([request = '', status], { stage, lighttpd }) => {
    const { address } = await stage.serve(() => expect.unreachable());
    const { port } = await lighttpd({ to: address });
    // A GET with a body would wait for the next request: a half-close ends the connection.
    const answer = await rawExchange(`127.0.0.1:${port}`, request, { halfClose: true });
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});

describeWith('lighttpd', 'a prefix behind lighttpd', () => {
  const mounted = async (stage: Stage, lighttpd: LighttpdBefore, basePath: string, options: Partial<LighttpdOptions>) =>
    lighttpd({ to: (await stage.serve(mirror, { basePath })).address, ...options });

  test('is part of the target unless the application cuts it off', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const { url, env } = await ask(await lighttpd({ path: '/app', to: address }), 'GET /app/x%2Fy?q HTTP/1.1');
    expect(url).toBe('/app/x%2Fy?q');
    expect(env).toMatchObject({ SCRIPT_NAME: '/app', PATH_INFO: '/x/y' });
  });

  const below = [
    ['/app', '/'],
    ['/app/', '/'],
    ['/app?q', '/?q'],
    ['/app/x%2Fy?q', '/x%2Fy?q'],
    ['/app//x/../y', '//x/../y'],
    ['/%61pp/x', '/x'],
  ];
  describe.each(['/app', 'SCRIPT_NAME'])('with basePath %s', (basePath) => {
    test.for(below)('turns %s into %s', async ([target = '', url], { stage, lighttpd }) => {
      const server = await mounted(stage, lighttpd, basePath, { path: '/app' });
      expect(await ask(server, `GET ${target} HTTP/1.1`)).toMatchObject({ url, originalUrl: target });
    });

    test('leaves other paths to lighttpd', async ({ stage, lighttpd }) => {
      const server = await mounted(stage, lighttpd, basePath, { path: '/app' });
      const { status, text } = await answerTo(server, 'GET /other HTTP/1.1');
      expect({ status, byLighttpd: text.includes('<h1>404') }).toEqual({ status: 404, byLighttpd: true });
    });
  });

  // lighttpd takes a key for the beginning of the path, and what is matched up to the next slash for SCRIPT_NAME.
  test('matches /appzzz too: basePath /app refuses it, SCRIPT_NAME cannot', async ({ stage, lighttpd }) => {
    const fixed = await mounted(stage, lighttpd, '/app', { path: '/app' });
    expect((await answerTo(fixed, 'GET /appzzz/x HTTP/1.1')).status).toBe(404);
    const named = await mounted(stage, lighttpd, 'SCRIPT_NAME', { path: '/app' });
    const { url, env } = await ask(named, 'GET /appzzz/x HTTP/1.1');
    expect({ url, mount: env.SCRIPT_NAME }).toEqual({ url: '/x', mount: '/appzzz' });
  });

  test('with a slash at its end swallows the next segment, which only a fixed basePath withstands', async ({
    stage,
    lighttpd,
  }) => {
    const fixed = await mounted(stage, lighttpd, '/app', { path: '/app/' });
    expect((await ask(fixed, 'GET /app/x/y HTTP/1.1')).url).toBe('/x/y');
    const named = await mounted(stage, lighttpd, 'SCRIPT_NAME', { path: '/app/' });
    const { url, env } = await ask(named, 'GET /app/x/y HTTP/1.1');
    expect({ url, mount: env.SCRIPT_NAME }).toEqual({ url: '/y', mount: '/app/x' });
  });

  test('that lighttpd finds only after it has merged slashes is none', async ({ stage, lighttpd }) => {
    const named = await mounted(stage, lighttpd, 'SCRIPT_NAME', { path: '/app' });
    const { url, env } = await ask(named, 'GET //app/x HTTP/1.1');
    expect({ url, mount: env.SCRIPT_NAME }).toEqual({ url: '//app/x', mount: '/app' });
    const fixed = await mounted(stage, lighttpd, '/app', { path: '/app' });
    expect((await answerTo(fixed, 'GET //app/x HTTP/1.1')).status).toBe(404);
  });

  test('without fix-root-scriptname has the first segment in SCRIPT_NAME, which is no mount point', async ({
    stage,
    lighttpd,
  }) => {
    const { address } = await stage.serve(mirror);
    const server = await lighttpd({ to: address, backendOptions: { 'fix-root-scriptname': 'disable' } });
    const { url, env } = await ask(server, 'GET /x/y HTTP/1.1');
    expect({ url, name: env.SCRIPT_NAME, info: env.PATH_INFO }).toEqual({ url: '/x/y', name: '/x', info: '/y' });
  });
});

describeWith('lighttpd', 'a rewrite behind lighttpd', () => {
  test('leaves the target as the client sent it; REDIRECT_URI and QUERY_STRING have the new one', async ({
    stage,
    lighttpd,
  }) => {
    const { address } = await stage.serve(mirror);
    const rewrite = [
      'server.modules += ( "mod_rewrite" )',
      'url.rewrite-once = ( "^/old/([^?]*)" => "/new/$1?by=rewrite" )',
    ];
    const server = await lighttpd({ to: address, directives: rewrite });
    const { url, env } = await ask(server, 'GET /old/a%20b?q=2 HTTP/1.1');
    expect(url).toBe('/old/a%20b?q=2');
    expect(env).toMatchObject({
      PATH_INFO: '/new/a b',
      QUERY_STRING: 'by=rewrite',
      REDIRECT_URI: '/new/a%20b?by=rewrite',
      REDIRECT_STATUS: '200',
    });
  });
});

describeWith('lighttpd', 'an error handler in lighttpd', () => {
  const redirected = { SCRIPT_NAME: '/app', PATH_INFO: '/lost', REDIRECT_URI: '/app/lost', REDIRECT_STATUS: '404' };

  test('asks the application, which sees the first target and answers with its own status', async ({
    stage,
    lighttpd,
  }) => {
    const { address } = await stage.serve(mirror);
    const server = await lighttpd({ path: '/app', to: address, directives: ['server.error-handler = "/app/lost"'] });
    expect((await answerTo(server, 'GET /nowhere?q=2 HTTP/1.1')).status).toBe(200);
    const { url, env } = await ask(server, 'GET /nowhere?q=2 HTTP/1.1');
    expect(url).toBe('/nowhere?q=2');
    expect(env).toMatchObject({ ...redirected, REQUEST_URI: '/nowhere?q=2', QUERY_STRING: '' });
  });

  test('makes a GET without a body of what it takes over, but error-handler-404 does not', async ({
    stage,
    lighttpd,
  }) => {
    const { address } = await stage.serve(mirror);
    const request = ['POST /nowhere HTTP/1.1', ['Content-Length: 2'], 'hi'] as const;
    const plain = await lighttpd({ path: '/app', to: address, directives: ['server.error-handler = "/app/lost"'] });
    const { method, body, headers, env } = await ask(plain, ...request);
    expect({ method, body }).toEqual({ method: 'GET', body: '' });
    // The length of the body that is gone is still there, as the client's field.
    expect(env).toMatchObject({ ...redirected, CONTENT_LENGTH: '0', HTTP_CONTENT_LENGTH: '2' });
    expect(headers).not.toHaveProperty('content-length');
    const directives = ['server.error-handler-404 = "/app/lost"'];
    const keeping = await ask(await lighttpd({ path: '/app', to: address, directives }), ...request);
    expect(keeping).toMatchObject({ method: 'POST', body: 'hi', url: '/nowhere', env: redirected });
  });

  test('leaves the answers of the application alone', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve((_, response) => void response.writeHead(404).end('my own 404'));
    const directives = ['server.error-handler = "/app/lost"'];
    const { status, text } = await answerTo(await lighttpd({ to: address, directives }), 'GET /x HTTP/1.1');
    expect({ status, text }).toEqual({ status: 404, text: 'my own 404' });
  });
});
