// Backends in Python as people write them: one that reads once from a plain socket and answers rightly, sloppily or
// wrongly, and a WSGI server in the manner of flup.

import { fileURLToPath } from 'node:url';
import { createScgiFetch, scgi } from '@scgi/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { startPython, type PythonServer } from '../support/python.js';
import { openWay, waysTo, type Way } from './support/ways.js';
import { testWsgiApplication } from './support/wsgi-behaviours.js';

const script = (name: string): string => fileURLToPath(new URL(`backends/${name}`, import.meta.url));

const listens = ['unix', 'tcp'] as const;

/** What is absorbed: path, status, phrase, body. */
const absorbed = [
  ['/crlf', 200, 'OK', 'hello'],
  ['/lf-only', 201, 'Created', 'hello'],
  ['/status-last', 404, 'Not   Here', 'hello'],
  ['/no-status', 200, 'OK', 'hello'],
  ['/status-line', 410, 'Gone', 'hello'],
  ['/location', 302, 'Found', ''],
  ['/local', 302, 'Found', ''],
  ['/no-reason', 404, 'Not Found', 'hello'],
  ['/no-body', 200, 'OK', ''],
  ['/long', 200, 'OK', 'hello'],
] as const;

/** What is an error, found before any of the answer is passed on. */
const refused = [
  ['/nothing', 'ERR_SCGI_RESPONSE_EMPTY'],
  ['/no-head', 'ERR_SCGI_RESPONSE_HEAD'],
  ['/half-head', 'ERR_SCGI_RESPONSE_HEAD'],
  ['/gemini', 'ERR_SCGI_RESPONSE_HEAD'],
  ['/chunked', 'ERR_SCGI_RESPONSE_FRAMING'],
  ['/two-lengths', 'ERR_SCGI_RESPONSE_CONTENT_LENGTH'],
  ['/bad-status', 'ERR_SCGI_RESPONSE_STATUS'],
  ['/large-head', 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
] as const;

describeWith('python', 'a Python backend that reads once from a plain socket', () => {
  describe.each(listens)('by %s', (listen) => {
    let python: PythonServer;
    beforeAll(async () => {
      python = await startPython({ script: script('plain_socket.py'), listen });
    });
    afterAll(async () => void (await python?.stop()));

    describe.each(waysTo(listen, listens))('%s', (kind) => {
      let way: Way;
      const errors: string[] = [];
      beforeAll(async () => {
        way = await openWay(kind, python.address, errors);
      });

      test('answers with the path and the query', async () => {
        const response = await way.ask('/users/123?search=hello');
        expect(await response.text()).toBe('Path: /users/123\nQuery: search=hello\nBody: \n');
      });

      test('gets a small body in the same read as the head, every time', async () => {
        for (let round = 0; round < 100; round += 1) {
          const response = await way.ask('/', { method: 'POST', body: `body ${round}` });
          expect(await response.text()).toBe(`Path: /\nQuery: \nBody: body ${round}\n`);
        }
      });

      test.each(absorbed)('is understood: %s', async (path, status, phrase, body) => {
        const response = await way.ask(path, { redirect: 'manual' });
        expect([response.status, response.statusText, await response.text()]).toEqual([status, phrase, body]);
      });

      test.each([
        ['/location', 'https://example.test/else'],
        ['/local', '/crlf?again'],
      ])('redirects to where it says: %s', async (path, location) => {
        const response = await way.ask(path, { redirect: 'manual' });
        expect(response.headers.get('location')).toBe(location);
      });

      test('gives no whole body when it ends before its Content-Length', async () => {
        const response = await way.ask('/short');
        await expect(response.text()).rejects.toThrow();
      });

      test('answers with Content-Length though it has read a part of the body only', async () => {
        const response = await way.ask('/crlf', { method: 'POST', body: Buffer.alloc(3_000_000) });
        expect(await response.text()).toBe('hello');
      });
    });

    test.each(refused)('is a typed error for the client: %s', async (path, code) => {
      await expect(scgi(python.address, { path })).rejects.toMatchObject({ code });
      await expect(createScgiFetch(python.address)(`http://localhost${path}`)).rejects.toMatchObject({
        cause: { code },
      });
    });

    test('is a typed error for who reads the short body', async () => {
      const response = await scgi(python.address, { path: '/short' });
      await expect(response.text()).rejects.toMatchObject({ code: 'ERR_SCGI_RESPONSE_TRUNCATED' });
    });

    test.each(refused)('is a 502 without details through the gateway: %s', async (path, code) => {
      const errors: string[] = [];
      const way = await openWay('through the gateway', python.address, errors);
      const response = await way.ask(path);
      expect([response.status, await response.text()]).toEqual([502, '502 Bad Gateway\n']);
      expect(errors).toEqual([code]);
    });

    test('gives its bytes as they come to who asks for them raw: an answer of Gemini', async () => {
      const response = await scgi(python.address, { path: '/gemini', raw: true });
      expect(await response.text()).toBe('20 text/gemini\r\n# hello\n');
    });

    test('has its local redirect followed by who wants that', async () => {
      const response = await scgi(python.address, { path: '/local', onLocalRedirect: 'follow' });
      expect([response.status, await response.text()]).toEqual([200, 'hello']);
    });
  });
});

describeWith('python', 'a WSGI server in the manner of flup', () => {
  describe.each(listens)('by %s', (listen) => {
    let python: PythonServer;
    beforeAll(async () => {
      python = await startPython({ script: script('wsgi_server.py'), listen });
    });
    afterAll(async () => void (await python?.stop()));

    describe.each(waysTo(listen, listens))('%s', (kind) => {
      let way: Way;
      beforeAll(async () => {
        way = await openWay(kind, python.address);
      });
      testWsgiApplication(() => way);

      test('shows a traceback with status 200 when the application fails: that is flup, and not ours to judge', async () => {
        const response = await way.ask('/crash');
        expect(response.status).toBe(200);
        expect(await response.text()).toContain('RuntimeError: before the head');
      });
    });
  });
});
