// What an application sees of a request as a CGI program: its target, its mount point, its fields, its client, and nothing
// of the process that it runs in.

import { describe, expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions } from '../support/http-client.js';
import { describeWebServers, test, type CgiStage, type WebServerOptions } from './support/stage.js';

interface Facts {
  readonly method: string;
  readonly url: string;
  readonly originalUrl: string;
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly env: Readonly<Record<string, string>>;
}

async function ask(options: HttpRequestOptions): Promise<Facts> {
  const { status, text } = await httpRequest(options);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  return JSON.parse(text);
}

const mount = '/cgi-bin/core.cgi';

describeWebServers('the request as a CGI program of', (scene, server) => {
  const isApache = server !== 'lighttpd';
  const askFor = (path: string, options: Partial<HttpRequestOptions> = {}): Promise<Facts> =>
    ask({ origin: scene().origin, path, ...options });

  test.each(['', '/', '/facts', '/facts?a=1&b=%26', '/a%20b/c', '/a%2Fb', '/%C3%A9//x/', '/x?', '/x%3Fy'])(
    'has its target below the program as it was sent: %j',
    async (path) => {
      const { url, originalUrl, basePath } = await askFor(`${mount}${path}`);
      const inside = path.startsWith('/') ? path : `/${path}`;
      expect({ url, originalUrl, basePath }).toEqual({
        url: inside,
        originalUrl: `${mount}${path}`,
        basePath: mount,
      });
    },
  );

  test('has the client and its connection', async () => {
    const { remoteAddress, encrypted, env } = await askFor(mount);
    expect({ remoteAddress, encrypted }).toEqual({ remoteAddress: '127.0.0.1', encrypted: false });
    expect(env['REMOTE_PORT']).toMatch(/^\d+$/);
  });

  test('has the fields of the client, octet by octet', async () => {
    const fields = { 'X-Latin': 'caf\xe9', 'X-Utf8': Buffer.from('café').toString('latin1'), Cookie: 'a=1; b=2' };
    const { headers } = await askFor(mount, { headers: { ...fields, 'User-Agent': 'a test' } });
    expect(headers).toMatchObject({
      'x-latin': 'caf\xe9',
      'x-utf8': 'caf\xc3\xa9',
      cookie: 'a=1; b=2',
      'user-agent': 'a test',
    });
  });

  test('has Authorization', async () => {
    const { headers } = await askFor(mount, { headers: { Authorization: 'Bearer x' } });
    expect(headers['authorization']).toBe('Bearer x');
  });

  test('has its method, its type and its length', async () => {
    const { method, headers } = await askFor(mount, {
      body: 'hello',
      method: 'PATCH',
      headers: { 'Content-Type': 'a/b' },
    });
    expect({ method, ...headers }).toMatchObject({ method: 'PATCH', 'content-type': 'a/b', 'content-length': '5' });
  });

  test('has no length where there is no body', async () => {
    expect((await askFor(mount)).headers).not.toHaveProperty('content-length');
  });

  test('has the variables of the request and none of the process', async () => {
    const { env } = await askFor(`${mount}/x?q=1`, { headers: { Proxy: 'http://evil.test' } });
    expect(env).toMatchObject({
      GATEWAY_INTERFACE: 'CGI/1.1',
      SCRIPT_NAME: mount,
      PATH_INFO: '/x',
      QUERY_STRING: 'q=1',
    });
    for (const name of ['PATH', 'NOTES_FOLDER', 'PWD', 'HTTP_PROXY', 'SHLVL']) expect(env).not.toHaveProperty(name);
  });

  test('to upgrade is an ordinary one', async () => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'x',
      'Sec-WebSocket-Version': '13',
    };
    const facts = await askFor(mount, { headers });
    expect(facts.headers).not.toHaveProperty('upgrade');
    expect(facts.headers['sec-websocket-version']).toBe('13');
  });

  test('with a path that the web server has cleaned up shows the whole of it', async () => {
    const { url, basePath } = await askFor('/cgi-bin//core.cgi/x');
    expect({ url, basePath }).toEqual({ url: '/cgi-bin//core.cgi/x', basePath: '' });
  });

  test(`that an answer with status 200 and a Location makes is ${isApache ? 'the second one' : 'none'}`, async () => {
    const { status, text } = await httpRequest({ origin: scene().origin, path: `${mount}/located/200` });
    expect(status).toBe(200);
    if (!isApache) return expect(text).toBe('here');
    // Apache takes it for a local redirect (RFC 3875 §6.2.2), and has no switch for that.
    const { url, originalUrl, basePath, env } = JSON.parse(text);
    expect({ url, originalUrl, basePath }).toEqual({ url: '/facts', originalUrl: `${mount}/facts`, basePath: mount });
    expect(env.REQUEST_URI).toBe(`${mount}/located/200`);
  });

  test('stays the client’s where the answer redirects it', async () => {
    const { status, headers } = await httpRequest({ origin: scene().origin, path: `${mount}/located/302` });
    expect({ status, location: headers['location'] }).toEqual({ status: 302, location: `${mount}/facts` });
  });
});

