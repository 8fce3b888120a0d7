// localRedirect and sendfile on Node's responses: what goes over the connection, and what becomes of it when something
// ends too early.

import { once } from 'node:events';
import { statSync, truncateSync } from 'node:fs';
import http from 'node:http';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localRedirect, sendfile } from '../../src/index.js';
import type { ScgiListener, SendfileResponseOptions, ServeOptions } from '../../src/index.js';
import { firstAddress, serve, temporaryFolder } from '../serve/support.js';
import { folderWith, openCount, showsDescriptors } from '../support/files.js';
import { connect, ending, type Ending, exchange, head, turns, within } from '../support/raw-client.js';

interface Answer extends Ending {
  readonly errors: readonly unknown[];
}

async function ask(
  listener: ScgiListener,
  variables: Readonly<Record<string, string>> = {},
  options: ServeOptions = {},
): Promise<Answer> {
  const errors: unknown[] = [];
  const running = await serve(listener, { onError: (error) => errors.push(error), ...options });
  return { ...(await exchange(firstAddress(running), head(variables))), errors };
}

const withCode = (code: string): object => expect.objectContaining({ code });
const generic = /^Status: 500 Internal Server Error\r\n/;
const apache = { SCRIPT_FILENAME: 'proxy:scgi://localhost/' };
const largeBytes = Buffer.alloc(3_000_000, 'the quick brown fox ');

describe('localRedirect', () => {
  it('ends the response with a redirect that has no body, and keeps the cookies', async () => {
    const { text } = await ask((_, res) => {
      res.setHeader('Set-Cookie', 'a=1').setHeader('Content-Type', 'text/html').setHeader('ETag', '"x"');
      res.statusMessage = 'Fine';
      localRedirect(res, '/x y');
    });
    expect(text).toBe('Status: 302 Found\r\nSet-Cookie: a=1\r\nLocation: /x%20y\r\nContent-Length: 0\r\n\r\n');
  });

  it('is a 200 that Apache follows, where it was said to', async () => {
    const frontEnd = { localRedirect: 'Location' };
    const { text } = await ask(
      (_, res) => localRedirect(res, '/x'),
      { ...apache, REQUEST_METHOD: 'POST' },
      { frontEnd },
    );
    expect(text).toBe('Status: 200 OK\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n');
  });

  it('of Apache’s that never ends is a 500, with the reason for the log', async () => {
    const depths = [1, 2, 3, 4, 5].map((depth) => [`${'REDIRECT_'.repeat(depth)}URL`, '/x']);
    const variables = { ...apache, ...Object.fromEntries(depths) };
    const { text, errors } = await ask((_, res) => localRedirect(res, '/x'), variables, {
      frontEnd: { localRedirect: 'Location' },
    });
    expect(text).toMatch(generic);
    expect(errors).toEqual([withCode('ERR_SCGI_LOCAL_REDIRECT_LOOP')]);
  });

  it('to somewhere else is a 500, and changes nothing of the response', async () => {
    let fields: object = {};
    const { text, errors } = await ask((_, res) => {
      try {
        localRedirect(res, '//evil.test');
      } finally {
        fields = { ...res.getHeaders(), status: res.statusCode };
      }
    });
    expect(text).toMatch(generic);
    expect(fields).toEqual({ status: 200 });
    expect(errors).toEqual([withCode('ERR_SCGI_REDIRECT_PATH')]);
  });

  it('comes too late behind a head', async () => {
    const { errors } = await ask((_, res) => {
      res.flushHeaders();
      localRedirect(res, '/x');
    });
    expect(errors).toEqual([withCode('ERR_SCGI_STATE')]);
  });

  it('works on a server that speaks HTTP', async () => {
    const response = await overHttp((res) => localRedirect(res, '/x'));
    expect({ status: response.status, location: response.headers.get('location') }).toEqual({
      status: 302,
      location: '/x',
    });
  });
});

