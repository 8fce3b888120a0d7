// Files below a folder, and the ways out of it.

import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { findForClient } from '../../src/front/find-file.js';
import { temporaryFolder } from '../support/backend.js';

let folder: string;
let outside: string;

beforeEach(() => {
  outside = realpathSync(temporaryFolder());
  folder = join(outside, 'public');
  mkdirSync(join(folder, 'inner'), { recursive: true });
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'a b.txt'), 'here');
  writeFileSync(join(folder, 'inner', 'deep.txt'), 'deep');
  writeFileSync(join(folder, '.hidden'), 'hidden');
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, '.git', 'config'), 'hidden');
  mkdirSync(join(outside, 'public-too'));
  writeFileSync(join(outside, 'public-too', 'file.txt'), 'a neighbour');
});

test.each([
  ['a b.txt', 'file', 'a b.txt'],
  ['/a b.txt', 'file', 'a b.txt'],
  ['//inner//deep.txt', 'file', 'inner/deep.txt'],
  ['inner', 'directory', 'inner'],
  ['inner/', 'directory', 'inner'],
  ['', 'directory', ''],
  ['/', 'directory', ''],
])('finds %j', async (path, kind, found) => {
  expect(await findForClient(folder, path)).toEqual({ kind, path: found === '' ? folder : join(folder, found) });
});

test.each([
  'missing',
  'a b.txt/further',
  'x'.repeat(300),
  `${'x/'.repeat(3000)}y`,
  'a b.txt\0',
  '\0',
  '.hidden',
  '/.git/config',
  'inner/../a b.txt',
  '../secret.txt',
  '/../secret.txt',
  'inner/../../secret.txt',
  '..',
  '.',
  './a b.txt',
])('finds nothing at %j', async (path) => {
  expect(await findForClient(folder, path)).toBeUndefined();
});

test('follows a link inside the folder, and none that leads out of it', async () => {
  symlinkSync(join(folder, 'inner'), join(folder, 'link'));
  symlinkSync(join(outside, 'secret.txt'), join(folder, 'way-out.txt'));
  symlinkSync(outside, join(folder, 'up'));
  symlinkSync('../public-too', join(folder, 'neighbour'));
  symlinkSync('circle', join(folder, 'circle'));
  expect(await findForClient(folder, 'link/deep.txt')).toMatchObject({ path: join(folder, 'inner', 'deep.txt') });
  for (const path of ['way-out.txt', 'up', 'up/secret.txt', 'neighbour/file.txt', 'circle']) {
    expect(await findForClient(folder, path), path).toBeUndefined();
  }
  expect(await findForClient(folder, 'up/public/a b.txt')).toMatchObject({ path: join(folder, 'a b.txt') });
});

test('takes a folder that is a link itself, and one that is replaced while it is used', async () => {
  const link = join(outside, 'current');
  symlinkSync('public', link);
  expect(await findForClient(link, 'inner/deep.txt')).toMatchObject({ kind: 'file' });
  rmSync(link);
  expect(await findForClient(link, 'file.txt')).toBeUndefined();
  symlinkSync('public-too', link);
  expect(await findForClient(link, 'file.txt')).toMatchObject({ path: join(outside, 'public-too', 'file.txt') });
});

test('finds nothing where a socket is', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'app.sock'), resolve));
  onTestFinished(() => void server.close());
  expect(await findForClient(folder, 'app.sock')).toBeUndefined();
});

test('throws for a folder that may not be entered', async (context) => {
  context.skip(process.getuid?.() === 0, 'root may enter every folder');
  chmodSync(join(folder, 'inner'), 0);
  onTestFinished(() => chmodSync(join(folder, 'inner'), 0o700));
  await expect(findForClient(folder, 'inner/deep.txt')).rejects.toMatchObject({ code: 'EACCES' });
});