describeWith('apache', 'the request as a CGI program of Apache', () => {
  async function start(stage: CgiStage, apache: WebServerOptions['apache'] = {}): Promise<string> {
    return (await stage.start('Apache (mod_cgid)', stage.programs(), { apache })).origin;
  }

  test('behind a rewrite is the one that was sent: a program may be in front of a whole site', async ({ stage }) => {
    const rule = 'RewriteRule "^/site/(.*)" "/cgi-bin/core.cgi/$1" [PT]';
    const origin = await start(stage, { modules: ['rewrite'], serverDirectives: ['RewriteEngine On', rule] });
    const { url, basePath, env } = await ask({ origin, path: '/site/a%20b?q=1' });
    expect({ url, basePath }).toEqual({ url: '/site/a%20b?q=1', basePath: '' });
    expect(env['SCRIPT_NAME']).toBe(mount);
  });

  test('for an error document is that of the document; the first one is in REDIRECT_URL', async ({ stage }) => {
    const origin = await start(stage, { serverDirectives: ['ErrorDocument 404 /cgi-bin/core.cgi/missing'] });
    const { status, text } = await httpRequest({ origin, path: '/nowhere?q=1' });
    const { url, env } = JSON.parse(text);
    expect({ status, url }).toEqual({ status: 200, url: '/missing' });
    expect(env).toMatchObject({ REDIRECT_URL: '/nowhere', REDIRECT_STATUS: '404', REQUEST_URI: '/nowhere?q=1' });
  });

  test('has what modules put beside it only where the application asks for it', async ({ stage }) => {
    const origin = await start(stage, {
      modules: ['env'],
      serverDirectives: ['SetEnv EXTRA x', 'SetEnv REMOTE_ROLE y', 'SetEnv OIDC_ROLE z'],
    });
    const { env } = await ask({ origin, path: mount });
    for (const name of ['EXTRA', 'REMOTE_ROLE']) expect(env).not.toHaveProperty(name);
    expect(env['OIDC_ROLE']).toBe('z');
  });

  test('gets an answer without its length, unless Apache is told to believe it', async ({ stage }) => {
    const origin = await start(stage, { trustLength: false });
    const { headers } = await httpRequest({ origin, path: `${mount}/whole/100000` });
    expect(headers).not.toHaveProperty('content-length');
  });

  test('over TLS has the facts of it', async ({ stage }) => {
    const tls = createCertificate(stage.folder());
    const programs = stage.programs();
    const options = { tls, serverDirectives: ['<IfModule mod_ssl.c>', 'SSLOptions +StdEnvVars', '</IfModule>'] };
    const { tlsOrigin } = await stage.start('Apache (mod_cgid)', programs, { apache: options });
    const { encrypted, env } = await ask({ origin: tlsOrigin, path: mount });
    expect(encrypted).toBe(true);
    expect(env['SSL_PROTOCOL']).toMatch(/^TLSv1/);
  });
});

describe('the same application as an SCGI server', () => {
  describeWith('nginx', 'behind nginx', () => {
    test('sees the same of what it is asked, at its mount point', async ({ stage }) => {
      const programs = stage.programs();
      const to = await stage.scgiServer('core', programs);
      const { origin } = await stage.nginx({ locations: [{ path: mount, to, params: { SCRIPT_NAME: mount } }] });
      const asScgi = await ask({ origin, path: `${mount}/a%2Fb/%C3%A9?q` });
      expect(asScgi).toMatchObject({ url: '/a%2Fb/%C3%A9?q', basePath: mount, remoteAddress: '127.0.0.1' });
    });
  });
});
