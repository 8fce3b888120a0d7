// The tests' own tools: Apache starts, passes requests on as configured, says what is wrong, and leaves nothing behind.

import { serveScgi, type ScgiListener } from '@scgi/core';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startApache, type Apache, type ApacheOptions } from './apache.js';
import { until } from './deadline.js';
import { describeWith } from './front-ends.js';
import { httpRequest } from './http-client.js';
import { expectNoLeaks, openDescriptors } from './leaks.js';

describeWith('apache', 'Apache as a front end', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  const apacheBefore = async (options: ApacheOptions): Promise<Apache> => {
    const apache = await startApache(options);
    cleanups.push(apache.stop);
    return apache;
  };
  const backend = async (bind: string, listener: ScgiListener): Promise<string> => {
    const running = await serveScgi(listener, { bind });
    cleanups.push(() => running.close({ timeout: 0 }));
    return running.endpoints[0]?.address ?? expect.unreachable();
  };
  const showVariables: ScgiListener = (request, response) => void response.end(JSON.stringify(request.scgi.env));

  test('reaches a backend over TCP with the parameters that Apache sends', async () => {
    const { origin } = await apacheBefore({ to: await backend('127.0.0.1:0', showVariables) });
    const { status, text } = await httpRequest({ origin, path: '/a%2Fb?q=1' });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ SCGI: '1', REQUEST_URI: '/a%2Fb?q=1' });
  });

  test('reaches a Unix socket that only its owner could open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-backend-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const to = await backend(`unix:${folder}/app.sock`, showVariables);
    const { origin } = await apacheBefore({ to });
    const { status, text } = await httpRequest({ origin, path: '/x', body: 'hello' });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' });
  });

  test('takes Unix sockets for one another that go by the same name, as the documentation says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-backend-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const first = await backend(`unix:${folder}/1.sock`, (_, response) => void response.end('first'));
    const second = await backend(`unix:${folder}/2.sock`, (_, response) => void response.end('second'));
    const { origin } = await apacheBefore({
      serverDirectives: [
        `ProxyPass "/same/1/" "${first}|scgi://localhost/"`,
        `ProxyPass "/same/2/" "${second}|scgi://localhost/"`,
        `ProxyPass "/apart/1/" "${first}|scgi://app1/"`,
        `ProxyPass "/apart/2/" "${second}|scgi://app2/"`,
      ],
      locations: [
        { path: '/two/', to: second },
        { path: '/', to: first },
      ],
    });
    const ask = async (path: string): Promise<string> => (await httpRequest({ origin, path })).text;
    expect([await ask('/same/1/x'), await ask('/same/2/x')]).toEqual(['first', 'first']);
    expect([await ask('/apart/1/x'), await ask('/apart/2/x')]).toEqual(['first', 'second']);
    expect([await ask('/x'), await ask('/two/x')]).toEqual(['first', 'second']);
  });

  test('passes each location to its own backend, and serves files beside them', async () => {
    const first = await backend('127.0.0.1:0', (_, response) => void response.end('first'));
    const second = await backend('127.0.0.1:0', (_, response) => void response.end('second'));
    const { origin, documentRoot } = await apacheBefore({
      serverDirectives: ['ProxyPass "/files/" "!"'],
      locations: [
        { path: '/two/', to: second },
        { path: '/', to: first },
      ],
    });
    expect((await httpRequest({ origin, path: '/one' })).text).toBe('first');
    expect((await httpRequest({ origin, path: '/two/x' })).text).toBe('second');
    mkdirSync(join(documentRoot, 'files'), { mode: 0o755 });
    writeFileSync(join(documentRoot, 'files', 'x'), 'a file', { mode: 0o644 });
    expect((await httpRequest({ origin, path: '/files/x' })).text).toBe('a file');
  });

  const programs = (files: Readonly<Record<string, string>>): string => {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-programs-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o755);
    }
    return folder;
  };
  const showEnvironment = '#!/bin/sh\necho Content-Type: text/plain\necho\necho "$SCRIPT_NAME $PATH_INFO"\n';

  test.each(['cgid', 'cgi'] as const)('runs the files of a folder as CGI programs with mod_%s', async (cgiModule) => {
    const folder = programs({ show: showEnvironment, complain: '#!/bin/sh\necho "no answer today" >&2\n' });
    const { origin, errorLog } = await apacheBefore({ cgi: [{ folder }], cgiModule });
    expect((await httpRequest({ origin, path: '/cgi-bin/show/x' })).text).toBe('/cgi-bin/show /x\n');
    expect((await httpRequest({ origin, path: '/cgi-bin/complain' })).status).toBe(500);
    expect(errorLog()).toContain('no answer today');
  });

  test('runs only files with an extension, beside a backend, if it is told to', async () => {
    const folder = programs({ 'show.cgi': showEnvironment, 'page.txt': 'a page' });
    const to = await backend('127.0.0.1:0', (_, response) => void response.end('the backend'));
    const { origin } = await apacheBefore({ to, cgi: [{ folder, path: '/old/', extensions: ['.cgi'] }] });
    const ask = async (path: string): Promise<string> => (await httpRequest({ origin, path })).text;
    expect(await ask('/old/show.cgi/x')).toBe('/old/show.cgi /x\n');
    expect(await ask('/old/page.txt')).toBe('a page');
    expect(await ask('/new')).toBe('the backend');
  });

  test('reports what Apache finds wrong in its configuration', async () => {
    const start = startApache({ to: '127.0.0.1:1', directives: ['NoSuchDirective on'] });
    await expect(start).rejects.toThrow(/Invalid command 'NoSuchDirective'/);
    await expect(startApache({ to: '127.0.0.1:1', modules: ['no_such'] })).rejects.toThrow(/mod_no_such\.so/);
  });

  test('ends with its workers and removes its folder', async () => {
    const before = openDescriptors();
    const apache = await startApache({ to: '127.0.0.1:1' });
    await until(() => apache.workerPids().length > 0, 5_000, 'a worker');
    const pids = [apache.pid, ...apache.workerPids()];
    await apache.stop();
    await apache.stop();
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(dirname(apache.documentRoot))).toBe(false);
    await expectNoLeaks(before);
  });
});
