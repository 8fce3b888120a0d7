// Which file of a folder a path leads to, on a real file system, and where it must not lead.

import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePath } from '@scgi/core/env';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toOctets } from '../../src/octets.js';
import type { FolderSettings } from '../../src/runner/program-folder.js';
import { ProgramFolder } from '../../src/runner/program-folder.js';
import type { Program } from '../../src/runner/program.js';
import { bareFolder } from '../../src/runner/program.js';

let base = '';
let root = '';

beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'scgi-folder-')));
  root = join(base, 'cgi-bin');
  for (const folder of ['', 'sub', 'sub/deep', 'empty', '.git', 'a b'])
    mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(join(base, 'outside'));
  mkdirSync(join(base, 'cgi-bin-2'));
  for (const file of ['a', 'b.pl', 'B.PHP', 'index.php', 'index.pl', 'sub/c', 'sub/deep/d', 'sub/index.pl', 'a b/c d'])
    write(file);
  for (const file of ['.htaccess', '.git/config', 'x\ny', 'x\\y', '-rf', '$(id)', 'ünï', 'a*']) write(file);
  write('../outside/e');
  write('../cgi-bin-2/f');
  write('../cgi-bin*');
  writeFileSync(Buffer.from(`${root}/\xff`, 'latin1'), '');
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function write(file: string): void {
  writeFileSync(join(root, file), '#!/bin/sh\n', { mode: 0o755 });
}

function folder(settings: Partial<FolderSettings> = {}): ProgramFolder {
  return new ProgramFolder({
    root: toOctets(root),
    documentRoot: toOctets(root),
    links: 'below',
    allowsEncodedSlashes: false,
    interpreters: new Map(),
    extensions: undefined,
    indexes: [],
    ...settings,
  });
}

/** The path as a client sends it, below the mount point /cgi. */
async function find(encoded: string, settings: Partial<FolderSettings> = {}): Promise<Program | undefined> {
  const found = folder(settings).find('/cgi', decodePath(encoded), encoded);
  if (found === bareFolder) throw new Error(bareFolder);
  return found;
}

/** What the client gets, and the log. */
const forbidden = expect.objectContaining({ code: 'ERR_SCGI_PROGRAM_FORBIDDEN', statusHint: 403 });

describe('a path leads to a program', () => {
  test.each([
    ['/a', 'a', '/cgi/a', ''],
    ['/a/', 'a', '/cgi/a', '/'],
    ['/a/x/y', 'a', '/cgi/a', '/x/y'],
    ['//a//x//y', 'a', '/cgi/a', '/x/y'],
    ['/sub/c', 'sub/c', '/cgi/sub/c', ''],
    ['/sub/deep/d/x', 'sub/deep/d', '/cgi/sub/deep/d', '/x'],
    ['/a%20b/c%20d/e%20f', 'a b/c d', '/cgi/a b/c d', '/e f'],
    ['/a/.hidden', 'a', '/cgi/a', '/.hidden'],
    ['/-rf', '-rf', '/cgi/-rf', ''],
    ['/$(id)', '$(id)', '/cgi/$(id)', ''],
    ['/x%0Ay', 'x\ny', '/cgi/x\ny', ''],
    ['/x%5Cy', 'x\\y', '/cgi/x\\y', ''],
    ['/%C3%BCn%C3%AF', '\xc3\xbcn\xc3\xaf', '/cgi/\xc3\xbcn\xc3\xaf', ''],
    ['/%ff/%fe', '\xff', '/cgi/\xff', '/\xfe'],
  ])('%s to %j', async (path, file, scriptName, pathInfo) => {
    expect(await find(path)).toEqual({
      file: `${toOctets(root)}/${file}`,
      scriptName,
      pathInfo,
      documentRoot: toOctets(root),
      interpreter: undefined,
    });
  });

  test('below an encoded slash where these are allowed', async () => {
    expect(await find('/sub%2Fc', { allowsEncodedSlashes: true })).toMatchObject({ scriptName: '/cgi/sub/c' });
  });
});

