// What a function in the place of a CGI program writes, and what becomes of it.

import { describe, expect, test } from 'vitest';
import { toPieces } from '../support/pieces.js';
import { startFunction } from '../support/function.js';

test('a function that writes and returns has answered', async () => {
  const { ask } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write('Content-Type: text/plain\n');
    stdout.write('\n');
    stdout.write('Hello\n');
  });
  expect(await ask()).toMatchObject({ status: 200, text: 'Hello\n', fields: ['Content-Type', 'text/plain'] });
});

const answers: readonly [name: string, printed: string, status: number, fields: readonly string[], text: string][] = [
  ['a document', 'Content-Type: text/html\r\n\r\n<p>', 200, ['Content-Type', 'text/html'], '<p>'],
  ['a document with a status', 'Status: 404 Not here\n\ngone', 404, [], 'gone'],
  ['a status line', 'HTTP/1.1 201 Made\r\nX-A: 1\r\n\r\nmade', 201, ['X-A', '1'], 'made'],
  ['a client redirect', 'Location: http://x.test/\n\n', 302, ['Location', 'http://x.test/'], ''],
  [
    'a client redirect with a document',
    'Status: 303 See Other\nLocation: http://x.test/\n\nthere',
    303,
    ['Location', 'http://x.test/'],
    'there',
  ],
  ['repeated fields', 'Set-Cookie: a=1\nSet-Cookie: b=2\n\n', 200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'], ''],
  ['mixed line ends', 'X-A: 1\r\nX-B: 2\n\r\nx\r\ny', 200, ['X-A', '1', 'X-B', '2'], 'x\r\ny'],
];

describe.each(answers)('%s', (_name, printed, status, fields, text) => {
  test('arrives, however it is cut', async () => {
    const { ask } = await startFunction((environ, _stdin, stdout) => {
      const cut = Number(environ['QUERY_STRING']);
      const pieces = cut === 0 ? toPieces(Buffer.from(printed), 1) : [printed.slice(0, cut), printed.slice(cut)];
      for (const piece of pieces) stdout.write(piece);
    });
    for (let cut = 0; cut < printed.length; cut += 1) {
      const answer = await ask({ path: `/?${cut}` });
      const kept = answer.fields.filter((_, index) => answer.fields[index - (index % 2)] !== 'Content-Length');
      expect([cut, answer.status, kept, answer.text]).toEqual([cut, status, fields, text]);
    }
  });
});

test('the reason of a status goes on', async () => {
  const { ask } = await startFunction((_environ, _stdin, stdout) => void stdout.end('Status: 418 Short\n\n'));
  expect(await ask()).toMatchObject({ status: 418, reason: 'Short' });
});

test('texts are UTF-8 unless they say otherwise, bytes stay what they are', async () => {
  const { ask } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write('Content-Type: text/plain\n\nä');
    stdout.write('ä', 'latin1');
    stdout.write(Uint8Array.of(0, 0xff));
    stdout.setDefaultEncoding('hex');
    stdout.write('0d0a');
  });
  const { body } = await ask();
  expect([...body]).toEqual([0xc3, 0xa4, 0xe4, 0, 0xff, 0x0d, 0x0a]);
});

test('the answer to HEAD has no body, and the function may write one', async () => {
  const { ask } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write('Content-Length: 5\n\n');
    stdout.write('Hello');
  });
  expect(await ask({ method: 'HEAD' })).toMatchObject({ status: 200, fields: ['Content-Length', '5'], text: '' });
});

test('a body is cut at its Content-Length', async () => {
  const { ask, errors } = await startFunction(
    (_environ, _stdin, stdout) => void stdout.end('Content-Length: 2\n\nabc'),
  );
  expect((await ask()).text).toBe('ab');
  expect(errors).toEqual([]);
});

describe('a local redirect', () => {
  test('is answered by the function itself, as a GET', async () => {
    const { ask } = await startFunction((environ, _stdin, stdout) => {
      const { REQUEST_METHOD, PATH_INFO, QUERY_STRING, REDIRECT_URL, CONTENT_LENGTH } = environ;
      if (PATH_INFO === '/old') stdout.write('Location: /new?x=1\n\n');
      else {
        stdout.write('Content-Type: text/plain\n\n');
        stdout.write([REQUEST_METHOD, PATH_INFO, QUERY_STRING, REDIRECT_URL, CONTENT_LENGTH].join());
      }
    });
    expect((await ask({ path: '/old', method: 'POST', body: 'form' })).text).toBe('GET,/new,x=1,/old,');
  });

  test('that leads to itself ends in a 502', async () => {
    let calls = 0;
    const { ask, errors } = await startFunction(
      (_environ, _stdin, stdout) => {
        calls += 1;
        stdout.write('Location: /again\n\n');
      },
      { maxLocalRedirects: 3 },
    );
    expect((await ask()).status).toBe(502);
    expect([calls, errors.map(({ code }) => code)]).toEqual([4, ['ERR_SCGI_REDIRECT_LOOP']]);
  });

  test('to a path beyond the mount point is the client’s', async () => {
    const { ask } = await startFunction((_environ, _stdin, stdout) => void stdout.end('Location: /elsewhere\n\n'), {
      mount: '/cgi-bin',
    });
    expect(await ask({ path: '/cgi-bin/x' })).toMatchObject({ status: 302 });
  });
});

describe('output that is no CGI response is a 502', () => {
  test.each([
    ['nothing', '', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['half a head', 'Content-Type: text/plain\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['garbage', 'hello\n\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['a status that is none', 'Status: OK\n\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['chunks', 'Transfer-Encoding: chunked\n\n0\n', 'ERR_SCGI_RESPONSE_FRAMING'],
    ['an upgrade', 'Status: 101 Switching Protocols\n\n', 'ERR_SCGI_RESPONSE_STATUS'],
    ['a line without end', `X: ${'x'.repeat(9000)}`, 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
  ])('%s', async (_name, printed, code) => {
    const { ask, errors } = await startFunction((_environ, _stdin, stdout) => void stdout.end(printed));
    expect(await ask()).toMatchObject({ status: 502, text: '502 Bad Gateway\n' });
    expect(errors.map((error) => error.code)).toEqual([code]);
  });
});

test('a body that ends before its Content-Length breaks off', async () => {
  const { ask, errors } = await startFunction((_environ, _stdin, stdout) => void stdout.end('Content-Length: 9\n\nx'));
  await expect(ask()).rejects.toThrow();
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_RESPONSE_TRUNCATED']);
});
