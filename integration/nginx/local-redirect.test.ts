// localRedirect behind a real nginx: to files, to other backends, and, where a redirect comes back to the same
// application, by way of the client.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localRedirect, type ScgiListener } from '@scgi/core';
import { expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { stockParams } from '../support/nginx-config.js';
import { test, type Stage } from './support/stage.js';

const follows = { frontEnd: { localRedirect: 'X-Accel-Redirect' } };

/** Redirects /to?… to what the query says, and shows every other request. */
const redirecting: ScgiListener = async (request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost');
  const body = Buffer.concat(await request.toArray()).toString();
  if (url.pathname !== '/to') {
    response.end(JSON.stringify({ method: request.method, url: request.url, body }));
    return;
  }
  response.setHeader('Set-Cookie', 'seen=1').setHeader('Content-Type', 'text/html');
  localRedirect(response, url.searchParams.get('path') ?? '');
};

const to = (path: string): string => `/to?path=${encodeURIComponent(path)}`;

/** A location that asks the application for what nginx was redirected to. */
const comesBack = (path: string, address: string): string =>
  `location ${path} { include ${stockParams()}; scgi_param REQUEST_URI ""; scgi_pass ${address}; }`;

async function startWithFiles(stage: Stage, options: object): Promise<string> {
  const files = join(stage.folder(), 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'a b.txt'), 'a file of nginx');
  const { address } = await stage.serve(redirecting, options);
  const serverDirectives = [`location /files/ { internal; alias ${files}/; }`];
  return (await stage.nginx({ to: address, serverDirectives })).origin;
}

describeWith('nginx', 'localRedirect', () => {
  test.for(['GET', 'POST', 'HEAD'])(
    'leads a %s to a file of nginx’s, and keeps the cookies',
    async (method, { stage }) => {
      const origin = await startWithFiles(stage, follows);
      const response = await httpRequest({ origin, path: to('/files/a b.txt'), method });
      expect(response).toMatchObject({ status: 200, text: method === 'HEAD' ? '' : 'a file of nginx' });
      expect(response.headers).toMatchObject({ 'set-cookie': ['seen=1'], 'content-length': '15' });
      expect(response.headers).not.toHaveProperty('location');
      expect((await httpRequest({ origin, path: to('/files/none'), method })).status).toBe(404);
    },
  );

  test('leads to another backend, which is asked for the path and the query', async ({ stage }) => {
    const { address } = await stage.serve(redirecting, follows);
    const other = await stage.serve(redirecting);
    const serverDirectives = [comesBack('/other/', other.address)];
    const { origin } = await stage.nginx({ to: address, serverDirectives });
    const { text } = await httpRequest({ origin, path: to('/other/page 2?q=é'), method: 'PUT' });
    expect(JSON.parse(text)).toMatchObject({ method: 'GET', url: '/other/page%202?q=%C3%A9', body: '' });
  });

  // Unlike Apache, which takes it away.
  test('leaves a body to whom the redirect leads', async ({ stage }) => {
    const { address } = await stage.serve(redirecting, follows);
    const serverDirectives = [comesBack('/other/', address)];
    const { origin } = await stage.nginx({ to: address, serverDirectives });
    const { text } = await httpRequest({ origin, path: to('/other/'), body: 'a body' });
    expect(JSON.parse(text)).toMatchObject({ method: 'GET', url: '/other/', body: 'a body' });
  });

  test('back to the application, which nginx shows the first REQUEST_URI again, goes by the client', async ({
    stage,
  }) => {
    const { address, server } = await stage.serve(redirecting, follows);
    const urls: unknown[] = [];
    server.on('request', (request) => urls.push([request.url, request.scgi.env['DOCUMENT_URI']]));
    const { origin } = await stage.nginx({ to: address });
    const response = await httpRequest({ origin, path: to('/page 2?q') });
    expect(response).toMatchObject({
      status: 302,
      headers: { location: '/page%202?q', 'set-cookie': ['seen=1', 'seen=1'] },
    });
    expect(response.headers).not.toHaveProperty('x-accel-redirect');
    expect(urls).toEqual([
      [to('/page 2?q'), '/to'],
      [to('/page 2?q'), '/page 2'],
    ]);
    const { text } = await httpRequest({ origin, path: response.headers.location ?? '' });
    expect(JSON.parse(text)).toMatchObject({ url: '/page%202?q' });
  });

  test.for([
    ['', 'as it comes', 302],
    ['?q', 'with a query', 302],
  ] as const)('to what was asked for, %s, goes by the client: %s', async ([query, , status], { stage }) => {
    const { address } = await stage.serve((request, response) => localRedirect(response, request.url ?? ''), follows);
    const { origin } = await stage.nginx({ to: address });
    const { headers, ...response } = await httpRequest({ origin, path: `/again${query}` });
    expect(response.status).toBe(status);
    expect(headers.location).toBe(`/again${query}`);
  });

  test('of two pages that lead to each other ends, whether or not nginx shows them the way', async ({ stage }) => {
    for (const params of [{}, { REQUEST_URI: '' }]) {
      let requests = 0;
      const { address } = await stage.serve((request, response) => {
        requests += 1;
        localRedirect(response, request.url === '/a' ? '/b' : '/a');
      }, follows);
      const { origin } = await stage.nginx({ to: address, params });
      const { status } = await httpRequest({ origin, path: '/a' });
      // nginx’s own limit, where only nginx can tell; else the client’s, who is redirected.
      expect(status).toBe('REQUEST_URI' in params ? 500 : 302);
      expect(requests).toBeLessThanOrEqual(11);
    }
  });

  test.for([
    ['where nothing is said', {}],
    ['where Apache is meant', { frontEnd: { localRedirect: 'Location' } }],
  ] as const)('redirects the client %s', async ([, options], { stage }) => {
    const origin = await startWithFiles(stage, options);
    expect(await httpRequest({ origin, path: to('/files/a b.txt') })).toMatchObject({ status: 302, text: '' });
    const { status, headers } = await httpRequest({ origin, path: to('/x'), body: 'a body' });
    expect({ status, location: headers.location }).toEqual({ status: 303, location: '/x' });
  });

  test('is a redirect for the client where nginx does not heed the field', async ({ stage }) => {
    const { address } = await stage.serve(redirecting, follows);
    const { origin } = await stage.nginx({ to: address, directives: ['scgi_ignore_headers X-Accel-Redirect;'] });
    expect(await httpRequest({ origin, path: to('/x') })).toMatchObject({ status: 302, headers: { location: '/x' } });
  });
});
