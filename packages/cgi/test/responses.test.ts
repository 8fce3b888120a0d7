// The kinds of responses (RFC 3875 §6.2, §6.3) and what a client gets of each, through the listener.

import { inject } from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import { cgiDirectory } from '../src/index.js';
import type { CgiDirectoryOptions } from '../src/index.js';
import { writePrograms } from './support/programs.js';

type Injected = Awaited<ReturnType<typeof inject>>;

/** Runs a program that prints `text`, and says what its client gets. */
async function answerTo(text: string, method = 'GET', options: CgiDirectoryOptions = {}): Promise<Injected> {
  const folder = writePrograms({ a: `cat <<'EOF'\n${text}\nEOF\n` });
  const programs = cgiDirectory(folder, { onError: () => {}, ...options });
  const response = await inject(programs, { url: '/a', method });
  programs.close();
  return response;
}

describe('a document response', () => {
  test('is a 200 with the fields as they are, repeated ones too', async () => {
    const response = await answerTo('Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\nX-Ümlaut: no\n\nbody');
    expect(response.status).toBe(502);
    const whole = await answerTo('Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\nX-A: zo\u00eb\n\nbody');
    expect([whole.status, whole.reason, whole.text]).toEqual([200, 'OK', 'body\n']);
    expect(whole.fields).toEqual([
      'Content-Type',
      'text/plain',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'X-A',
      'zo\xc3\xab',
    ]);
  });

  test.each([
    ['Status: 404 Not Found', 404, 'Not Found'],
    ['Status: 404', 404, 'Not Found'],
    ['status:404 Gone fishing', 404, 'Gone fishing'],
    ['Status: 299 Odd', 299, 'Odd'],
    ['Status: 599', 599, ''],
    ['HTTP/1.1 418 Teapot', 418, 'Teapot'],
  ])('%s sets status and phrase', async (line, status, reason) => {
    const response = await answerTo(`${line}\nContent-Type: text/plain\n\nbody`);
    expect([response.status, response.text]).toEqual([status, 'body\n']);
    if (reason !== '') expect(response.reason).toBe(reason);
  });

  test('may have a Location beside a Status that is no redirect', async () => {
    const response = await answerTo('Status: 201 Created\nLocation: /b\nContent-Type: text/plain\n\nmade');
    expect([response.status, response.headers['location'], response.text]).toEqual([201, '/b', 'made\n']);
  });

  test('needs no Content-Type (§6.3.1 asks for one, browsers do without)', async () => {
    expect(await answerTo('X-A: b\n\nbody')).toMatchObject({ status: 200, text: 'body\n' });
  });

  test('may have no fields at all', async () => {
    expect(await answerTo('\nbody')).toMatchObject({ status: 200, text: 'body\n', fields: [] });
  });

  test('has a Content-Length only if the program says so, and is cut there', async () => {
    const response = await answerTo('Content-Length: 2\n\nbody');
    expect([response.headers['content-length'], response.text]).toEqual(['2', 'bo']);
    expect((await answerTo('A: b\n\nbody')).headers['content-length']).toBeUndefined();
  });

  test.each([
    'Connection: close',
    'Keep-Alive: 5',
    'Upgrade: x',
    'Trailer: x',
    'X-Accel-Redirect: /secret',
    'X-Sendfile: /etc/passwd',
  ])('does not pass %s on', async (line) => {
    const response = await answerTo(`${line}\nX-A: b\n\nbody`);
    expect([response.status, response.fields, response.text]).toEqual([200, ['X-A', 'b'], 'body\n']);
  });
});

describe('a client redirect', () => {
  test.each([
    'http://example.com/b?c#d',
    'https://example.com',
    '//example.com/b',
    'mailto:me@example.com',
    'b',
    '../b',
  ])('to %s is a 302', async (location) => {
    const response = await answerTo(`Location: ${location}\n`);
    expect([response.status, response.reason, response.headers['location']]).toEqual([302, 'Found', location]);
  });

  test('to a path, with a Status or another field, is the client’s as well', async () => {
    expect((await answerTo('Status: 307\nLocation: /b\n')).status).toBe(307);
    expect((await answerTo('Location: /b\nSet-Cookie: a=1\n')).status).toBe(302);
  });

  test('may have a document', async () => {
    const response = await answerTo(
      'Status: 303 See Other\nLocation: http://example.com/\nContent-Type: text/plain\n\nthere',
    );
    expect([response.status, response.headers['location'], response.text]).toEqual([
      303,
      'http://example.com/',
      'there\n',
    ]);
  });
});

