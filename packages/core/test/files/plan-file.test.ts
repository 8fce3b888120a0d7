// Which file is the answer, what of it, and who sends it.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEnv, type FrontEndOptions, messageAnswered, resolveFrontEnd } from '../../src/env/index.js';
import { FileContent } from '../../src/files/file-content.js';
import { bodyOf, type FileAnswer, planFile, type SendfileOptions } from '../../src/files/index.js';
import { folderWith } from '../support/files.js';

interface Case {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** What the response has already. */
  readonly set?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly frontEnd?: FrontEndOptions;
  readonly options?: SendfileOptions;
}

function plan(path: string, given: Case = {}): Promise<FileAnswer | undefined> {
  const { method = 'GET', fields = {}, set = {}, variables, frontEnd, options } = given;
  const scgi =
    variables === undefined
      ? undefined
      : { env: createEnv(Object.entries(variables).flat()), frontEnd: resolveFrontEnd(frontEnd) };
  const request = messageAnswered({ method, headers: fields, scgi }, { getHeader: (name) => set[name] });
  return planFile(request, path, options);
}

interface Seen {
  readonly status: number | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The answer with its body read. */
async function see(path: string, given: Case = {}): Promise<Seen> {
  const answer = await plan(path, given);
  if (answer === undefined) return { status: undefined, fields: {}, body: null };
  const body = bodyOf(answer);
  const text =
    body === null ? null : Buffer.isBuffer(body) ? body.toString() : Buffer.concat(await body.toArray()).toString();
  return { status: answer.status, fields: answer.fields, body: text };
}

describe('the file', () => {
  it('is the whole one, with what tells its states apart', async () => {
    const folder = folderWith({ 'a.txt': '0123456789' });
    utimesSync(join(folder, 'a.txt'), 1_700_000_000, 1_700_000_000.25);
    const { status, fields, body } = await see(join(folder, 'a.txt'));
    expect({ status, body }).toEqual({ status: 200, body: '0123456789' });
    expect(fields).toEqual({
      'Content-Type': 'application/octet-stream',
      'Content-Length': '10',
      'Accept-Ranges': 'bytes',
      'Last-Modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
      ETag: `"${1_700_000_000_250_000_000n.toString(16)}-a"`,
    });
  });

  it('gets another tag with each change', async () => {
    const folder = folderWith({ 'a.txt': 'one' });
    const path = join(folder, 'a.txt');
    const tags = new Set([(await see(path)).fields['ETag']]);
    utimesSync(path, 1_700_000_000, 1_700_000_000.1);
    tags.add((await see(path)).fields['ETag']);
    utimesSync(path, 1_700_000_000, 1_700_000_000.2);
    tags.add((await see(path)).fields['ETag']);
    expect(tags.size).toBe(3);
  });

  it.each<[string, Case, string]>([
    ['none that is guessed', {}, 'application/octet-stream'],
    ['the one that is set', { set: { 'content-type': 'text/html' } }, 'text/html'],
    ['the one of the call', { set: { 'content-type': 'text/html' }, options: { type: 'text/css' } }, 'text/css'],
  ])('has as its type %s', async (_name, given, type) => {
    const folder = folderWith({ 'a.html': 'x' });
    expect((await see(join(folder, 'a.html'), given)).fields['Content-Type']).toBe(type);
  });

  it('is compared by the tag and the date that the application has set', async () => {
    const folder = folderWith({ a: 'x' });
    const set = { etag: '"v7"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' };
    expect((await see(join(folder, 'a'), { set })).fields).toMatchObject({
      ETag: '"v7"',
      'Last-Modified': set['last-modified'],
    });
    const same = await see(join(folder, 'a'), { set, fields: { 'if-none-match': '"v7"' } });
    expect(same).toMatchObject({ status: 304, body: null });
  });

  it('is empty where it is', async () => {
    const folder = folderWith({ a: '' });
    expect(await see(join(folder, 'a'))).toMatchObject({ status: 200, fields: { 'Content-Length': '0' }, body: '' });
  });

  it('of HEAD is its fields', async () => {
    const folder = folderWith({ a: '0123456789' });
    const whole = await see(join(folder, 'a'));
    expect(await see(join(folder, 'a'), { method: 'HEAD' })).toEqual({ ...whole, body: null });
  });

  it('is cut to a range', async () => {
    const folder = folderWith({ a: '0123456789' });
    const answer = await see(join(folder, 'a'), { fields: { range: 'bytes=2-4' } });
    expect(answer).toMatchObject({ status: 206, body: '234' });
    expect(answer.fields).toMatchObject({ 'Content-Range': 'bytes 2-4/10', 'Content-Length': '3' });
    expect(answer.fields).not.toHaveProperty('Accept-Ranges');
  });

  it('has no range beyond its end, and says where that is', async () => {
    const folder = folderWith({ a: '0123456789' });
    const answer = await see(join(folder, 'a'), { fields: { range: 'bytes=10-' } });
    expect(answer).toEqual({
      status: 416,
      fields: { 'Content-Length': '0', 'Content-Range': 'bytes */10' },
      body: null,
    });
  });

  it('is not sent again, and not where it is another one by now', async () => {
    const folder = folderWith({ a: 'x' });
    const { fields } = await see(join(folder, 'a'));
    const tag = fields['ETag'] ?? '';
    expect(await see(join(folder, 'a'), { fields: { 'if-none-match': tag } })).toEqual({
      status: 304,
      fields: { ETag: tag, 'Last-Modified': fields['Last-Modified'] },
      body: null,
    });
    expect(await see(join(folder, 'a'), { fields: { 'if-match': '"b"' } })).toMatchObject({ status: 412, body: null });
  });

  it('of more than one chunk is read when it is sent', async () => {
    const folder = folderWith({ small: Buffer.alloc(65_536), large: Buffer.alloc(65_537) });
    expect((await plan(join(folder, 'small')))?.content).toBeInstanceOf(Uint8Array);
    expect((await plan(join(folder, 'large')))?.content).toBeInstanceOf(FileContent);
  });
});

describe('a path', () => {
  it.each([
    ['a.txt', 'in'],
    ['./a.txt', 'in'],
    ['sub/../a.txt', 'in'],
    ['sub/b.txt', 'below'],
    ['link-in', 'in'],
    ['..a', 'dots'],
  ])('below root finds its file: %s', async (path, body) => {
    const root = tree();
    expect(await see(path, { options: { root } })).toMatchObject({ status: 200, body });
    expect(await see(join(root, path), { options: { root } })).toMatchObject({ status: 200, body });
  });

  it.each([
    '../secret',
    'sub/../../secret',
    '/etc/passwd',
    'link-out',
    'link-folder/secret',
    'link-nowhere',
    'link-loop',
    'a.txt/b',
    'none',
    'sub',
    '',
    '.',
    'a.txt\0',
    'pipe',
    `${'x'.repeat(300)}`,
  ])('finds nothing outside of it, and nothing but files: %j', async (path) => {
    expect(await plan(path, { options: { root: tree() } })).toBeUndefined();
  });

  it('without root must be absolute', async () => {
    await expect(plan('a.txt')).rejects.toMatchObject({ code: 'ERR_SCGI_OPTION' });
    expect(await plan(join(tree(), 'none'))).toBeUndefined();
  });

  it('may lead through a root that is a link', async () => {
    const root = tree();
    symlinkSync(root, `${root}-link`);
    try {
      expect(await see('a.txt', { options: { root: `${root}-link` } })).toMatchObject({ status: 200 });
    } finally {
      rmSync(`${root}-link`);
    }
  });

  it('to what may not be read is an error, for any size', async () => {
    const folder = folderWith({ small: 'x', large: Buffer.alloc(100_000) });
    chmodSync(folder, 0o755);
    for (const name of ['small', 'large']) {
      chmodSync(join(folder, name), 0);
      const failure = await asNobody(() => plan(join(folder, name)).catch((error: unknown) => error));
      expect(failure).toMatchObject({ code: 'ERR_SCGI_SENDFILE', statusHint: 500, cause: { code: 'EACCES' } });
    }
    chmodSync(folder, 0);
    const failure = await asNobody(() => plan(join(folder, 'small')).catch((error: unknown) => error));
    expect(failure).toMatchObject({ code: 'ERR_SCGI_SENDFILE' });
  });
});

/** Root may read everything. */
async function asNobody<Result>(look: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return look();
  process.seteuid?.(65_534);
  try {
    return await look();
  } finally {
    process.seteuid?.(0);
  }
}

/** A root with a secret beside it, and ways that seem to lead there. */
function tree(): string {
  const folder = folderWith({ secret: 'secret' });
  const root = join(folder, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  for (const [name, text] of [
    ['a.txt', 'in'],
    ['sub/b.txt', 'below'],
    ['..a', 'dots'],
  ] as const) {
    writeFileSync(join(root, name), text);
  }
  symlinkSync('a.txt', join(root, 'link-in'));
  symlinkSync('../secret', join(root, 'link-out'));
  symlinkSync('..', join(root, 'link-folder'));
  symlinkSync('none', join(root, 'link-nowhere'));
  symlinkSync('link-loop', join(root, 'link-loop'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  return root;
}

const nginx = { DOCUMENT_URI: '/' };
const apache = { SCRIPT_FILENAME: 'proxy:scgi://localhost/' };
const lighttpd = { SERVER_SOFTWARE: 'lighttpd/1.4.69' };

describe('nginx', () => {
  it('is told the URI of the file, and sees to all else', async () => {
    const folder = folderWith({ 'a%20 é.txt': 'x' });
    const frontEnd = { accelRedirect: { '/protected/': folder } };
    for (const given of [
      {},
      { method: 'HEAD' },
      { method: 'POST' },
      { fields: { range: 'bytes=5-', 'if-none-match': '*' } },
    ]) {
      expect(await see(join(folder, 'a%20 é.txt'), { variables: nginx, frontEnd, ...given })).toEqual({
        status: 200,
        fields: { 'Content-Type': 'application/octet-stream', 'X-Accel-Redirect': '/protected/a%2520%20%C3%A9.txt' },
        body: null,
      });
    }
  });

  it('is told the location of the deepest folder', async () => {
    const folder = folderWith({});
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'a/b/c'), 'x');
    writeFileSync(join(folder, 'a/d'), 'x');
    const accelRedirect = {
      '/outer/': folder,
      '/inner/': join(folder, 'a/b'),
      '/gone/': join(folder, 'none'),
      '/': '/none',
    };
    const uri = async (path: string) =>
      (await see(join(folder, path), { variables: nginx, frontEnd: { accelRedirect } })).fields['X-Accel-Redirect'];
    expect(await uri('a/b/c')).toBe('/inner/c');
    expect(await uri('a/d')).toBe('/outer/a/d');
  });

  it('is told where a link leads', async () => {
    const folder = folderWith({ a: 'x' });
    symlinkSync('a', join(folder, 'link'));
    const frontEnd = { accelRedirect: { '/p/': folder } };
    const { fields } = await see(join(folder, 'link'), { variables: nginx, frontEnd });
    expect(fields['X-Accel-Redirect']).toBe('/p/a');
  });
});

describe('Apache', () => {
  const options = (folder: string): Case => ({ variables: apache, frontEnd: { sendfile: { root: folder } } });

  it('is told the path as it is, and states the length itself', async () => {
    const folder = folderWith({ 'a%20 é': 'x' });
    const path = join(folder, 'a%20 é');
    const answer = await plan(path, options(folder));
    expect(answer?.dropped).toContain('content-length');
    const { fields, body } = await see(path, options(folder));
    expect({ body, path: Buffer.from(fields['X-Sendfile'] ?? '', 'latin1').toString() }).toEqual({ body: null, path });
    expect(fields).not.toHaveProperty('Content-Length');
    expect(fields).toHaveProperty('ETag');
  });

  it('has a field of its own name', async () => {
    const folder = folderWith({ a: 'x' });
    const frontEnd = { sendfile: { root: ['/none', folder], field: 'X-File' } };
    const { fields } = await see(join(folder, 'a'), { variables: apache, frontEnd });
    expect(fields).toMatchObject({ 'X-File': join(folder, 'a') });
  });

  it('sends no ranges, no 304 and no length for HEAD: these are ours', async () => {
    const folder = folderWith({ a: '0123456789' });
    const path = join(folder, 'a');
    const given = options(folder);
    expect(await see(path, { ...given, fields: { range: 'bytes=2-4' } })).toMatchObject({ status: 206, body: '234' });
    expect(await see(path, { ...given, fields: { range: 'bytes=99-' } })).toMatchObject({ status: 416 });
    expect(await see(path, { ...given, fields: { 'if-none-match': '*' } })).toMatchObject({ status: 304 });
    expect((await see(path, { ...given, method: 'HEAD' })).fields).toMatchObject({ 'Content-Length': '10' });
  });
});

describe('lighttpd', () => {
  it('is told the path percent-encoded, and sees to ranges', async () => {
    const folder = folderWith({ 'a%20 é': '0123456789' });
    const given = { variables: lighttpd, frontEnd: { sendfile: { root: folder, field: 'X-File' } } };
    for (const fields of [{}, { range: 'bytes=2-4' }, { range: 'bytes=99-' }]) {
      const answer = await see(join(folder, 'a%20 é'), { ...given, fields });
      expect(answer).toMatchObject({ status: 200, body: null });
      expect(answer.fields['X-Sendfile']).toBe(`${folder}/a%2520%20%C3%A9`);
    }
    expect(await see(join(folder, 'a%20 é'), { ...given, fields: { 'if-none-match': '*' } })).toMatchObject({
      status: 304,
    });
  });
});

describe('the application sends a file by itself', () => {
  it.each<[string, Case]>([
    ['over HTTP', {}],
    ['where nothing is said of the front end', { variables: nginx }],
    ['where nginx is said to, and Apache asks', { variables: apache, frontEnd: { accelRedirect: { '/p/': '/' } } }],
    ['where nginx is said to, and lighttpd asks', { variables: lighttpd, frontEnd: { accelRedirect: { '/p/': '/' } } }],
    ['where Apache is said to, and nginx asks', { variables: nginx, frontEnd: { sendfile: { root: '/' } } }],
    [
      'where nobody says who asks',
      { variables: {}, frontEnd: { sendfile: { root: '/' }, accelRedirect: { '/p/': '/' } } },
    ],
    ['where the folders are others', { variables: nginx, frontEnd: { accelRedirect: { '/p/': '/none' } } }],
    ['where Apache’s folders are others', { variables: apache, frontEnd: { sendfile: { root: '/none' } } }],
    [
      'where the call says so',
      { variables: nginx, frontEnd: { accelRedirect: { '/p/': '/' } }, options: { frontEnd: false } },
    ],
  ])('%s', async (_name, given) => {
    const folder = folderWith({ a: 'x' });
    const { fields, body } = await see(join(folder, 'a'), given);
    expect({ body, length: fields['Content-Length'] }).toEqual({ body: 'x', length: '1' });
    expect(Object.keys(fields).filter((name) => name.startsWith('X-'))).toEqual([]);
  });

  it('where its name fits in no field', async () => {
    const folder = folderWith({ 'a\nX-Evil: 1': 'x' });
    const frontEnd = { sendfile: { root: folder }, accelRedirect: { '/p/': folder } };
    for (const variables of [nginx, apache, lighttpd]) {
      expect(await see(join(folder, 'a\nX-Evil: 1'), { variables, frontEnd })).toMatchObject({ body: 'x' });
    }
  });
});
