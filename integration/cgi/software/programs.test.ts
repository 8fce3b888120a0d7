// Programs as people write them, in Perl with CGI.pm, Python, the POSIX shell and C, behind nginx and behind Apache.

import { cgiDirectory, cgiProgram } from '@scgi/cgi';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { within } from '../../support/deadline.js';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';
import { httpRequest, openRequest } from '../../support/http-client.js';
import { type ApacheStage, frontEnds, startSite, test, Visitor } from '../support/site.js';

const sources = fileURLToPath(new URL('programs/', import.meta.url));
const bytes = Buffer.alloc(1_200_000, Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)));
const sha256 = createHash('sha256').update(bytes).digest('hex');

describe.each(frontEnds)('behind %s', (frontEnd) => {
  const frontEndProgram = frontEnd === 'nginx' ? 'nginx' : 'apache';

  async function start(stage: ApacheStage, env: Record<string, string> = {}): Promise<Site> {
    const folder = stage.folder();
    cpSync(sources, folder, { recursive: true });
    for (const name of ['form.pl', 'form.py', 'guest.sh', 'events.sh']) chmodSync(join(folder, name), 0o755);
    const complaints: string[] = [];
    const listener = cgiDirectory(folder, {
      mount: '/cgi-bin',
      env,
      onError: ({ code }) => void complaints.push(code),
      onErrorOutput: (line) => void complaints.push(line),
    });
    const origin = await startSite(stage, frontEnd, listener, {
      // Debian's scgi_params send a Host without its port.
      nginx: { buffering: false, params: { HTTP_HOST: '$http_host' } },
    });
    return { origin, folder, complaints };
  }

  describeWith([frontEndProgram, 'perl with CGI.pm'], 'a form of CGI.pm', () => {
    test('takes parameters and cookies, and links to itself', async ({ stage }) => {
      const { origin } = await start(stage);
      const visitor = new Visitor(origin);
      await visitor.get('/cgi-bin/form.pl');
      const { text } = await visitor.get('/cgi-bin/form.pl/a/b?name=%C3%A4;name=two&x=%26');
      expect(text).toContain('<p>count 2</p>');
      expect(text).toContain('<p>path /a/b</p>');
      expect(text).toContain('<p>name ä</p><p>name two</p>');
      expect(text).toContain(`<p>self ${origin}/cgi-bin/form.pl/a/b?name=%C3%A4;name=two;x=%26</p>`);
    });

    test('takes a file', async ({ stage }) => {
      const { origin } = await start(stage);
      const file = new File([bytes], 'ä.bin', { type: 'image/x-test' });
      const { text } = await new Visitor(origin).post('/cgi-bin/form.pl', { name: 'Ada', file });
      expect(text).toContain(`<p>file 1200000 ${sha256} image/x-test</p>`);
      expect(text).toContain('<p>name Ada</p>');
    });

    test('redirects, with a cookie', async ({ stage }) => {
      const { origin } = await start(stage);
      const { status, headers } = await new Visitor(origin).get('/cgi-bin/form.pl?go=1');
      expect(status).toBe(302);
      expect(headers).toMatchObject({ location: 'form.pl?came=1', 'set-cookie': ['gone=yes; path=/'] });
    });
  });

  describeWith([frontEndProgram, 'python'], 'a program in Python', () => {
    test('reads octets, cookies and the query', async ({ stage }) => {
      const { origin, complaints } = await start(stage);
      const { status, text, headers } = await httpRequest({
        origin,
        path: '/cgi-bin/form.py/caf%E9?a=1&a=2&empty=',
        body: bytes,
        headers: { Cookie: 'x=1; y="two"', 'Content-Type': 'application/x-test' },
      });
      expect(status).toBe(201);
      expect(headers['set-cookie']).toEqual(['seen="a b"; Path=/']);
      expect(JSON.parse(text)).toEqual({
        query: { a: ['1', '2'], empty: [''] },
        cookies: { x: '1', y: 'two' },
        type: 'application/x-test',
        length: bytes.length,
        sha256,
        path: '/caf\xe9',
        rest: 0,
      });
      await expect.poll(() => complaints).toEqual(['seen']);
    });
  });

  describeWith(frontEndProgram, 'a program of the shell', () => {
    test('keeps a guest book', async ({ stage }) => {
      const { origin } = await start(stage, { GUESTS: join(stage.folder(), 'guests') });
      const visitor = new Visitor(origin);
      expect((await visitor.get('/cgi-bin/guest.sh')).status).toBe(502);
      for (const name of ['Ada Lovelace', 'Grace']) {
        const { status, headers } = await visitor.post('/cgi-bin/guest.sh', { name });
        expect({ status, to: headers.location }).toEqual({ status: 303, to: '/cgi-bin/guest.sh' });
      }
      expect((await visitor.get('/cgi-bin/guest.sh')).text).toBe('Ada Lovelace\nGrace\n');
    });

    test('sends its first event before it has the second', async ({ stage }) => {
      const pipe = join(stage.folder(), 'pipe');
      execFileSync('mkfifo', [pipe]);
      const { origin } = await start(stage, { PIPE: pipe });
      const { response } = await openRequest({ origin, path: '/cgi-bin/events.sh' });
      const events = response.setEncoding('utf8')[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => (await within(events.next(), 5_000, 'an event')).value;
      expect(await next()).toBe('data: first\n\n');
      writeFileSync(pipe, 'second\n');
      expect(await next()).toBe('data: second\n\n');
      expect(await next()).toBeUndefined();
    });
  });

  describeWith([frontEndProgram, 'cc'], 'a program in C', () => {
    test('answers while it reads', async ({ stage }) => {
      const { origin, folder } = await start(stage);
      execFileSync(requireFrontEnd('cc'), ['-O1', '-o', join(folder, 'rot13'), join(folder, 'rot13.c')]);
      const { text } = await httpRequest({ origin, path: '/cgi-bin/rot13', body: question(20_000) });
      expect(text === answer(20_000)).toBe(true);
    });
  });
});

describeWith('cc', 'in an application without SCGI', () => {
  test('a program in C answers while it reads, however long it takes', async ({ stage }) => {
    const file = join(stage.folder(), 'rot13');
    execFileSync(requireFrontEnd('cc'), ['-O1', '-o', file, join(sources, 'rot13.c')]);
    const server = createServer(cgiProgram(file)).listen(0, '127.0.0.1');
    stage.add(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { text } = await httpRequest({ origin, body: question(200_000) });
    expect(text === answer(200_000)).toBe(true);
  });
});

// Front ends that send all before they read, or no more once they read, give a program that echoes 1 MiB to do so.
const question = (times: number): string => 'Why did the chicken cross the road? '.repeat(times);
const answer = (times: number): string => 'Jul qvq gur puvpxra pebff gur ebnq? '.repeat(times);

interface Site {
  readonly origin: string;
  readonly folder: string;
  /** Standard error, and codes of errors. */
  readonly complaints: readonly string[];
}
