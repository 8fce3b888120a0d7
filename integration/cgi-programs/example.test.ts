// examples/cgi-app by the blocks of its README and of docs/cgi-programs.md: one file under Apache, under lighttpd, and, as a
// server, behind nginx.

import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fencesOf } from '../package-check/markdown.js';
import { root } from '../package-check/workspace.js';
import { startApache } from '../support/apache.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { startLighttpd } from '../support/lighttpd.js';
import { test, type CgiStage } from './support/stage.js';

/** A folder that stands for /srv, with the example in it, and what it remembers. */
function install(stage: CgiStage): { readonly folder: string; readonly app: string; readonly guests: string } {
  const folder = stage.folder();
  chmodSync(folder, 0o755);
  const guestbook = join(folder, 'guestbook');
  mkdirSync(guestbook);
  const example = join(root, 'examples/cgi-app');
  const app = join(guestbook, 'app.js');
  // lighttpd gives no PATH in which `env` could find this Node.js.
  const text = readFileSync(join(example, 'app.js'), 'utf8');
  writeFileSync(app, text.replace('/usr/bin/env node', process.execPath), { mode: 0o755 });
  copyFileSync(join(example, 'package.json'), join(guestbook, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(guestbook, 'node_modules'));
  const guests = join(guestbook, 'guests.txt');
  // Apache runs it as www-data.
  writeFileSync(guests, '');
  chmodSync(guests, 0o666);
  return { folder, app, guests };
}

const blockOf = (language: string, page: string, { folder }: { readonly folder: string }): string => {
  const [fence] = fencesOf(language, page);
  return (fence?.code ?? expect.unreachable(`${page} has no block for ${language}`)).replaceAll('/srv/', `${folder}/`);
};

async function signAndRead(origin: string): Promise<void> {
  const path = '/guestbook';
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const signed = await httpRequest({ origin, path, headers, body: 'name=Ada+%3CLovelace%3E' });
  expect(signed).toMatchObject({ status: 303, headers: { location: path } });
  const page = await httpRequest({ origin, path });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('<li>Ada &#60;Lovelace&#62;</li>');
  expect((await httpRequest({ origin, path: `${path}/nothing` })).status).toBe(404);
  expect((await httpRequest({ origin, path, headers, body: 'x'.repeat(20_000) })).status).toBe(413);
}

describeWith('apache', 'the example of a CGI program under Apache', () => {
  test.for(['docs/cgi-programs.md', 'examples/cgi-app/README.md'])('by the block of %s', async (page, { stage }) => {
    const place = install(stage);
    const serverDirectives = [blockOf('apache', page, place)];
    const apache = await startApache({ locations: [], modules: ['alias', 'cgid', 'env'], serverDirectives });
    stage.add(apache.stop);
    await signAndRead(apache.origin);
  });
});

describeWith('lighttpd', 'the example of a CGI program under lighttpd', () => {
  test('by the block of docs/cgi-programs.md', async ({ stage }) => {
    const place = install(stage);
    const block = blockOf('lighttpd', 'docs/cgi-programs.md', place);
    const log = join(place.folder, 'programs.log');
    const directives = [block.replace('/var/log/lighttpd/programs.log', log)];
    const lighttpd = await startLighttpd({ locations: [], directives });
    stage.add(lighttpd.stop);
    await signAndRead(lighttpd.origin);
    expect((await httpRequest({ origin: lighttpd.origin, path: '/guestbookkeeping' })).status).toBe(404);
  });
});

describeWith('nginx', 'the same example as a server behind nginx', () => {
  test('answers the same', async ({ stage }) => {
    const { app, guests } = install(stage);
    const path = join(stage.folder(), 'app.sock');
    const to = `unix:${path}`;
    const child = spawn(app, { env: { SCGI_BIND: `${to}?mode=0666`, GUESTBOOK: guests }, stdio: 'ignore' });
    stage.add(() => child.kill('SIGKILL'));
    await until(() => existsSync(path), 15_000, 'the socket');
    const { origin } = await stage.nginx({
      locations: [{ path: '/guestbook', to, params: { SCRIPT_NAME: '/guestbook' } }],
    });
    await signAndRead(origin);
  });
});
