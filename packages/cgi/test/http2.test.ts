// Programs behind a server for HTTP/2, whose requests frame their bodies without Content-Length.

import { once } from 'node:events';
import http2 from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { cgiProgram } from '../src/index.js';
import { writePrograms } from './support/programs.js';

async function ask(headers: http2.OutgoingHttpHeaders, body?: string): Promise<{ status: unknown; text: string }> {
  const source = `printf 'Content-Type: text/plain\\r\\n\\r\\n'; echo "$REQUEST_METHOD \${CONTENT_LENGTH-none}"; cat`;
  const folder = writePrograms({ a: source });
  const program = cgiProgram(`${folder}/a`, { onError: () => {} });
  const server = http2.createServer();
  server.on('request', program);
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const session = http2.connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  const stream = session.request({ ':path': '/', ...headers });
  stream.end(body);
  const [head] = await once(stream, 'response');
  const text = Buffer.concat(await stream.toArray()).toString();
  session.close();
  return { status: head[':status'], text };
}

test('a request without a body has none', async () => {
  expect(await ask({})).toEqual({ status: 200, text: 'GET none\n' });
});

test('a body with a length reaches the program', async () => {
  const answer = await ask({ ':method': 'POST', 'content-length': '4' }, 'four');
  expect(answer).toEqual({ status: 200, text: 'POST 4\nfour' });
});

test('a body without a length is refused, and not dropped', async () => {
  expect(await ask({ ':method': 'POST' }, 'four')).toEqual({ status: 411, text: '411 Length Required\n' });
});
