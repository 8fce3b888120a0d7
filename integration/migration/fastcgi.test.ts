// The page about moving from FastCGI is true: nginx knows its names, and a PHP page is the same in both ways.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgiDirectory } from '@scgi/cgi';
import { expect } from 'vitest';
import { startFence } from '../nginx/support/documented-block.js';
import { test, type Stage } from '../nginx/support/stage.js';
import { pageOf, tableOf } from '../package-check/markdown.js';
import { until } from '../support/deadline.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { blockOf } from './support/blocks.js';
import { unknownDirectives } from './support/directives.js';

const file = 'docs/migrating-from-fastcgi.md';
const before = blockOf(file, 'nginx', 'fastcgi_pass');
const after = blockOf(file, 'nginx', 'scgi_pass  unix');

const page = `<?php
header('X-Page: php');
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['QUERY_STRING'], ' ', $_SERVER['REMOTE_ADDR'], ' ', $_POST['name'] ?? '-', "\\n";
`;

/** A folder with the page, and a FastCGI server of PHP on a socket. */
async function startPhp(stage: Stage, socket: string): Promise<void> {
  const child = spawn(requireFrontEnd('php-cgi'), ['-b', socket], { stdio: 'ignore' });
  stage.add(() => child.kill('SIGKILL'));
  await until(() => existsSync(socket), 10_000, 'the socket of PHP');
}

describeWith(['nginx', 'php-cgi'], 'a PHP page', () => {
  test('is the same over FastCGI and, as a CGI program, over SCGI', async ({ stage }) => {
    const root = join(stage.folder(), 'app');
    mkdirSync(root);
    writeFileSync(join(root, 'page.php'), page);
    const script = `fastcgi_param SCRIPT_FILENAME ${root}$fastcgi_script_name; fastcgi_pass `;
    const old = await startFence(stage, before.replace('fastcgi_pass ', script));
    await startPhp(stage, join(old.folder, 'run/app/app.sock'));
    const now = await startFence(stage, after);
    const pages = cgiDirectory(root, { interpreters: { '.php': requireFrontEnd('php-cgi') }, extensions: ['.php'] });
    await stage.serve(pages, { bind: `unix:${now.folder}/run/app/app.sock` });
    const ask = async (origin: string): Promise<unknown> => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const answer = await httpRequest({ origin, method: 'POST', path: '/page.php?q=1', headers, body: 'name=Ada' });
      return { status: answer.status, text: answer.text, page: answer.headers['x-page'] };
    };
    const answer = { status: 200, text: 'POST q=1 127.0.0.1 Ada\n', page: 'php' };
    expect([await ask(old.origin), await ask(now.origin)]).toEqual([answer, answer]);
  });
});

describeWith('nginx', 'an application below a prefix', () => {
  test('gets the parts of the path that fastcgi_split_path_info makes', async ({ stage }) => {
    const { origin, folder } = await startFence(stage, blockOf(file, 'nginx', 'fastcgi_split_path_info'));
    const bind = `unix:${folder}/run/app/app.sock`;
    await stage.serve((req, res) => res.end(`${req.scgi.basePath} ${req.url}`), { bind, basePath: 'SCRIPT_NAME' });
    expect((await httpRequest({ origin, path: '/app/x' })).text).toBe('/app /x');
  });
});

describeWith('nginx', 'the table of directives', () => {
  const rows = tableOf(pageOf(file), 'FastCGI').filter(([cell = '']) => cell.includes('`fastcgi_'));
  const names = (cell = ''): string[] => [...cell.matchAll(/`(\w+_\w+)`/g)].map(([, name = '']) => name);

  test('has names that nginx knows, and none that it could have named', async ({ stage }) => {
    const fastcgi = rows.flatMap(([cell]) => names(cell));
    const scgi = rows.flatMap(([, cell]) => names(cell));
    expect(fastcgi.length).toBeGreaterThan(20);
    expect(unknownDirectives(stage.folder(), [...fastcgi, ...scgi])).toEqual([]);
    const without = rows.filter(([, cell]) => cell === 'none').flatMap(([cell]) => names(cell));
    const counterparts = without.map((name) => name.replace('fastcgi_', 'scgi_'));
    expect(unknownDirectives(stage.folder(), counterparts)).toEqual(counterparts);
  });

  test('sets names side by side that differ in their beginning only', () => {
    for (const [fastcgi, scgi] of rows.filter(([, cell]) => cell !== 'none')) {
      expect(names(scgi)).toEqual(names(fastcgi).map((name) => name.replace('fastcgi_', 'scgi_')));
    }
  });
});

describeWith('nginx', 'the table of what an application sees', () => {
  test('names the variables that are missing from the parameters of SCGI', () => {
    const of = (name: string): string[] =>
      [...readFileSync(`/etc/nginx/${name}_params`, 'utf8').matchAll(/^\w+_param\s+(\w+)/gm)].map(([, n = '']) => n);
    // nginx sends CONTENT_LENGTH over SCGI by itself; REDIRECT_STATUS is for PHP alone.
    const others = [...of('scgi'), 'CONTENT_LENGTH', 'REDIRECT_STATUS'];
    const missing = of('fastcgi').filter((name) => !others.includes(name));
    const row = tableOf(pageOf(file), 'fact').find(([cell]) => cell === 'variables') ?? [];
    expect(missing.sort()).toEqual([...(row[2] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name).sort());
  });
});