describe('nothing is there', () => {
  test.each([
    '/missing',
    '/missing/x',
    '/sub/missing',
    '/..',
    '/../outside/e',
    '/%2e%2e/outside/e',
    '/%2e%2e%2foutside%2fe',
    '/..%2foutside/e',
    '/sub/../../outside/e',
    '/..%5coutside%5ce',
    '/..%c0%afoutside%c0%afe',
    '/%c0%ae%c0%ae/outside/e',
    '/%252e%252e/outside/e',
    '/../cgi-bin-2/f',
    '/sub/../a',
    '/./a',
    '/a%00',
    '/a%00.pl',
    '/sub%2Fc',
    '/A',
    `/${'x'.repeat(300)}`,
    `/${'x/'.repeat(3000)}`,
    '/%2e%2e',
    '*',
    'a',
    '-2/f',
  ])('at %s', async (path) => {
    expect(await find(path)).toBeUndefined();
    expect(await find(path, { links: 'anywhere' })).toBeUndefined();
  });

  test.each(['/.htaccess', '/.git/config', '/.git', '/%2egit/config', '/sub/.x', '/.'])(
    'at %s, whose name has a dot before it',
    async (path) => {
      expect(await find(path)).toBeUndefined();
    },
  );

  test('where the folder itself is gone', async () => {
    expect(await find('/a', { root: toOctets(join(base, 'gone')) })).toBeUndefined();
  });

  test('where the file has another extension', async () => {
    const settings = { extensions: new Set(['.pl']) };
    expect(await find('/a', settings)).toBeUndefined();
    expect(await find('/B.PHP', settings)).toBeUndefined();
    expect(await find('/b.pl/x', settings)).toMatchObject({ scriptName: '/cgi/b.pl', pathInfo: '/x' });
  });
});

describe('what is neither a file nor a folder is not there', () => {
  test('a FIFO, whose opening would wait for ever', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    expect(await find('/fifo')).toBeUndefined();
    expect(await find('/fifo/x')).toBeUndefined();
  });

  test('a socket', async () => {
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await find('/socket')).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a device', async () => {
    symlinkSync('/dev/null', join(root, 'null'));
    expect(await find('/null', { links: 'anywhere' })).toBeUndefined();
  });
});

describe('a folder', () => {
  test.each(['', '/', '/sub/', '/empty/'])('at %j is refused without an index', async (path) => {
    await expect(find(path)).rejects.toThrow(forbidden);
  });

  test.each([
    ['/sub', 'bare folder'],
    ['/empty', forbidden],
  ])('at %s, without its slash, is one to redirect only if it has an index', async (path, expected) => {
    await expect(find(path, { indexes: ['index.pl'] })).rejects.toThrow(expected);
  });

  test('is answered by its index, the first that is there', async () => {
    const indexes = ['index.cgi', 'index.pl', 'index.php'];
    expect(await find('/', { indexes })).toMatchObject({ scriptName: '/cgi/index.pl', pathInfo: '' });
    expect(await find('/sub/', { indexes })).toMatchObject({ scriptName: '/cgi/sub/index.pl' });
    await expect(find('/empty/', { indexes })).rejects.toThrow(forbidden);
  });
});

test('the interpreter is chosen by the extension, in any case of letters', async () => {
  const interpreters = new Map([['.php', ['/usr/bin/php-cgi', '-q']]]);
  expect((await find('/B.PHP/x', { interpreters }))?.interpreter).toEqual(['/usr/bin/php-cgi', '-q']);
  expect((await find('/b.pl', { interpreters }))?.interpreter).toBeUndefined();
});

