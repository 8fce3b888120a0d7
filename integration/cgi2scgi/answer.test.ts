// What the web server gets of an answer: all of it as it came, or a status that says what is wrong, or a broken answer
// that does not look whole.

import {
  answer,
  answerBytes,
  close,
  drip,
  end,
  exit,
  gate,
  mockBackend,
  receive,
  receiveHead,
  reset,
  send,
  type MockBackend,
  type MockBackendOptions,
  type Script,
} from '@scgi/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { standstill } from '../nginx/support/standstill.js';
import { post, run, start } from './support/program.js';
import { describeVariants } from './support/variants.js';

const failure = (status: number, reason: string): string => {
  const body = `${status} ${reason}\n`;
  return `Status: ${body.trim()}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

describeVariants('the answer', (variant) => {
  const ask = async (script: Script, env: Readonly<Record<string, string>> = {}, options: MockBackendOptions = {}) => {
    const backend = await mock(script, options);
    const line = `${backend.target} --retry-for=0`;
    const { output, errors, code } = await run(variant, line, { env });
    return { output, errors, code, backend };
  };
  const answered = (bytes: string, env: Readonly<Record<string, string>> = {}) =>
    ask([receive(), send(bytes), end()], env);

  test.each([
    ['with a status', 'Status: 201 Made\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok'],
    ['without a status', 'Content-Type: text/plain\r\n\r\nbody'],
    ['with the lines of old programs', 'Content-type:text/plain\nX-B:  2 \n\nbody\n'],
    ['with a local redirect', 'Location: /other\r\n\r\n'],
    ['with a redirect', 'Status: 302 Found\r\nLocation: https://example.com/\r\n\r\n'],
    ['with fields twice', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
    ['with octets', 'X-A: \xe9\xff\r\n\r\n\x00\x01\xff'],
    ['with no body', 'Status: 200\r\n\r\n'],
    ['with an empty head', '\r\nbody'],
    ['with a Status that has no reason', 'Status: 500\r\n\r\n'],
  ])('%s is copied as it is', async (_, bytes) => {
    expect(await answered(bytes)).toMatchObject({ output: bytes, errors: '', code: 0 });
  });

  test.each([
    [
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nbody',
      'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nbody',
    ],
    ['HTTP/1.0 404\nX: 1\n\nbody', 'Status: 404\nX: 1\n\nbody'],
  ])('of a server that speaks HTTP gets a Status: %o', async (bytes, output) => {
    expect(await answered(bytes)).toMatchObject({ output, errors: '', code: 0 });
  });

  test('loses interim heads, which CGI does not have', async () => {
    const interim = 'Status: 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
    const bytes = 'Status: 200 OK\r\n\r\nbody';
    expect(await answered(interim + bytes)).toMatchObject({ output: bytes, errors: '', code: 0 });
  });

  test('is cut at its Content-Length', async () => {
    const bytes = 'Content-Length: 4\r\n\r\nbody';
    expect(await answered(`${bytes} and more`)).toMatchObject({ output: bytes, errors: '', code: 0 });
  });

  test('to HEAD has no body, whatever the server sends', async () => {
    const head = 'Status: 200 OK\r\nContent-Length: 4\r\n\r\n';
    for (const body of ['', 'body']) {
      expect(await answered(head + body, { REQUEST_METHOD: 'HEAD' })).toMatchObject({
        output: head,
        errors: '',
        code: 0,
      });
    }
  });

  test.each([204, 304])('of status %i has no body', async (status) => {
    const head = `Status: ${status}\r\nContent-Length: 4\r\n\r\n`;
    expect(await answered(head)).toMatchObject({ output: head, errors: '', code: 0 });
  });

  test('may come byte by byte', async () => {
    const bytes = answerBytes({ status: 200, fields: { 'X-A': '1' }, body: 'the body' });
    const { output, code } = await ask([receive(), drip(bytes, 1), end()]);
    expect({ output, code }).toEqual({ output: bytes.toString(), code: 0 });
  });

  test('has a head of up to 65,536 bytes', async () => {
    const rest = 'Status: 200\r\nX: \r\n\r\n'.length;
    const bytes = `Status: 200\r\nX: ${'x'.repeat(65_536 - rest)}\r\n\r\nbody`;
    expect(await answered(bytes)).toMatchObject({ output: bytes, errors: '', code: 0 });
    const tooLong = await answered(bytes.replace('X: ', 'X: x'));
    expect(tooLong).toMatchObject({ output: failure(502, 'Bad Gateway'), code: 1 });
    expect(tooLong.errors).toMatch(/^cgi2scgi: ERR_SCGI_RESPONSE_HEAD_TOO_LARGE: .*maxHeadBytes 65536\)\n$/);
  });

  test('counts interim heads with the head', async () => {
    const interim = `Status: 103\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`;
    const { output, errors } = await answered(`${interim}${interim}Status: 200\r\n\r\n`);
    expect(output).toBe(failure(502, 'Bad Gateway'));
    expect(errors).toContain('ERR_SCGI_RESPONSE_HEAD_TOO_LARGE');
  });

  test.each([
    ['ERR_SCGI_RESPONSE_EMPTY', ''],
    ['ERR_SCGI_RESPONSE_EMPTY', 'Status: 103\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', 'Status: 200 OK\r\nContent-Type: text/plain'],
    ['ERR_SCGI_RESPONSE_HEAD', 'Status: 200 OK\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', '<!DOCTYPE html>\n<p>A page.\n\n'],
    ['ERR_SCGI_RESPONSE_HEAD', 'X Y: 1\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', ': 1\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', 'X: 1\r\n folded\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', 'X: a\rb\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_HEAD', 'X: a\0b\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: OK\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: 20\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: 2000\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: 099 X\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: 200 OK\r\nStatus: 404 Not Found\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'HTTP/2 200 OK\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'HTTP/1.1 OK\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_STATUS', 'Status: 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_CONTENT_LENGTH', 'Content-Length: -1\r\n\r\n'],
    ['ERR_SCGI_RESPONSE_CONTENT_LENGTH', 'Content-Length: 1, 1\r\n\r\nx'],
    ['ERR_SCGI_RESPONSE_CONTENT_LENGTH', 'Content-Length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    ['ERR_SCGI_RESPONSE_FRAMING', 'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'],
  ])('that is none is a 502, and the log has %s: %o', async (code, bytes) => {
    const result = await answered(bytes);
    expect(result).toMatchObject({ output: failure(502, 'Bad Gateway'), code: 1 });
    expect(result.errors).toMatch(new RegExp(`^cgi2scgi: ${code}: [^\\n]*\\n$`));
  });

  test('that is none is a 502 without its body for HEAD', async () => {
    const { output } = await answered('', { REQUEST_METHOD: 'HEAD' });
    expect(output).toBe(failure(502, 'Bad Gateway').replace(/502 Bad Gateway\n$/, ''));
  });

  test('with fewer bytes than its Content-Length is broken, and does not look whole', async () => {
    const bytes = answerBytes({ body: 'part', lieAboutLength: 6 });
    const result = await ask([receive(), send(bytes), end()]);
    expect(result).toMatchObject({ output: bytes.toString(), code: 1 });
    expect(result.errors).toBe(
      'cgi2scgi: ERR_SCGI_RESPONSE_TRUNCATED: the response ended before its Content-Length (bytesMissing 6)\n',
    );
  });

  describe.each(['unix', 'tcp'] as const)('over %s', (transport) => {
    const whole = answerBytes({ body: 'x'.repeat(1000), contentLength: null });
    const broken = /^cgi2scgi: ERR_SCGI_BACKEND_RESET: .*\(backend "[^"]+", reason "(?:ECONNRESET|EPIPE)"\)\n$/;

    // A Unix socket is reset by closing it with unread input.
    const askAndReset = async (script: Script) => {
      const backend = await mock([receiveHead(), script, gate('full'), reset()], { transport });
      const body = 'x'.repeat(4_000_000);
      const program = start(variant, backend.target, { env: post(body), body });
      await backend.atGate('full');
      await standstill(() => program.input.writableLength);
      backend.openGate('full');
      return program.ended();
    };

    test('that a reset breaks off in its head is a 502', async () => {
      const { output, errors, code } = await askAndReset(send('Statu'));
      expect({ output, code }).toEqual({ output: failure(502, 'Bad Gateway'), code: 1 });
      expect(errors).toMatch(broken);
    });

    test('that a reset breaks off behind its head is broken, and does not look whole', async () => {
      const { output, errors, code } = await askAndReset(send(whole));
      expect({ output, code }).toEqual({ output: whole.toString(), code: 1 });
      expect(errors).toMatch(broken);
    });

    test('of a server that dies before it has read all is a 502', async () => {
      const backend = await mock([receiveHead(), exit()], { transport });
      const body = 'x'.repeat(2_000_000);
      const { output, errors, code } = await run(variant, backend.target, { env: post(body), body });
      expect({ output, code }).toEqual({ output: failure(502, 'Bad Gateway'), code: 1 });
      // TCP: an end, where the kernel had no unread bytes at that moment.
      expect(errors).toMatch(/^cgi2scgi: (?:ERR_SCGI_BACKEND_RESET|ERR_SCGI_RESPONSE_EMPTY): [^\n]*\n$/);
    });

    test('of a server that answers and closes without having read all is whole where its length says so', async () => {
      const bytes = answerBytes({ status: 413, body: 'too large' });
      const backend = await mock([receiveHead(), send(bytes), close()], { transport });
      const body = 'x'.repeat(2_000_000);
      const { output, errors, code } = await run(variant, backend.target, { env: post(body), body });
      expect({ output, errors, code }).toEqual({ output: bytes.toString(), errors: '', code: 0 });
    });
  });

  test('of a server that closes late is there before', async () => {
    const backend = await mock([receive(), send(answerBytes({ body: 'ok' }))]);
    const before = performance.now();
    const { output, code } = await run(variant, backend.target);
    expect({ output, code }).toEqual({ output: answerBytes({ body: 'ok' }).toString(), code: 0 });
    // It has 2 s to close.
    expect(performance.now() - before).toBeGreaterThan(1900);
  });

  test('is the application’s where that says 500', async () => {
    const { output, code } = await ask(answer({ status: 500, body: 'sorry' }));
    expect({ output, code }).toEqual({ output: answerBytes({ status: 500, body: 'sorry' }).toString(), code: 0 });
  });
});

function mock(script: Script, options: MockBackendOptions = {}): Promise<MockBackend> {
  const backend = mockBackend(script, options);
  onTestFinished(async () => (await backend).close());
  return backend;
}
