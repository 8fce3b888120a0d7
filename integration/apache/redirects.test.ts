// Requests that Apache makes a second time by itself: local redirects of applications (RFC 3875 §6.2.2), rewrites in a
// directory context, and error documents. Which REQUEST_URI counts then differs from case to case.

import type { ScgiListener } from '@scgi/core';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { mirror, seenBy } from './support/mirror.js';
import { test, transports } from './support/stage.js';

/** Says `200` and `Location` for /first, and shows every other request. */
const redirecting: ScgiListener = async (request, response) => {
  if (request.url?.startsWith('/first') !== true) await mirror(request, response);
  else response.setHeader('Location', '/second page/%2F?new=1').end('not shown');
};

describeWith('apache', 'a local redirect', () => {
  describe.each(transports)('over %s', (over) => {
    test('is followed where ProxySCGIInternalRedirect is on, and its target is what the application sees', async ({
      stage,
    }) => {
      const { address, server } = await stage.serve(redirecting, { over });
      const urls: string[] = [];
      server.on('request', ({ url }) => urls.push(`${url}`));
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      const seen = await seenBy({ origin, path: '/first?old=1', headers: { 'X-Kept': 'yes' } });
      // Apache keeps the decoded path alone, in which with AllowEncodedSlashes NoDecode %2F is the one escape.
      expect(seen).toMatchObject({ method: 'GET', url: '/second%20page/%2F?new=1', headers: { 'x-kept': 'yes' } });
      expect(seen.env).toMatchObject({ REQUEST_URI: '/first?old=1', REDIRECT_URL: '/first' });
      expect(urls).toEqual(['/first?old=1', '/second%20page/%2F?new=1']);
    });

    test('of a POST becomes a GET without a body', async ({ stage }) => {
      const { address } = await stage.serve(redirecting, { over });
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      const seen = await seenBy({ origin, path: '/first', body: 'a body' });
      expect(seen).toMatchObject({ method: 'GET', url: '/second%20page/%2F?new=1', body: '' });
      expect(seen.headers).not.toHaveProperty('content-length');
    });

    test('is a response as any other where ProxySCGIInternalRedirect is off', async ({ stage }) => {
      const { address } = await stage.serve(redirecting, { over });
      const { origin } = await stage.apache({ to: address });
      const response = await httpRequest({ origin, path: '/first' });
      expect(response).toMatchObject({ status: 200, text: 'not shown' });
      expect(response.headers.location).toBe('/second page/%2F?new=1');
    });
  });

  test('of a target that leads to itself ends with a status, and the server lives on', async ({ stage }) => {
    let requests = 0;
    const { address } = await stage.serve((_, response) => {
      requests += 1;
      response.setHeader('Location', '/again').end();
    });
    const { origin } = await stage.apache({ to: address, internalRedirect: true });
    expect((await httpRequest({ origin, path: '/again' })).status).toBe(500);
    expect(requests).toBeLessThan(20);
  });

  test('below a prefix is cut by basePath as the first request is', async ({ stage }) => {
    const listener: ScgiListener = async (request, response) => {
      if (request.url !== '/first') await mirror(request, response);
      else response.setHeader('Location', '/app/second').end();
    };
    const { address } = await stage.serve(listener, { basePath: '/app' });
    const { origin } = await stage.apache({ path: '/app/', to: address, internalRedirect: true });
    expect((await seenBy({ origin, path: '/app/first' })).url).toBe('/second');
  });

  test('with another status than 200 goes to the client', async ({ stage }) => {
    const { address } = await stage.serve((_, response) => {
      response.writeHead(302, { Location: '/second' }).end();
    });
    const { origin } = await stage.apache({ to: address, internalRedirect: true });
    const response = await httpRequest({ origin });
    expect(response.status).toBe(302);
    expect(response.headers.location).toBe('/second');
  });
});

describeWith('apache', 'a rewrite in a directory context', () => {
  test('leaves the application the target that the client sent', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    // Not for all paths: ProxyPass would take the request before the directory is looked at.
    const { origin } = await stage.apache({
      path: '/app/',
      to: address,
      modules: ['rewrite'],
      serverDirectives: [
        '<Location "/pretty">',
        'RewriteEngine On',
        'RewriteRule .* /app/index?from=pretty [PT,L]',
        '</Location>',
      ],
    });
    const seen = await seenBy({ origin, path: '/pretty?q=1' });
    expect(seen.url).toBe('/pretty?q=1');
    expect(seen.env).toMatchObject({ SCRIPT_NAME: '/app/index', QUERY_STRING: 'from=pretty' });
  });

  test('to scgi:// itself, as a .htaccess file does it, does so too', async ({ stage }) => {
    const { address } = await stage.serve(mirror, { over: 'tcp' });
    const { origin, documentRoot } = await stage.apache({
      path: '/elsewhere/',
      to: address,
      modules: ['rewrite'],
      serverDirectives: ['<Directory />', 'AllowOverride FileInfo', 'Options FollowSymLinks', '</Directory>'],
    });
    mkdirSync(join(documentRoot, 'site'), { mode: 0o755 });
    const lines = ['RewriteEngine On', `RewriteRule ^(.*)$ scgi://${address}/site/$1 [P]`];
    writeFileSync(join(documentRoot, 'site/.htaccess'), lines.join('\n'), { mode: 0o644 });
    expect((await seenBy({ origin, path: '/site/a/b?q=1' })).url).toBe('/site/a/b?q=1');
  });
});

describeWith('apache', 'an error document', () => {
  test.for(transports)('of the application is asked for by its own path over %s', async (over, { stage }) => {
    const { address } = await stage.serve(mirror, { over });
    const { origin } = await stage.apache({
      path: '/app/',
      to: address,
      serverDirectives: ['ErrorDocument 404 /app/missing'],
    });
    // The status that the client gets is the one of this second response: here the mirror's 200.
    const seen = await seenBy({ origin, path: '/no/such/file?q=1' });
    expect(seen.url).toBe('/app/missing');
    expect(seen.env).toMatchObject({ REDIRECT_STATUS: '404', REDIRECT_URL: '/no/such/file' });
  });

  // mod_proxy_http, _fcgi and _uwsgi heed it; mod_proxy_scgi has no code for it.
  test('never takes the place of an answer of the application, not even with ProxyErrorOverride', async ({ stage }) => {
    const { address } = await stage.serve((_, response) => void response.writeHead(503).end('own words'));
    const serverDirectives = ['ProxyErrorOverride On', 'ErrorDocument 503 "Apache\'s words"'];
    const { origin } = await stage.apache({ to: address, serverDirectives });
    expect(await httpRequest({ origin })).toMatchObject({ status: 503, text: 'own words' });
  });
});
