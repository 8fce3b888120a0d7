// A PHP application of several files under php-cgi: behind nginx, behind Apache, and in Express without SCGI.

import { cgiDirectory } from '@scgi/cgi';
import express from 'express';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { describeWith, type ProgramName } from '../../support/front-ends.js';
import { httpRequest } from '../../support/http-client.js';
import { type ApacheStage, startSite, test, Visitor } from '../support/site.js';

const root = fileURLToPath(new URL('php/', import.meta.url));

interface Running {
  readonly origin: string;
  /** What PHP has written to its standard error. */
  readonly complaints: readonly string[];
}

type Way = (stage: ApacheStage) => Promise<Running>;

function php(stage: ApacheStage, mount?: string): { listener: ReturnType<typeof cgiDirectory>; complaints: string[] } {
  const complaints: string[] = [];
  const listener = cgiDirectory(root, {
    mount,
    interpreters: { '.php': 'php-cgi' },
    extensions: ['.php'],
    index: ['index.php'],
    env: { SESSIONS: stage.folder() },
    onError: () => {}, // What is refused shows in the answers.
    onErrorOutput: (line) => void complaints.push(line),
  });
  return { listener, complaints };
}

async function listen(stage: ApacheStage, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  stage.add(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const behind =
  (frontEnd: 'nginx' | 'Apache'): Way =>
  async (stage) => {
    const { listener, complaints } = php(stage, '/guests');
    return { origin: await startSite(stage, frontEnd, listener), complaints };
  };

const ways: Readonly<Record<string, { readonly start: Way; readonly needs: readonly ProgramName[] }>> = {
  'behind nginx': { start: behind('nginx'), needs: ['nginx'] },
  'behind Apache': { start: behind('Apache'), needs: ['apache'] },
  'in Express, over HTTP': {
    needs: [],
    async start(stage) {
      const { listener, complaints } = php(stage);
      const app = express().use('/guests', listener);
      return { origin: await listen(stage, app), complaints };
    },
  },
};

describe.each(Object.entries(ways))('a PHP application %s', (_, { start, needs }) => {
  describeWith(['php-cgi', ...needs], 'under php-cgi', () => {
    test('keeps a session, takes a form and redirects', async ({ stage }) => {
      const { origin } = await start(stage);
      const visitor = new Visitor(origin);
      expect((await visitor.get('/guests/')).text).toContain('<p>visit 1</p>');
      const signed = await visitor.post('/guests/sign.php', { name: 'Ada <Löveläce>' });
      expect(signed).toMatchObject({ status: 302, headers: { location: './' } });
      const page = await visitor.get('/guests/');
      expect(page.headers['content-type']).toBe('text/html; charset=UTF-8');
      expect(page.text).toContain('<p>visit 2</p><ul><li>Ada &lt;Löveläce&gt;</ul>');
      expect((await new Visitor(origin).get('/guests/index.php')).text).toContain('<p>visit 1</p><ul><li></ul>');
    });

    test('answers with a status and a page of its own', async ({ stage }) => {
      const { origin } = await start(stage);
      const { status, text } = await new Visitor(origin).post('/guests/sign.php', { name: '' });
      expect(status).toBe(422);
      expect(text).toContain('Who are you?');
    });

    test('takes a file', async ({ stage }) => {
      const { origin } = await start(stage);
      const bytes = Buffer.alloc(1_500_000, Buffer.from(Array.from({ length: 251 }, (__, at) => at)));
      const file = new File([bytes], 'pïcture.bin', { type: 'image/x-test' });
      const { text } = await new Visitor(origin).post('/guests/upload.php', { file, note: 'näher' });
      expect(JSON.parse(text)).toEqual({
        moved: true,
        name: 'pïcture.bin',
        type: 'image/x-test',
        size: 1_500_000,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        note: 'näher',
      });
    });

    test('sees itself where it is', async ({ stage }) => {
      const { origin } = await start(stage);
      const { text } = await httpRequest({
        origin,
        path: '/guests/server.php/a%20b/%C3%A9?x=1&y[]=2',
        method: 'PUT',
        body: 'the input',
        headers: { 'X-Custom': 'yes', Authorization: 'Basic eDp5', Proxy: 'evil' },
      });
      const { server, get, input, sapi } = JSON.parse(text);
      expect(server).toMatchObject({
        PHP_SELF: '/guests/server.php/a b/é',
        SCRIPT_NAME: '/guests/server.php',
        SCRIPT_FILENAME: `${root}server.php`,
        PATH_INFO: '/a b/é',
        REQUEST_METHOD: 'PUT',
        REQUEST_URI: '/guests/server.php/a%20b/%C3%A9?x=1&y[]=2',
        QUERY_STRING: 'x=1&y[]=2',
        CONTENT_LENGTH: '9',
        HTTP_X_CUSTOM: 'yes',
        REMOTE_ADDR: '127.0.0.1',
        GATEWAY_INTERFACE: 'CGI/1.1',
        REDIRECT_STATUS: '200',
      });
      const kept = ['HTTP_PROXY', 'HTTP_AUTHORIZATION', 'PHP_AUTH_USER', 'HOME', 'USER'];
      expect(Object.keys(server).filter((name) => kept.includes(name))).toEqual([]);
      expect({ get, input, sapi }).toEqual({ get: { x: '1', y: ['2'] }, input: 'the input', sapi: 'cgi-fcgi' });
    });

    test('takes no options from the query', async ({ stage }) => {
      const { origin } = await start(stage);
      for (const query of ['-s', '-d+allow_url_include%3D1', '-n+-s', '--version']) {
        const { text } = await httpRequest({ origin, path: `/guests/server.php?${query}` });
        expect(JSON.parse(text).server.QUERY_STRING).toBe(query);
      }
    });

    test('streams what it flushes', async ({ stage }) => {
      const { origin } = await start(stage);
      const { text } = await httpRequest({ origin, path: '/guests/stream.php' });
      expect(text).toBe(Array.from({ length: 1000 }, (__, at) => `${at + 1}\n`).join(''));
    });

    test('that breaks answers with 500, and its reason is in the log', async ({ stage }) => {
      const { origin, complaints } = await start(stage);
      const { status, text } = await httpRequest({ origin, path: '/guests/fatal.php' });
      expect({ status, text }).toEqual({ status: 500, text: '' });
      await expect.poll(() => complaints.join('\n')).toContain('undefined function no_such_function()');
    });

    test('shows none of its files that are not programs, and no folder without an index', async ({ stage }) => {
      const { origin } = await start(stage);
      const ask = async (path: string): Promise<number> => (await httpRequest({ origin, path })).status;
      expect(await ask('/guests/lib/')).toBe(403);
      expect(await ask('/guests/missing.php')).toBe(404);
      expect(await ask('/guests/lib/page.php')).toBe(200);
      expect(await ask('/guests/../guests/.htaccess')).toBe(404);
    });
  });
});
