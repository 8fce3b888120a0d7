// sendfile behind a real nginx: left to nginx where it has the folder, else sent by the application just as nginx sends
// the same file.

import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ScgiListener, sendfile } from '@scgi/core';
import { describe, expect } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpResponse } from '../support/http-client.js';
import { test, transports, type Stage } from './support/stage.js';

const large = Buffer.alloc(1_000_000, 'the quick brown fox ');
const oddName = 'a%20 é+&?#.txt';
const date = 'Tue, 14 Nov 2023 22:13:20 GMT';

interface Place {
  readonly origin: string;
  readonly folder: string;
  /** Whether each answer of the application left the file to nginx. */
  readonly handedOver: boolean[];
}

/** The application sends /app/…, nginx by itself /static/…, both from one folder; only the application leads to /protected/. */
async function start(stage: Stage, options: (folder: string) => object, over: 'tcp' | 'unix' = 'unix'): Promise<Place> {
  const folder = join(stage.folder(), 'files');
  mkdirSync(join(folder, 'deep'), { recursive: true });
  const files = { large, empty: '', small: 'the file', [oddName]: 'odd', 'deep/file': 'deep' };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000);
  }
  symlinkSync('small', join(folder, 'link'));
  const handedOver: boolean[] = [];
  const listener: ScgiListener = async (request, response) => {
    response.on('finish', () => handedOver.push(response.hasHeader('x-accel-redirect')));
    response.setHeader('Set-Cookie', 'seen=1');
    await sendfile(response, decodeURIComponent(request.url?.slice('/app/'.length) ?? ''), { root: folder });
  };
  const { address } = await stage.serve(listener, { over, ...options(folder) });
  const serverDirectives = [
    `location /protected/ { internal; alias ${folder}/; }`,
    `location /deep/ { internal; alias ${folder}/deep/; }`,
    `location /static/ { alias ${folder}/; default_type application/octet-stream; }`,
  ];
  const { origin } = await stage.nginx({ to: address, serverDirectives });
  return { origin, folder, handedOver };
}

/** What of an answer is about the file. */
function pick({ status, headers, body }: HttpResponse): object {
  const { 'content-length': length, 'content-range': range, 'content-type': type, 'last-modified': modified } = headers;
  // A status that is an error has a page of nginx’s own, as long as that is.
  return status >= 400 ? { status, range } : { status, length, range, type, modified, body: body.toString('latin1') };
}

/** A response is finished when nginx has it whole, which its client may have a moment before. */
async function seen(handedOver: readonly boolean[], ...expected: readonly boolean[]): Promise<void> {
  await until(() => handedOver.length >= expected.length, 5_000, 'the end of the responses');
  expect(handedOver).toEqual(expected);
}