describe('links', () => {
  beforeAll(() => {
    symlinkSync(join(root, 'a'), join(root, 'file-in'));
    symlinkSync('a', join(root, 'file-in-relative'));
    symlinkSync(join(base, 'outside/e'), join(root, 'file-out'));
    symlinkSync(join(root, 'sub'), join(root, 'folder-in'));
    symlinkSync(join(base, 'outside'), join(root, 'folder-out'));
    symlinkSync(join(base, 'cgi-bin-2'), join(root, 'neighbour'));
    symlinkSync('../cgi-bin/a', join(root, 'out-and-in'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync('nowhere', join(root, 'dangling'));
    symlinkSync(root, join(base, 'linked-root'));
    linkSync(join(root, 'a'), join(root, 'hard'));
  });

  test.each([
    ['/file-in', 'found', 'found', 'forbidden'],
    ['/file-in-relative', 'found', 'found', 'forbidden'],
    ['/out-and-in', 'found', 'found', 'forbidden'],
    ['/file-out', 'forbidden', 'found', 'forbidden'],
    ['/folder-in/c', 'found', 'found', 'forbidden'],
    ['/folder-out/e', 'forbidden', 'found', 'forbidden'],
    ['/neighbour/f', 'forbidden', 'found', 'forbidden'],
    ['/loop', 'missing', 'missing', 'missing'],
    ['/loop/x', 'missing', 'missing', 'missing'],
    ['/dangling', 'missing', 'missing', 'missing'],
    ['/hard', 'found', 'found', 'found'],
    ['/a', 'found', 'found', 'found'],
  ])("%s: links 'below' %s, 'anywhere' %s, 'nowhere' %s", async (path, below, anywhere, nowhere) => {
    for (const [links, expected] of [
      ['below', below],
      ['anywhere', anywhere],
      ['nowhere', nowhere],
    ] as const) {
      const found = find(`${path}/x`, { links });
      if (expected === 'forbidden') await expect(found).rejects.toThrow(forbidden);
      else if (expected === 'missing') expect(await found).toBeUndefined();
      // SCRIPT_FILENAME is the name that was asked for, as in Apache: programs find their neighbours by it.
      else expect(await found).toMatchObject({ file: `${toOctets(root)}${path}`, pathInfo: '/x' });
    }
  });

  test('an index that is a link is under the same rule', async () => {
    symlinkSync(join(base, 'outside/e'), join(root, 'empty/index.cgi'));
    await expect(find('/empty/', { indexes: ['index.cgi'] })).rejects.toThrow(forbidden);
  });

  test('the folder of all programs may be one: who runs this has named it', async () => {
    const settings = { root: toOctets(join(base, 'linked-root')) };
    for (const links of ['below', 'anywhere', 'nowhere'] as const) {
      expect(await find('/sub/c', { ...settings, links })).toMatchObject({ scriptName: '/cgi/sub/c' });
    }
    await expect(find('/file-out', settings)).rejects.toThrow(forbidden);
  });
});

describe('a folder that must not be looked into', () => {
  beforeAll(() => {
    mkdirSync(join(root, 'locked'));
    write('locked/a');
    chmodSync(join(root, 'locked'), 0);
    chmodSync(base, 0o755);
  });
  afterAll(() => chmodSync(join(root, 'locked'), 0o755));

  test('is refused, whether or not something is there', async () => {
    await asNobody(async () => {
      await expect(find('/locked/a')).rejects.toThrow(forbidden);
      await expect(find('/locked/missing')).rejects.toThrow(forbidden);
      await expect(find('/a')).resolves.toBeDefined();
    });
  });
});

/** Root may look everywhere. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  const user = process.geteuid?.();
  if (user === 0) process.seteuid?.(65_534);
  try {
    await action();
  } finally {
    if (user === 0) process.seteuid?.(0);
  }
}

describe('the file system may change under us', () => {
  test('a program that vanishes while it is looked at is not there', async () => {
    const files = Array.from({ length: 50 }, (_, index) => `vanishing-${index}`);
    for (const file of files) write(file);
    const found = files.map((file) => find(`/${file}`).catch((error: unknown) => error));
    for (const file of files) rmSync(join(root, file));
    for (const outcome of await Promise.all(found)) {
      if (outcome instanceof Error)
        expect(outcome).toMatchObject({ code: 'ERR_SCGI_PROGRAM_NOT_FOUND', statusHint: 404 });
      else if (outcome !== undefined) expect(outcome).toMatchObject({ pathInfo: '' });
    }
  });
});
