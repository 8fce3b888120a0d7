// The tests' own tools: lighttpd starts, passes requests on as configured, says what is wrong, and leaves nothing behind.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { test, transports, type Stage } from '../nginx/support/stage.js';
import { describeWith } from './front-ends.js';
import { httpRequest, rawExchange } from './http-client.js';
import { expectNoLeaks, openDescriptors } from './leaks.js';
import { requireLighttpdTls, startLighttpd, type Lighttpd, type LighttpdOptions } from './lighttpd.js';

describeWith('lighttpd', 'lighttpd as a front end', () => {
  const lighttpdBefore = async (stage: Stage, options: LighttpdOptions): Promise<Lighttpd> => {
    const lighttpd = await startLighttpd(options);
    stage.add(lighttpd.stop);
    return lighttpd;
  };
  const namedApp = async (stage: Stage, name: string): Promise<string> =>
    (await stage.serve((request, response) => void response.end(`${name} ${request.url}`), { over: 'tcp' })).address;

  test.for(transports)('sends its variables over %s', async (over, { stage }) => {
    const app = await stage.serve((request, response) => void response.end(JSON.stringify(request.scgi.env)), { over });
    const { origin } = await lighttpdBefore(stage, { to: app.address });
    const { status, text } = await httpRequest({ origin, path: '/a%2Fb/../c?q=1' });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ SCGI: '1', REQUEST_URI: '/a%2Fb/../c?q=1', SCRIPT_NAME: '' });
  });

  test('passes each prefix to its own backend', async ({ stage }) => {
    const locations = [
      { path: '/two', to: await namedApp(stage, 'second') },
      { path: '/', to: await namedApp(stage, 'first') },
    ];
    const { origin } = await lighttpdBefore(stage, { locations });
    expect((await httpRequest({ origin, path: '/one' })).text).toBe('first /one');
    expect((await httpRequest({ origin, path: '/two/x' })).text).toBe('second /two/x');
  });

  test('takes options of a backend and lines of its own', async ({ stage }) => {
    const address = await namedApp(stage, 'app');
    const { origin } = await lighttpdBefore(stage, {
      to: ['unix:/nonexistent/app.sock', address],
      backendOptions: { 'disable-time': 0, 'x-sendfile-docroot': ['/nonexistent/a', '/nonexistent/b'] },
      directives: ['server.modules += ( "mod_setenv" )', 'setenv.add-response-header = ( "X-Added" => "yes" )'],
    });
    expect((await httpRequest({ origin })).headers['x-added']).toBe('yes');
  });

  const programs = (stage: Stage, files: Readonly<Record<string, string>>): string => {
    const folder = stage.folder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o755 });
    return folder;
  };
  const showEnvironment = '#!/bin/sh\necho Content-Type: text/plain\necho\necho "$SCRIPT_NAME $PATH_INFO"\n';

  test('runs the files of a folder as CGI programs', async ({ stage }) => {
    const folder = programs(stage, { show: showEnvironment, complain: '#!/bin/sh\necho "no answer today" >&2\n' });
    const { origin, errorLog } = await lighttpdBefore(stage, { cgi: [{ folder }] });
    expect((await httpRequest({ origin, path: '/cgi-bin/show/x' })).text).toBe('/cgi-bin/show /x\n');
    expect((await httpRequest({ origin, path: '/cgi-bin/complain' })).status).toBe(500);
    expect(errorLog()).toContain('no answer today');
  });

  test('runs only files with an extension, beside a backend, if it is told to', async ({ stage }) => {
    const folder = programs(stage, { 'show.cgi': showEnvironment, 'page.txt': 'a page' });
    const cgi = [{ folder, path: '/old/', extensions: ['.cgi'] }];
    const { origin } = await lighttpdBefore(stage, { to: await namedApp(stage, 'backend'), cgi });
    const ask = async (path: string): Promise<string> => (await httpRequest({ origin, path })).text;
    expect(await ask('/old/show.cgi/x')).toBe('/old/show.cgi /x\n');
    expect(await ask('/old/page.txt')).toBe('a page');
    expect(await ask('/new')).toBe('backend /new');
  });

  test('serves the same over TLS', async ({ stage, skip }) => {
    requireLighttpdTls({ skip });
    const tls = createCertificate(stage.folder());
    const { origin, tlsOrigin } = await lighttpdBefore(stage, { to: await namedApp(stage, 'app'), tls });
    expect((await httpRequest({ origin, path: '/plain' })).text).toBe('app /plain');
    expect((await httpRequest({ origin: tlsOrigin, path: '/tls' })).text).toBe('app /tls');
  });

  test('takes raw bytes', async ({ stage }) => {
    const { port } = await lighttpdBefore(stage, { to: await namedApp(stage, 'app') });
    const answer = await rawExchange(`127.0.0.1:${port}`, 'GET / HTTP/1.0\r\n\r\n');
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
  });

  test('reads its configuration again in the same process', async ({ stage }) => {
    const { origin, pid, restart } = await lighttpdBefore(stage, { to: await namedApp(stage, 'app') });
    await restart();
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('lighttpd\n');
    expect((await httpRequest({ origin, path: '/x' })).text).toBe('app /x');
  });

  test('reports what lighttpd finds wrong in its configuration', async () => {
    const start = startLighttpd({ to: '127.0.0.1:1', directives: ['server.port = "none'] });
    await expect(start).rejects.toThrow(/lighttpd did not start:\n.*configfile/s);
  });

  test('ends and leaves nothing behind', async () => {
    const before = openDescriptors();
    const lighttpd = await startLighttpd({ to: '127.0.0.1:1' });
    const [, config = ''] = readFileSync(`/proc/${lighttpd.pid}/cmdline`, 'utf8').split('-f\0');
    const file = config.replace('\0', '');
    expect(existsSync(file)).toBe(true);
    await lighttpd.stop();
    await lighttpd.stop();
    expect(existsSync(`/proc/${lighttpd.pid}`)).toBe(false);
    expect(existsSync(file)).toBe(false);
    await expectNoLeaks(before);
  });
});
