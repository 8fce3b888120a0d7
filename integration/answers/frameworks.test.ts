// localRedirect and sendfile in each framework: the same answers everywhere, in the framework's own way, so that what
// wraps a handler can still add to them.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrontEndOptions } from '@scgi/core';
import { inject, type InjectedRequest, type InjectedResponse, injectStream } from '@scgi/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/deadline.js';
import { openDescriptors } from '../support/leaks.js';
import { type AnsweringApp, apps } from './support/apps.js';

const large = Buffer.alloc(2_000_000, 'the quick brown fox ');
const encoded = '/page%202?q=%C3%A9';
const apache = { SCRIPT_FILENAME: 'proxy:scgi://localhost/' };

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'scgi-answers-'));
  writeFileSync(join(root, 'small'), 'the file');
  writeFileSync(join(root, 'large'), large);
  writeFileSync(join(root, 'empty'), '');
});
afterAll(() => rmSync(root, { recursive: true }));

describe.each(apps)('$name', (app) => {
  const ask = async (
    request: InjectedRequest,
    frontEnd: FrontEndOptions = {},
  ): Promise<InjectedResponse & { readonly failures: readonly unknown[] }> => {
    const { running, failures } = await start(app, frontEnd);
    return { ...(await inject(running, request)), failures };
  };

  const expectLate = ({ headers }: InjectedResponse): void => {
    expect(headers['x-app']).toBe('here');
    expect(headers['set-cookie']).toEqual(app.addsLate ? ['late=1'] : undefined);
  };

  test.each([
    ['GET', 302],
    ['HEAD', 302],
    ['POST', 303],
  ])('redirects the client of a %s with %i', async (method, status) => {
    const answer = await ask({ method, url: '/redirect' });
    expect(answer).toMatchObject({ status, text: '', broken: false, failures: [] });
    expect(answer.headers).toMatchObject({ location: encoded, 'content-length': '0' });
    expect(answer.headers).not.toHaveProperty('content-type');
    expectLate(answer);
  });

  test('hands the redirect to Apache and to nginx, where these were said to follow', async () => {
    const byApache = await ask({ url: '/redirect', variables: apache }, { localRedirect: 'Location' });
    expect(byApache).toMatchObject({ status: 200, text: '', headers: { location: encoded } });
    expectLate(byApache);
    const variables = { DOCUMENT_URI: '/redirect' };
    const byNginx = await ask({ url: '/redirect', variables }, { localRedirect: 'X-Accel-Redirect' });
    expect(byNginx).toMatchObject({ status: 302, headers: { 'x-accel-redirect': encoded } });
    expectLate(byNginx);
  });

  test('makes a 500 of a redirect to another site', async () => {
    const answer = await ask({ url: '/evil' });
    expect(answer.status).toBe(500);
    expect(answer.headers).not.toHaveProperty('location');
    expect([...answer.failures, ...answer.errors]).toContainEqual(
      expect.objectContaining({ code: 'ERR_SCGI_REDIRECT_PATH' }),
    );
  });

  test.each([
    ['small', 'the file'],
    ['empty', ''],
    ['large', large.toString()],
  ])('sends the %s file with its length', async (name, text) => {
    const answer = await ask({ url: `/file/${name}` });
    expect(answer.text === text).toBe(true);
    expect(answer).toMatchObject({ status: 200, broken: false, failures: [] });
    expect(answer.headers).toMatchObject({ 'content-length': `${text.length}`, 'accept-ranges': 'bytes' });
    expect(answer.headers['content-type']).toMatch(/^text\/x\b/);
    expectLate(answer);
  });

  test.each(['small', 'large'])('sends the head of the %s file alone', async (name) => {
    const { headers } = await ask({ url: `/file/${name}` });
    const answer = await ask({ method: 'HEAD', url: `/file/${name}` });
    expect(answer).toMatchObject({ status: 200, text: '', headers });
  });

  test('sends a range, and says where there is none', async () => {
    const part = await ask({ url: '/file/small', headers: { Range: 'bytes=-4' } });
    expect(part).toMatchObject({ status: 206, text: 'file' });
    expect(part.headers).toMatchObject({ 'content-range': 'bytes 4-7/8', 'content-length': '4' });
    const long = await ask({ url: '/file/large', headers: { Range: 'bytes=7-1500006' } });
    expect(long.body.equals(large.subarray(7, 1_500_007))).toBe(true);
    const beyond = await ask({ url: '/file/small', headers: { Range: 'bytes=8-' } });
    expect(beyond).toMatchObject({ status: 416, text: '', headers: { 'content-range': 'bytes */8' } });
  });

  test.each(['small', 'large'])('does not send the %s file again', async (name) => {
    const { headers } = await ask({ url: `/file/${name}` });
    const again = await ask({ url: `/file/${name}`, headers: { 'If-None-Match': String(headers['etag']) } });
    expect(again).toMatchObject({ status: 304, text: '', headers: { etag: headers['etag'] } });
    expect(again.headers).not.toHaveProperty('content-length');
    expectLate(again);
  });

  test.each(['none', '..%2Fsecret'])('answers 404 for %s', async (name) => {
    expect(await ask({ url: `/file/${name}` })).toMatchObject({ status: 404, failures: [] });
  });

  test('leaves files to Apache, without a length, and to nginx', async () => {
    const frontEnd = { sendfile: { root }, accelRedirect: { '/p/': root } };
    const byApache = await ask({ url: '/file/large', variables: apache }, frontEnd);
    expect(byApache).toMatchObject({ status: 200, text: '', headers: { 'x-sendfile': join(root, 'large') } });
    expect(byApache.headers).not.toHaveProperty('content-length');
    expectLate(byApache);
    for (const method of ['GET', 'HEAD']) {
      const byNginx = await ask({ method, url: '/file/large', variables: { DOCUMENT_URI: '/' } }, frontEnd);
      expect(byNginx).toMatchObject({ status: 200, text: '', headers: { 'x-accel-redirect': '/p/large' } });
    }
  });

  test('breaks off where the file shrinks while it is sent', async () => {
    const path = join(root, `shrinking ${app.name}`);
    writeFileSync(path, Buffer.alloc(8_000_000));
    const { running } = await start(app, {});
    const { body, headers } = await injectStream(running, {
      url: `/file/${encodeURIComponent(`shrinking ${app.name}`)}`,
    });
    expect(headers['content-length']).toBe('8000000');
    truncateSync(path, 10);
    await expect(body.toArray()).rejects.toThrow();
    await until(() => !openDescriptors().includes(path), 5_000, 'the file to be closed');
  });

  test('closes the file when the client leaves', async () => {
    const path = join(root, `left ${app.name}`);
    writeFileSync(path, Buffer.alloc(8_000_000));
    const { running } = await start(app, {});
    const { body } = await injectStream(running, { url: `/file/${encodeURIComponent(`left ${app.name}`)}` });
    await until(() => openDescriptors().includes(path), 5_000, 'the file to be open');
    body.on('error', () => {}).destroy();
    await until(() => !openDescriptors().includes(path), 5_000, 'the file to be closed');
  });
});

async function start(app: AnsweringApp, frontEnd: FrontEndOptions) {
  const failures: unknown[] = [];
  const running = await app.serve(root, { bind: 0, frontEnd, onError: (error) => void failures.push(error) });
  onTestFinished(() => running.close({ timeout: 0 }));
  return { running, failures };
}
