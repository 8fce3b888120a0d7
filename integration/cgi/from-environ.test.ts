// fromEnviron() on what real web servers give CGI programs: Apache's mod_cgid, lighttpd's mod_cgi, and our own runner.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgiDirectory, fromEnviron, type EnvironRequest } from '@scgi/cgi';
import { expect } from 'vitest';
import { type ApacheStage, test } from '../apache/support/stage.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions } from '../support/http-client.js';
import { startLighttpd } from '../support/lighttpd.js';

/** Programs that print their environment, one variable behind each NUL, and one that redirects to another. */
function writePrograms(folder: string): string {
  const programs = {
    tell: `printf 'Content-Type: application/octet-stream\\r\\n\\r\\n'; exec cat /proc/self/environ`,
    redirect: `printf 'Location: /cgi-bin/tell/new%%20path?from=redirect\\r\\n\\r\\n'`,
  };
  for (const [name, source] of Object.entries(programs)) {
    // Apache breaks off the answer of a program that leaves its input unread.
    writeFileSync(join(folder, name), `#!/bin/sh\ncat > /dev/null\n${source}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  chmodSync(folder, 0o755);
  return folder;
}

async function ask(origin: string, request: Omit<HttpRequestOptions, 'origin'>): Promise<EnvironRequest> {
  const { body } = await httpRequest({ origin, ...request });
  const pairs = body.toString().split('\0').filter(Boolean);
  return fromEnviron(Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2))));
}

interface Start {
  (stage: ApacheStage, folder: string): Promise<string>;
}

const apache: Start = async (stage, folder) => (await stage.apache({ cgi: [{ folder }] })).origin;
const lighttpd: Start = async (stage, folder) => {
  const server = await startLighttpd({ cgi: [{ folder, directives: ['cgi.local-redir = "enable"'] }] });
  stage.add(server.stop);
  return server.origin;
};
const runner: Start = async (stage, folder) => {
  const { address } = await stage.serve(cgiDirectory(folder, { mount: '/cgi-bin' }));
  return (await stage.nginx({ to: address })).origin;
};

/** What the program says that a local redirect leads to. */
const redirected = {
  method: 'GET',
  scriptName: '/cgi-bin/tell',
  pathInfo: '/new path',
  queryString: 'from=redirect',
};
const ahead = '/cgi-bin/tell/new%20path?from=redirect';

const servers: readonly (readonly [name: string, start: Start, urlBehindRedirect: string])[] = [
  ['Apache, with mod_cgid', apache, ahead],
  // Its REDIRECT_URI says the same of a redirect and of a rewrite, behind which the client's own target counts.
  ['lighttpd', lighttpd, '/cgi-bin/redirect?old'],
  ['our runner, behind nginx', runner, ahead],
];

describeWith(['apache', 'lighttpd', 'nginx'], 'the request that a CGI program was called for', () => {
  test.for(servers)('is known behind %s', async ([, start, urlBehindRedirect], { stage }) => {
    const origin = await start(stage, writePrograms(stage.folder()));
    const path = '/cgi-bin/tell/a%20b%C3%A9?q=%20';
    const headers = { 'X-A': '1', Cookie: 'a=1' };
    expect(await ask(origin, { path, headers, method: 'POST', body: 'four' })).toMatchObject({
      method: 'POST',
      url: path,
      httpVersion: '1.1',
      headers: { 'x-a': '1', cookie: 'a=1', 'content-length': '4', host: expect.stringContaining('127.0.0.1') },
      remoteAddress: '127.0.0.1',
      encrypted: false,
      scriptName: '/cgi-bin/tell',
      pathInfo: '/a bé',
      queryString: 'q=%20',
      contentLength: 4,
    });
    const bare = await ask(origin, { path: '/cgi-bin/tell' });
    expect(bare).toMatchObject({ method: 'GET', url: '/cgi-bin/tell', pathInfo: '' });
    expect(bare.headers).not.toHaveProperty('content-length');
    const behind = await ask(origin, { path: '/cgi-bin/redirect?old', method: 'POST', body: 'form' });
    expect(behind).toMatchObject({ ...redirected, url: urlBehindRedirect });
  });

  test('keeps its own target behind a rewrite of Apache', async ({ stage }) => {
    const folder = writePrograms(stage.folder());
    const rules = ['RewriteEngine On', 'RewriteRule "^/pretty/(.*)$" "/cgi-bin/tell/$1" [PT]'];
    const { origin } = await stage.apache({ cgi: [{ folder }], modules: ['rewrite'], serverDirectives: rules });
    const request = await ask(origin, { path: '/pretty/x?q' });
    expect(request).toMatchObject({ url: '/pretty/x?q', scriptName: '/cgi-bin/tell', pathInfo: '/x' });
  });
});
