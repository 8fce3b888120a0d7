// localRedirect and sendfile as Responses: what goes over the connection, and what becomes of the file.

import { mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { installLightResponse, localRedirect, sendfile, type ServeOptions } from '../src/index.js';
import { ask, askOnce, open, serve, signal } from './support/stage.js';

const NativeResponse = globalThis.Response;
const apache = { SCRIPT_FILENAME: 'proxy:scgi://localhost/' };
const bytes = Buffer.alloc(1_000_000, 'the quick brown fox ');

function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-fetch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

describe('localRedirect', () => {
  test('is a redirect for the client, to which fields can be added', async () => {
    const answer = await askOnce((request) => {
      const response = localRedirect(request, '/x y');
      response.headers.append('Set-Cookie', 'a=1');
      return response;
    });
    expect(answer).toMatchObject({ status: 302, text: '' });
    expect(answer.headers).toMatchObject({ location: '/x%20y', 'set-cookie': 'a=1', 'content-length': '0' });
  });

  test.each<[string, (request: Request) => object]>([
    ['the request', (request) => request],
    ['what wraps it', (request) => ({ req: { raw: request } })],
  ])('goes to Apache by %s, where it was said to follow', async (_name, wrap) => {
    const options = { frontEnd: { localRedirect: 'X-Local' } };
    const question = { method: 'POST', variables: apache };
    const answer = await askOnce((request) => localRedirect(wrap(request), '/x'), question, options);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-local': '/x', 'content-length': '0' } });
    expect(answer.headers).not.toHaveProperty('location');
  });

  test('goes to the client for a copy of the request, and for one from elsewhere', async () => {
    const options = { frontEnd: { localRedirect: 'Location' } };
    const copied = await askOnce(
      (request) => localRedirect(new Request(request), '/x'),
      { variables: apache },
      options,
    );
    expect(copied).toMatchObject({ status: 302 });
    expect(localRedirect(new Request('http://a.test', { method: 'PUT' }), '/x').status).toBe(303);
  });

  test('refuses other paths, and what is no request', async () => {
    expect(() => localRedirect(new Request('http://a.test'), '//b.test')).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_REDIRECT_PATH' }),
    );
    expect(() => localRedirect({ url: '/' }, '/')).toThrow(TypeError);
    await expect(sendfile({}, '/')).rejects.toThrow(TypeError);
  });
});

describe('sendfile', () => {
  test.each(['its own', 'the light'])('is a Response of %s class', async (kind) => {
    if (kind === 'the light') installLightResponse();
    onTestFinished(() => void Reflect.set(globalThis, 'Response', NativeResponse));
    const root = folderWith({ small: 'the file', large: bytes });
    const running = await serve((request) =>
      sendfile(request, new URL(request.url).pathname.slice(1), { root, type: 'text/x' }),
    );
    const { address } = running;
    const small = await ask(address, { target: '/small' });
    expect(small).toMatchObject({ status: 200, text: 'the file' });
    expect(small.headers).toMatchObject({ 'content-type': 'text/x', 'content-length': '8', 'accept-ranges': 'bytes' });
    const large = await ask(address, { target: '/large' });
    expect(large.headers['content-length']).toBe('1000000');
    expect(large.body.equals(bytes)).toBe(true);

    const headAnswer = await ask(address, { target: '/large', method: 'HEAD' });
    expect(headAnswer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '1000000' } });
    const range = await ask(address, { target: '/large', variables: { HTTP_RANGE: 'bytes=999990-' } });
    expect(range).toMatchObject({ status: 206, text: bytes.subarray(999_990).toString() });
    const longRange = await ask(address, { target: '/large', variables: { HTTP_RANGE: 'bytes=1-900000' } });
    expect(longRange.body.equals(bytes.subarray(1, 900_001))).toBe(true);
    const beyond = await ask(address, { target: '/small', variables: { HTTP_RANGE: 'bytes=8-' } });
    expect(beyond).toMatchObject({ status: 416, text: '', headers: { 'content-range': 'bytes */8' } });
    const same = await ask(address, {
      target: '/small',
      variables: { HTTP_IF_NONE_MATCH: small.headers['etag'] ?? '' },
    });
    expect(same).toMatchObject({ status: 304, text: '' });
    expect(await ask(address, { target: '/../x' })).toMatchObject({ status: 404, text: 'Not Found\n' });
    expect(running.errors).toEqual([]);
  });

  const handOver: ServeOptions = { frontEnd: { sendfile: { root: '/' }, accelRedirect: { '/p/': '/' } } };

  test('leaves it to Apache, without a length, also where the Response was copied', async () => {
    const folder = folderWith({ a: 'x' });
    const answer = await askOnce(
      async (request) => {
        const response = await sendfile(request, join(folder, 'a'));
        return new Response(response.body, { status: response.status, headers: response.headers });
      },
      { variables: apache },
      handOver,
    );
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'x-sendfile': join(folder, 'a') } });
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  test('leaves it to nginx', async () => {
    const folder = folderWith({ 'a b': 'x' });
    const variables = { DOCUMENT_URI: '/' };
    const { headers } = await askOnce((request) => sendfile(request, join(folder, 'a b')), { variables }, handOver);
    expect(headers['x-accel-redirect']).toBe(`/p${folder}/a%20b`);
  });

  test('breaks off where the file shrinks, and says so', async () => {
    const path = join(folderWith({ large: Buffer.alloc(60_000_000) }), 'large');
    const running = await serve((request) => sendfile(request, path));
    const client = await open(running.address);
    await client.sees('\r\n\r\n');
    client.pause();
    truncateSync(path, 1000);
    client.resume();
    const { ended, body } = await client.closed();
    expect(ended).toBe('reset');
    expect(body.length).toBeLessThan(60_000_000);
    expect(running.errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_SENDFILE' })]);
  });

  test.skipIf(process.platform !== 'linux')(
    'closes the file when the client leaves, and opens none that is not read',
    async () => {
      const path = join(folderWith({ large: Buffer.alloc(60_000_000) }), 'large');
      const aborted = signal();
      const running = await serve(async (request) => {
        await sendfile(request, path); // Not used.
        request.signal.addEventListener('abort', () => aborted.resolve());
        expect(openCount(path)).toBe(0);
        return sendfile(request, path);
      });
      const client = await open(running.address);
      // Before the head it is opened for a moment, to see whether it can be.
      await client.sees('\r\n\r\n');
      client.pause();
      await vi.waitFor(() => expect(openCount(path)).toBe(1));
      client.reset();
      await aborted.promise;
      await vi.waitFor(() => expect(openCount(path)).toBe(0));
      expect(running.errors).toEqual([]);
    },
  );
});

/** How often this process has the file open. */
function openCount(path: string): number {
  const open = readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
    } catch {
      return false; // Closed since: the one of this very listing is.
    }
  });
  return open.length;
}