describe('a local redirect', () => {
  const sources = {
    a: `printf 'Location: %s\\n\\n' "$HTTP_X_TO"; echo ignored`,
    b: `printf 'Content-Type: text/plain\\n\\n'; echo "$REQUEST_METHOD $SCRIPT_NAME $PATH_INFO $QUERY_STRING"`,
  };

  async function redirectTo(to: string, method = 'GET', options: CgiDirectoryOptions = {}): Promise<Injected> {
    const programs = cgiDirectory(writePrograms(sources), { onError: () => {}, ...options });
    const url = options.mount === undefined ? '/a' : `${options.mount}/a`;
    const body = method === 'POST' ? { body: 'form' } : {};
    const response = await inject(programs, { url, method, headers: { Host: 'x', 'X-To': to }, ...body });
    programs.close();
    return response;
  }

  test('is answered by the program at that path, with a GET', async () => {
    expect(await redirectTo('/b/c?d=e')).toMatchObject({ status: 200, text: 'GET /b /c d=e\n' });
    expect(await redirectTo('/b', 'POST')).toMatchObject({ status: 200, text: 'GET /b  \n' });
  });

  test('after HEAD is answered with a HEAD', async () => {
    expect(await redirectTo('/b', 'HEAD')).toMatchObject({ status: 200, text: '' });
    const programs = cgiDirectory(
      writePrograms({ a: `printf 'Location: /b\\n\\n'`, b: `printf "X-Method: $REQUEST_METHOD\\n\\n"` }),
    );
    expect((await inject(programs, { url: '/a', method: 'HEAD' })).headers['x-method']).toBe('HEAD');
    programs.close();
  });

  test('to a path outside of the mount point goes to the client: who answers there, it knows', async () => {
    const response = await redirectTo('/elsewhere?x', 'GET', { mount: '/cgi-bin' });
    expect([response.status, response.headers['location'], response.text]).toEqual([302, '/elsewhere?x', '']);
    expect((await redirectTo('/cgi-bin/b', 'GET', { mount: '/cgi-bin' })).text).toBe('GET /cgi-bin/b  \n');
  });

  test.each(['/../b', '/%2e%2e/b', '/b/../../etc/passwd', '/.hidden', '/missing'])('to %s is a 404', async (to) => {
    expect((await redirectTo(to)).status).toBe(404);
  });
});

describe('no body goes out', () => {
  test.each(['204', '304'])('with Status: %s', async (status) => {
    const response = await answerTo(`Status: ${status}\nX-A: b\n\nbody`);
    expect([response.status, response.text, response.headers['x-a']]).toEqual([Number(status), '', 'b']);
  });

  test('for HEAD, whose answer has the fields of the program', async () => {
    const response = await answerTo('Content-Type: text/plain\nContent-Length: 5\n\nbody', 'HEAD');
    expect([response.status, response.text, response.headers['content-length']]).toEqual([200, '', '5']);
  });
});

describe('NPH', () => {
  async function nph(text: string, method = 'GET'): Promise<Injected> {
    const programs = cgiDirectory(writePrograms({ 'nph-a': `printf '${text}'` }), { onError: () => {} });
    const response = await inject(programs, { url: '/nph-a', method });
    programs.close();
    return response;
  }

  test.each([
    ['HTTP/1.0 200 OK\\r\\nX-A: b\\r\\n\\r\\nbody', 200, 'OK'],
    ['HTTP/1.1 404 Nothing\\nX-A: b\\n\\nbody', 404, 'Nothing'],
    [
      'HTTP/1.1 200 OK\\r\\nX-A: b\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nbody\\r\\n0\\r\\n\\r\\n',
      200,
      'OK',
    ],
  ])('%s', async (text, status, reason) => {
    const response = await nph(text);
    expect([response.status, response.reason, response.text, response.fields]).toEqual([
      status,
      reason,
      'body',
      ['X-A', 'b'],
    ]);
  });

  test('a redirect is the client’s, never a local one', async () => {
    const response = await nph('HTTP/1.1 302 Found\\r\\nLocation: /b\\r\\n\\r\\n');
    expect([response.status, response.headers['location']]).toEqual([302, '/b']);
  });

  test('a head that no response can have is a 502', async () => {
    expect((await nph('HTTP/1.1 200 OK\\r\\nX-A: \\001\\r\\n\\r\\n')).status).toBe(502);
  });
});
