// localRedirect and sendfile behind a real Apache: what it does itself when it is told to, and what the application does
// when it is not.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localRedirect, type ScgiListener, sendfile } from '@scgi/core';
import { describe, expect, onTestFinished } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { mirror, seenBy } from './support/mirror.js';
import { test } from './support/stage.js';

/** Redirects /to?… to what the query says, and shows every other request. */
const redirecting: ScgiListener = async (request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost');
  if (url.pathname !== '/to') {
    await mirror(request, response);
    return;
  }
  response.setHeader('Set-Cookie', 'seen=1').setHeader('Content-Type', 'text/html');
  localRedirect(response, url.searchParams.get('path') ?? '');
};

const to = (path: string): string => `/to?path=${encodeURIComponent(path)}`;
const follows = { frontEnd: { localRedirect: 'Location' } };

describeWith('apache', 'localRedirect', () => {
  describe('where Apache was told to follow', () => {
    test.for([
      ['GET', {}],
      ['POST', { body: 'a body' }],
      ['PUT', { method: 'PUT', body: 'a body' }],
    ] as const)('makes a GET without a body of a %s', async ([, options], { stage }) => {
      const { address } = await stage.serve(redirecting, follows);
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      const response = await httpRequest({ origin, path: to('/page 2/é?new=1&b'), ...options });
      expect(response).toMatchObject({ status: 200, headers: { 'set-cookie': ['seen=1'] } });
      const seen: unknown = JSON.parse(response.text);
      expect(seen).toMatchObject({ method: 'GET', url: '/page%202/%C3%A9?new=1&b', body: '' });
      expect(seen).not.toHaveProperty('headers.content-length');
    });

    test('keeps a HEAD', async ({ stage }) => {
      const methods: (string | undefined)[] = [];
      const { address, server } = await stage.serve(redirecting, follows);
      server.on('request', ({ method, url }) => methods.push(`${method} ${url}`));
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      expect(await httpRequest({ origin, path: to('/x'), method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
      expect(methods).toEqual([`HEAD ${to('/x')}`, 'HEAD /x']);
    });

    test('leads to files of Apache’s as well', async ({ stage }) => {
      const { address } = await stage.serve(redirecting, follows);
      const serverDirectives = ['ProxyPass /static/ !'];
      const { origin, documentRoot } = await stage.apache({ to: address, internalRedirect: true, serverDirectives });
      mkdirSync(join(documentRoot, 'static'), { mode: 0o755 });
      writeFileSync(join(documentRoot, 'static/a b.txt'), 'a file of Apache', { mode: 0o644 });
      const response = await httpRequest({ origin, path: to('/static/a b.txt'), body: 'a body' });
      expect(response).toMatchObject({ status: 200, text: 'a file of Apache' });
      expect((await httpRequest({ origin, path: to('/static/none') })).status).toBe(404);
    });

    test('goes by another field, which no client sees', async ({ stage }) => {
      const { address } = await stage.serve(redirecting, { frontEnd: { localRedirect: 'X-Local' } });
      const serverDirectives = ['ProxySCGIInternalRedirect X-Local'];
      const { origin } = await stage.apache({ to: address, serverDirectives });
      const response = await httpRequest({ origin, path: to('/x?y') });
      expect(response).toMatchObject({ status: 200, text: expect.stringContaining('"/x?y"') });
      expect(response.headers).not.toHaveProperty('x-local');
    });

    test('of two pages that lead to each other ends with a 500, and the reason in the log', async ({ stage }) => {
      let requests = 0;
      const { address, errors } = await stage.serve((request, response) => {
        requests += 1;
        localRedirect(response, request.url === '/a' ? '/b' : '/a');
      }, follows);
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      expect(await httpRequest({ origin, path: '/a' })).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
      expect(requests).toBe(6);
      expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_LOCAL_REDIRECT_LOOP' })]);
    });

    test('of five pages in a row comes to its end', async ({ stage }) => {
      const { address } = await stage.serve((request, response) => {
        const page = Number(request.url?.slice(1));
        if (page < 5) localRedirect(response, `/${page + 1}`);
        else response.end('the end');
      }, follows);
      const { origin } = await stage.apache({ to: address, internalRedirect: true });
      expect(await httpRequest({ origin, path: '/0' })).toMatchObject({ status: 200, text: 'the end' });
    });
  });

  describe('where nothing is said', () => {
    test.for([
      [true, 'GET', 302],
      [true, 'POST', 303],
      [false, 'GET', 302],
      [false, 'POST', 303],
    ] as const)(
      'and ProxySCGIInternalRedirect is %s, redirects the client of a %s',
      async ([on, method, status], { stage }) => {
        const { address } = await stage.serve(redirecting);
        const { origin } = await stage.apache({ to: address, internalRedirect: on });
        const response = await httpRequest({ origin, path: to('/x y'), method });
        expect(response).toMatchObject({ status, text: '', headers: { location: '/x%20y', 'set-cookie': ['seen=1'] } });
        expect(await seenBy({ origin, path: response.headers.location ?? '' })).toMatchObject({ url: '/x%20y' });
      },
    );
  });

  test('meant for nginx redirects the client', async ({ stage }) => {
    const { address } = await stage.serve(redirecting, { frontEnd: { localRedirect: 'X-Accel-Redirect' } });
    const { origin } = await stage.apache({ to: address, internalRedirect: true });
    const { status, headers } = await httpRequest({ origin, path: to('/x') });
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/x' });
    expect(headers).not.toHaveProperty('x-accel-redirect');
  });
});

const large = Buffer.alloc(1_000_000, 'the quick brown fox ');

/** A folder that Apache's workers may read. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-apache-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o644 });
  return folder;
}

describeWith('apache', 'sendfile', () => {
  const name = 'a%20 é+&.txt';
  const sending: (folder: string) => ScgiListener = (folder) => (request, response) =>
    sendfile(response, decodeURIComponent(request.url?.slice(1) ?? ''), { root: folder, type: 'text/x' });

  describe.each([
    ['with ap_trust_cgilike_cl', true],
    ['without ap_trust_cgilike_cl', false],
  ])('where Apache was told to send files, %s', (_title, trustLength) => {
    test('has it send whole files, and sends ranges and heads by itself', async ({ stage }) => {
      const folder = folderWith({ [name]: 'the file', large });
      const fields: unknown[] = [];
      const listener: ScgiListener = async (request, response) => {
        response.on('finish', () => fields.push(response.getHeader('x-sendfile') !== undefined));
        await sending(folder)(request, response);
      };
      const { address } = await stage.serve(listener, { frontEnd: { sendfile: { root: folder } } });
      const serverDirectives = ['ProxySCGISendfile On'];
      const { origin } = await stage.apache({ to: address, trustLength, serverDirectives });
      const whole = await httpRequest({ origin, path: `/${encodeURIComponent(name)}` });
      expect(whole).toMatchObject({ status: 200, text: 'the file', headers: { 'content-type': 'text/x' } });
      expect(whole.headers).not.toHaveProperty('x-sendfile');
      const many = await httpRequest({ origin, path: '/large', body: 'a body' });
      expect(many.body.equals(large)).toBe(true);
      await until(() => fields.length === 2, 5_000, 'the end of the responses');
      expect(fields.splice(0)).toEqual([true, true]);

      const part = await httpRequest({ origin, path: '/large', headers: { Range: 'bytes=7-500006' } });
      expect(part).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 7-500006/1000000' } });
      expect(part.body.equals(large.subarray(7, 500_007))).toBe(true);
      const headers = { 'If-None-Match': whole.headers.etag ?? '' };
      const again = await httpRequest({ origin, path: `/${encodeURIComponent(name)}`, headers });
      expect(again).toMatchObject({ status: 304, text: '', headers: { etag: whole.headers.etag } });
      const head = await httpRequest({ origin, path: '/large', method: 'HEAD' });
      expect(head.headers['content-length']).toBe(trustLength ? '1000000' : undefined);
      expect(await httpRequest({ origin, path: '/none' })).toMatchObject({ status: 404, text: 'Not Found\n' });
      await until(() => fields.length === 4, 5_000, 'the end of the responses');
      expect(fields).toEqual([false, false, false, false]);
    });
  });

  test('sends by itself what is not below the folders that Apache has', async ({ stage }) => {
    const folder = folderWith({ large });
    const { address } = await stage.serve(sending(folder), { frontEnd: { sendfile: { root: folderWith({}) } } });
    const { origin } = await stage.apache({ to: address, serverDirectives: ['ProxySCGISendfile On'] });
    const response = await httpRequest({ origin, path: '/large' });
    expect(response.body.equals(large)).toBe(true);
    expect(response.headers['content-length']).toBe('1000000');
  });

  test('goes by another field', async ({ stage }) => {
    const folder = folderWith({ large });
    const frontEnd = { sendfile: { root: folder, field: 'X-File' } };
    const { address } = await stage.serve(sending(folder), { frontEnd });
    const { origin } = await stage.apache({ to: address, serverDirectives: ['ProxySCGISendfile X-File'] });
    const response = await httpRequest({ origin, path: '/large' });
    expect(response.body.equals(large)).toBe(true);
    expect(response.headers).not.toHaveProperty('x-file');
  });

  test('sends all by itself where nothing is said, as for a front end that it is not behind', async ({ stage }) => {
    const folder = folderWith({ large });
    for (const options of [{}, { frontEnd: { accelRedirect: { '/p/': folder } } }]) {
      const { address } = await stage.serve(sending(folder), options);
      const { origin } = await stage.apache({ to: address });
      const response = await httpRequest({ origin, path: '/large' });
      expect(response.body.equals(large)).toBe(true);
      expect(response.headers).not.toHaveProperty('x-accel-redirect');
    }
  });
});
