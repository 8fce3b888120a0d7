// localRedirect and sendfile behind a real lighttpd, which sends files where it is told to and makes no redirects inside.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localRedirect, type ScgiListener, sendfile } from '@scgi/core';
import { describe, expect } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import type { LighttpdStreaming } from '../support/lighttpd-config.js';
import { test, type LighttpdBefore, type Stage } from './support/stage.js';

const large = Buffer.alloc(1_000_000, 'the quick brown fox ');
const oddName = 'a%20 é+&.txt';

interface Place {
  readonly origin: string;
  readonly folder: string;
  readonly handedOver: boolean[];
}

async function start(
  stage: Stage,
  lighttpd: LighttpdBefore,
  options: (folder: string) => object,
  streamResponse: LighttpdStreaming = 1,
): Promise<Place> {
  const folder = join(stage.folder(), 'files');
  mkdirSync(join(folder, 'inside'), { recursive: true });
  const files = { large, small: 'the file', [oddName]: 'odd', 'inside/file': 'inside' };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const handedOver: boolean[] = [];
  const listener: ScgiListener = async (request, response) => {
    response.on('finish', () => handedOver.push(response.hasHeader('x-sendfile')));
    await sendfile(response, decodeURIComponent(request.url?.slice(1) ?? ''), { root: folder, type: 'text/x' });
  };
  const { address } = await stage.serve(listener, options(folder));
  const backendOptions = { 'x-sendfile': 'enable', 'x-sendfile-docroot': [`${folder}/`] };
  const { origin } = await lighttpd({ to: address, streamResponse, backendOptions });
  return { origin, folder, handedOver };
}

/** A response is finished when lighttpd has it whole, which its client may have a moment before. */
async function seen(handedOver: boolean[], ...expected: readonly boolean[]): Promise<void> {
  await until(() => handedOver.length >= expected.length, 5_000, 'the end of the responses');
  expect(handedOver.splice(0)).toEqual(expected);
}

describeWith('lighttpd', 'sendfile', () => {
  describe.each([0, 1, 2] as const)('with server.stream-response-body = %i', (streaming) => {
    test('leaves files to lighttpd where it was told to send them', async ({ stage, lighttpd }) => {
      const options = (root: string): object => ({ frontEnd: { sendfile: { root } } });
      const { origin, handedOver } = await start(stage, lighttpd, options, streaming);
      const ask = (name: string, rest: object = {}) =>
        httpRequest({ origin, path: `/${encodeURIComponent(name)}`, ...rest });
      const whole = await ask('large');
      expect(whole.body.equals(large)).toBe(true);
      expect(whole.headers).toMatchObject({ 'content-type': 'text/x', 'content-length': '1000000' });
      expect(await ask(oddName)).toMatchObject({ status: 200, text: 'odd' });
      expect(await ask('small', { body: 'a body' })).toMatchObject({ status: 200, text: 'the file' });
      const part = await ask('small', { headers: { Range: 'bytes=4-' } });
      expect(part).toMatchObject({ status: 206, text: 'file', headers: { 'content-range': 'bytes 4-7/8' } });
      expect(await ask('small', { headers: { Range: 'bytes=8-' } })).toMatchObject({ status: 416 });
      await seen(handedOver, true, true, true, true, true);

      const { etag = '' } = whole.headers;
      expect(await ask('large', { headers: { 'If-None-Match': etag } })).toMatchObject({
        status: 304,
        headers: { etag },
      });
      const head = await ask('large', { method: 'HEAD' });
      expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '1000000', etag } });
      expect(await ask('none')).toMatchObject({ status: 404, text: 'Not Found\n' });
      await seen(handedOver, false, false, false);
    });

    test('sends by itself what lighttpd may not', async ({ stage, lighttpd }) => {
      const options = (root: string): object => ({ frontEnd: { sendfile: { root: join(root, 'inside') } } });
      const { origin, handedOver } = await start(stage, lighttpd, options, streaming);
      expect((await httpRequest({ origin, path: '/large' })).body.equals(large)).toBe(true);
      const headers = { Range: 'bytes=4-' };
      expect(await httpRequest({ origin, path: '/small', headers })).toMatchObject({ status: 206, text: 'file' });
      expect((await httpRequest({ origin, path: '/inside%2Ffile' })).text).toBe('inside');
      await seen(handedOver, false, false, true);
    });
  });

  test.for<[string, (folder: string) => object]>([
    ['where nothing is said', () => ({})],
    ['where nginx is meant', (folder) => ({ frontEnd: { accelRedirect: { '/p/': folder } } })],
  ])('sends by itself %s', async ([, options], { stage, lighttpd }) => {
    const { origin, handedOver } = await start(stage, lighttpd, options);
    const response = await httpRequest({ origin, path: '/large' });
    expect(response.body.equals(large)).toBe(true);
    expect(response.headers).toMatchObject({ 'content-length': '1000000', 'content-type': 'text/x' });
    await seen(handedOver, false);
  });
});

describeWith('lighttpd', 'localRedirect', () => {
  test.for([
    ['nothing is said', {}],
    ['Apache is meant', { frontEnd: { localRedirect: 'Location' } }],
    ['nginx is meant', { frontEnd: { localRedirect: 'X-Accel-Redirect' } }],
  ] as const)('redirects the client where %s', async ([, options], { stage, lighttpd }) => {
    const { address } = await stage.serve((_, response) => localRedirect(response, '/page 2?q'), options);
    const { origin } = await lighttpd({ to: address });
    for (const [method, status] of [
      ['GET', 302],
      ['HEAD', 302],
      ['POST', 303],
    ] as const) {
      const response = await httpRequest({ origin, method, ...(method === 'POST' ? { body: 'a body' } : {}) });
      expect(response).toMatchObject({ status, text: '', headers: { location: '/page%202?q' } });
      expect(response.headers).not.toHaveProperty('x-accel-redirect');
    }
  });
});