describe('sendfile', () => {
  it('ends the response with the file', async () => {
    const folder = folderWith({ a: 'the file' });
    let found: boolean | undefined;
    const { text, by } = await ask(async (_, res) => {
      res.setHeader('Cache-Control', 'private');
      found = await sendfile(res, 'a', { root: folder, type: 'text/plain' });
    });
    expect(text).toMatch(/^Status: 200 OK\r\nCache-Control: private\r\nContent-Type: text\/plain\r\n/);
    expect(text).toMatch(/\r\nContent-Length: 8\r\nAccept-Ranges: bytes\r\n\r\nthe file$/);
    expect({ by, found }).toEqual({ by: 'fin', found: true });
  });

  it('sends a large one piece by piece, and closes it', async () => {
    const folder = folderWith({ large: largeBytes });
    const { text } = await ask((_, res) => sendfile(res, join(folder, 'large')));
    expect(text.slice(text.indexOf('\r\n\r\n') + 4) === largeBytes.toString()).toBe(true);
    if (showsDescriptors) expect(openCount(join(folder, 'large'))).toBe(0);
  });

  it.each([
    [
      'a range',
      { HTTP_RANGE: 'bytes=4-7' },
      /^Status: 206 Partial Content\r\n[^]*Content-Range: bytes 4-7\/8\r\n\r\nfile$/,
    ],
    [
      'no such range',
      { HTTP_RANGE: 'bytes=8-' },
      /^Status: 416 Range Not Satisfiable\r\n[^]*Content-Range: bytes \*\/8\r\n\r\n$/,
    ],
    ['what has not changed', { HTTP_IF_NONE_MATCH: '*' }, /^Status: 304 Not Modified\r\nETag: [^]*\r\n\r\n$/],
    ['what has changed', { HTTP_IF_MATCH: '"x"' }, /^Status: 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n$/],
    ['the head alone', { REQUEST_METHOD: 'HEAD' }, /^Status: 200 OK\r\n[^]*Content-Length: 8\r\n[^]*\r\n\r\n$/],
  ])('answers for %s', async (_name, variables, expected) => {
    const folder = folderWith({ a: 'the file' });
    const { text, by, errors } = await ask((_, res) => {
      res.setHeader('Content-Language', 'en');
      return sendfile(res, join(folder, 'a'));
    }, variables);
    expect(text).toMatch(expected);
    expect({ by, errors }).toEqual({ by: 'fin', errors: [] });
    // In the first line: such a number may be in an entity tag, too.
    if (/^Status: (?:304|416) /.test(text)) expect(text).not.toContain('Content-Language');
  });

  it('leaves a file to Apache, without a length', async () => {
    const folder = folderWith({ a: 'the file' });
    const frontEnd = { sendfile: { root: folder } };
    const { text } = await ask((_, res) => sendfile(res, join(folder, 'a')), apache, { frontEnd });
    expect(text).toContain(`\r\nX-Sendfile: ${folder}/a\r\n`);
    expect(text).not.toContain('Length');
    expect(text).toMatch(/\r\n\r\n$/);
  });

  it.each<[string, SendfileResponseOptions, boolean]>([
    ['404', {}, true],
    ['404 where it is said', { fallthrough: false }, true],
    ['nothing where the application goes on', { fallthrough: true }, false],
  ])('of a file that is not there is %s', async (_name, options, answers) => {
    const root = folderWith({});
    let found: boolean | undefined;
    const { text } = await ask(async (_, res) => {
      res.setHeader('Content-Type', 'text/html').setHeader('Content-Security-Policy', 'x');
      found = await sendfile(res, '../a', { root, ...options });
      if (!res.writableEnded) res.writeHead(410).end('gone');
    });
    expect(found).toBe(false);
    if (answers) {
      expect(text).toBe(
        'Status: 404 Not Found\r\nContent-Security-Policy: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nNot Found\n',
      );
    } else {
      expect(text).toContain('Status: 410 Gone');
    }
  });

  it('rejects behind a head, and has the file closed', async () => {
    const folder = folderWith({ large: largeBytes });
    const { errors } = await ask((_, res) => {
      res.flushHeaders();
      return sendfile(res, join(folder, 'large'));
    });
    expect(errors).toEqual([withCode('ERR_SCGI_STATE')]);
    if (showsDescriptors) expect(openCount(join(folder, 'large'))).toBe(0);
  });

  it.each(['tcp', 'unix'])('breaks off where the file shrinks while it is sent over %s', async (over) => {
    const path = join(folderWith({ large: Buffer.alloc(60_000_000) }), 'large');
    const errors: unknown[] = [];
    const options = over === 'tcp' ? {} : { bind: `unix:${temporaryFolder()}/s` };
    const running = await serve((_, res) => sendfile(res, path), {
      onError: (error) => errors.push(error),
      ...options,
    });
    const socket = await connect(firstAddress(running));
    socket.write(head());
    // Not read on before the file is shorter: what is on its way by then is less than the file.
    await once(socket, 'readable');
    truncateSync(path, 1000);
    const { text, by } = await ending(socket);
    expect(text).toContain('Content-Length: 60000000');
    expect(text.length).toBeLessThan(60_000_000);
    if (over === 'tcp') expect(by).toBe('reset');
    expect(errors).toEqual([withCode('ERR_SCGI_SENDFILE')]);
  });

  it.skipIf(!showsDescriptors)('closes the file when the client leaves, which is nobody’s failure', async () => {
    const path = join(folderWith({ large: Buffer.alloc(60_000_000) }), 'large');
    const errors: unknown[] = [];
    let done: (value: unknown) => void = () => {};
    const result = new Promise((resolve) => (done = resolve));
    const listener: ScgiListener = (_, res) => void sendfile(res, path).then(done, done);
    const running = await serve(listener, { onError: (error) => errors.push(error) });
    const socket = await connect(firstAddress(running));
    socket.write(head());
    await once(socket, 'readable');
    expect(openCount(path)).toBe(1);
    socket.destroy();
    expect(await within('the end of sendfile', result)).toBe(true);
    expect({ open: openCount(path), errors }).toEqual({ open: 0, errors: [] });
  });

  it.skipIf(!showsDescriptors)('reads no further while the client takes nothing', async () => {
    const path = join(folderWith({ large: Buffer.alloc(60_000_000) }), 'large');
    let response: ServerResponse | undefined;
    const running = await serve((_, res) => sendfile((response = res), path));
    const socket = await connect(firstAddress(running));
    socket.write(head());
    await once(socket, 'readable');
    let before = -1;
    // Until nothing more moves; what the kernel takes differs from machine to machine.
    for (let written = 0; written !== before; written = response?.socket?.bytesWritten ?? 0) {
      before = written;
      await turns(3000);
    }
    expect(response?.writableNeedDrain).toBe(true);
    expect(before).toBeLessThan(30_000_000);
    expect(response?.writableLength ?? Infinity).toBeLessThan(1_000_000);
    const { text } = await ending(socket);
    expect(text.length).toBeGreaterThan(60_000_000);
  });

  it('has nobody to answer where the client has left before the file is found', async () => {
    const path = join(folderWith({ a: 'x' }), 'a');
    const { errors } = await ask(async (_, res) => {
      const result = sendfile(res, path);
      res.destroy();
      expect(await result).toBe(true);
    });
    expect(errors).toEqual([]);
  });

  it('works on a server that speaks HTTP, also where the connection stays open', async () => {
    const folder = folderWith({ a: 'the file', large: largeBytes });
    const response = await overHttp((res) => sendfile(res, 'large', { root: folder }));
    expect(response.headers.get('content-length')).toBe(`${statSync(join(folder, 'large')).size}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(largeBytes)).toBe(true);
    const part = await overHttp((res) => sendfile(res, 'a', { root: folder }), { Range: 'bytes=-4' });
    expect({ status: part.status, text: await part.text() }).toEqual({ status: 206, text: 'file' });
  });
});

async function overHttp(
  answer: (response: ServerResponse) => unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const server = http.createServer((_, response) => void answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers, redirect: 'manual' });
    const body = await response.arrayBuffer();
    return new Response(body.byteLength === 0 ? null : body, response);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
