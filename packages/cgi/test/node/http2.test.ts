// Programs behind Node's HTTP/2 server, by its compatibility interface: bodies there need no Content-Length.

import { connect, createServer, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { cgiDirectory } from '../../src/index.js';
import { writePrograms } from '../support/programs.js';
import { within } from '../support/within.js';

interface Http2 {
  readonly codes: readonly string[];
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream;
}

async function startHttp2(sources: Readonly<Record<string, string>>): Promise<Http2> {
  const codes: string[] = [];
  const programs = cgiDirectory(writePrograms(sources), { onError: ({ code }) => void codes.push(code) });
  // The types of the compatibility interface do not say that it is one.
  const server = createServer();
  server.on('request', (request, response) => void Reflect.apply(programs, undefined, [request, response]));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const session = connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
    programs.close();
  });
  return { codes, request: (headers) => session.request(headers).on('error', () => {}) };
}

async function answerTo(stream: ClientHttp2Stream): Promise<{ status: unknown; body: string }> {
  const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
  const body = await within('the body', buffer(stream), 30_000);
  return { status: await status, body: body.toString() };
}

const echo = `printf 'Content-Type: text/plain\\n\\n'; echo "$REQUEST_METHOD $HTTP_HOST \${CONTENT_LENGTH-none}"; cat`;

test('a request without a body is answered', async () => {
  const { request } = await startHttp2({ a: echo });
  const stream = request({ ':path': '/a', ':authority': 'example.org' });
  expect(await answerTo(stream)).toEqual({ status: 200, body: 'GET example.org none\n' });
});

test('a body with a length reaches its program', async () => {
  const { request } = await startHttp2({ a: echo });
  const stream = request({ ':method': 'POST', ':path': '/a', ':authority': 'x', 'content-length': 4 });
  stream.end('body');
  expect(await answerTo(stream)).toEqual({ status: 200, body: 'POST x 4\nbody' });
});

test('a body without a length is refused, and not left out: CGI has no place for it', async () => {
  const { request, codes } = await startHttp2({ a: echo });
  const stream = request({ ':method': 'POST', ':path': '/a', ':authority': 'x' });
  stream.end('body');
  expect((await answerTo(stream)).status).toBe(411);
  expect(codes).toEqual(['ERR_SCGI_LENGTH_REQUIRED']);
});

test('a client that leaves ends its program', async () => {
  const { request, codes } = await startHttp2({ a: `printf 'A: b\\n\\n'; echo $$; exec sleep 1000` });
  const stream = request({ ':path': '/a', ':authority': 'x' });
  const first = await within('the first line', new Promise<Buffer>((resolve) => stream.once('data', resolve)), 30_000);
  stream.close();
  const pid = Number(first.toString());
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  expect(codes).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