describeWith('nginx', 'sendfile', () => {
  describe.each(transports)('over %s', (over) => {
    test('leaves the file to nginx, with the fields of the application', async ({ stage }) => {
      const { origin, handedOver } = await start(
        stage,
        (folder) => ({ frontEnd: { accelRedirect: { '/protected/': folder, '/deep/': join(folder, 'deep') } } }),
        over,
      );
      const ask = (name: string, options: object = {}) =>
        httpRequest({ origin, path: `/app/${encodeURIComponent(name)}`, ...options });
      const whole = await ask('large');
      expect(whole.body.equals(large)).toBe(true);
      expect(whole.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'set-cookie': ['seen=1'],
        'accept-ranges': 'bytes',
      });
      expect(whole.headers).not.toHaveProperty('x-accel-redirect');
      for (const name of [oddName, 'link', 'deep/file', 'empty']) expect((await ask(name)).status).toBe(200);
      expect(await ask(oddName, { body: 'a body' })).toMatchObject({ status: 200, text: 'odd' });
      expect(await ask('small', { headers: { Range: 'bytes=4-' } })).toMatchObject({ status: 206, text: 'file' });
      const { etag = '' } = whole.headers;
      expect(await ask('large', { headers: { 'If-None-Match': etag } })).toMatchObject({ status: 304, text: '' });
      const head = await ask('large', { method: 'HEAD' });
      expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '1000000', etag } });
      await seen(handedOver, ...Array.from({ length: 9 }, () => true));
      handedOver.length = 0;

      expect(await ask('none')).toMatchObject({ status: 404, text: 'Not Found\n' });
      expect(await ask('../secret')).toMatchObject({ status: 404 });
      await seen(handedOver, false, false);
      expect((await httpRequest({ origin, path: '/protected/small' })).status).toBe(404);
    });
  });

  test.for<[string, string, Record<string, string>]>([
    ['the whole', 'large', {}],
    ['an empty file', 'empty', {}],
    ...[
      'bytes=0-0',
      'bytes=0-',
      'bytes=0-999999',
      'bytes=5-14',
      'bytes=999999-',
      'bytes=990000-2000000',
      'bytes=-1',
      'bytes=-999999',
      'bytes=-2000000',
      'bytes= 5 - 14 ',
      'bytes=1000000-',
      'bytes=5-4',
      'bytes=-0',
      'bytes=-',
      'bytes=x-y',
      'bytes=5-14x',
      'items=5-14',
      '5-14',
    ].map((range): [string, string, Record<string, string>] => [`the range ${range}`, 'large', { Range: range }]),
    ['a range of nothing', 'empty', { Range: 'bytes=0-' }],
    ['a file since its date', 'small', { 'If-Modified-Since': date }],
    ['a file since another date', 'small', { 'If-Modified-Since': 'Mon, 13 Nov 2023 22:13:20 GMT' }],
    ['a file unless since its date', 'small', { 'If-Unmodified-Since': date }],
    ['a file unless since another date', 'small', { 'If-Unmodified-Since': 'Mon, 13 Nov 2023 22:13:20 GMT' }],
    ['any other state of a file', 'small', { 'If-None-Match': '*' }],
    ['a state that is not', 'small', { 'If-Match': '"x"' }],
    ['a range of the date', 'large', { Range: 'bytes=0-1', 'If-Range': date }],
    ['a range of another date', 'large', { Range: 'bytes=0-1', 'If-Range': 'Mon, 13 Nov 2023 22:13:20 GMT' }],
    ['a range of another state', 'large', { Range: 'bytes=0-1', 'If-Range': '"x"' }],
  ])('sends by itself what nginx sends of the same file: %s', async ([, name, headers], { stage }) => {
    const { origin, handedOver } = await start(stage, () => ({}));
    const ours = await httpRequest({ origin, path: `/app/${name}`, headers });
    const theirs = await httpRequest({ origin, path: `/static/${name}`, headers });
    expect(pick(ours)).toEqual(pick(theirs));
    await seen(handedOver, false);
    const head = { method: 'HEAD', headers: { ...headers, Range: [] } };
    const ourHead = await httpRequest({ origin, path: `/app/${name}`, ...head });
    expect(pick(ourHead)).toEqual(pick(await httpRequest({ origin, path: `/static/${name}`, ...head })));
  });

  test('sends by itself what lies in none of nginx’s folders', async ({ stage }) => {
    const options = (folder: string): object => ({ frontEnd: { accelRedirect: { '/deep/': join(folder, 'deep') } } });
    const { origin, handedOver } = await start(stage, options);
    expect((await httpRequest({ origin, path: '/app/large' })).body.equals(large)).toBe(true);
    expect((await httpRequest({ origin, path: '/app/deep%2Ffile' })).text).toBe('deep');
    await seen(handedOver, false, true);
  });

  test('sends by itself where Apache or lighttpd are meant', async ({ stage }) => {
    const { origin, handedOver } = await start(stage, (folder) => ({ frontEnd: { sendfile: { root: folder } } }));
    const response = await httpRequest({ origin, path: '/app/small' });
    expect(response).toMatchObject({ status: 200, text: 'the file' });
    expect(response.headers).not.toHaveProperty('x-sendfile');
    await seen(handedOver, false);
  });
});
