// Options: every impossible value is refused when the listener is made, with a word on what to write instead.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalProtocolError } from '@scgi/core/protocol';
import { inject } from '@scgi/testing';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as cgi from '../src/index.js';
import { writePrograms } from './support/programs.js';

const times = ['timeout', 'runTimeout', 'lingerTimeout', 'killTimeout', 'queueTimeout'];
const limits = ['maxConcurrent', 'maxQueued', 'maxHeadBytes', 'maxLineBytes', 'maxErrorBytes'];
const lists = ['inheritEnvironment', 'passVariables'];
const switches = ['passAuthorization', 'encodedSlashes'];
const texts = ['path', 'documentRoot', 'serverName', 'mount'];
const functions = ['onError', 'onErrorOutput'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scgi-options-'));
  writeFileSync(join(folder, 'a'), '#!/bin/sh\n', { mode: 0o755 });
  return () => rmSync(folder, { recursive: true });
});

/** Options as they come from JavaScript, where nothing checks their types. */
function make(face: 'cgiProgram' | 'cgiDirectory', options: Readonly<Record<string, unknown>>): unknown {
  const create: unknown = Reflect.get(cgi, face);
  if (typeof create !== 'function') throw new Error(`${face} is no function`);
  return create(face === 'cgiProgram' ? join(folder, 'a') : folder, options);
}

function expectRefusal(face: 'cgiProgram' | 'cgiDirectory', option: string, value: unknown): void {
  let refusal: unknown;
  try {
    make(face, { [option]: value });
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(LocalProtocolError);
  expect(refusal).toMatchObject({ code: 'ERR_SCGI_OPTION', details: { option } });
  // What is wrong with it, or what would be right.
  const { details } = refusal instanceof LocalProtocolError ? refusal : { details: {} };
  expect(Object.keys(details).some((key) => ['problem', 'remedy', 'least', 'accepted'].includes(key))).toBe(true);
}

/** One argument each: a table of lists would spread them. */
function each(values: readonly unknown[]): { readonly value: unknown }[] {
  return values.map((value) => ({ value }));
}

const odd = [-1, 1.5, NaN, '10', '', true, {}, [], () => 1];

describe.each(['cgiProgram', 'cgiDirectory'] as const)('%s refuses', (face) => {
  test.each(times.flatMap((option) => [...odd, Infinity, 2 ** 31, null].map((value) => [option, value] as const)))(
    '%s: %j',
    (option, value) => expectRefusal(face, option, value),
  );
  test.each(limits.flatMap((option) => [...odd, Infinity, 2 ** 53].map((value) => [option, value] as const)))(
    '%s: %j',
    (option, value) => expectRefusal(face, option, value),
  );
  test('maxConcurrent: 0, with which nothing would ever run', () => expectRefusal(face, 'maxConcurrent', 0));
  test.each(each([...odd, 1001, Infinity, null]))('maxLocalRedirects: $value', ({ value }) => {
    expectRefusal(face, 'maxLocalRedirects', value);
  });

  test.each(
    lists.flatMap((option) => ['GEO_*', true, 5, {}, [5], [''], [null]].map((value) => [option, value] as const)),
  )('%s: %j', (option, value) => expectRefusal(face, option, value));
  test.each([
    'A=B',
    'A B',
    'A\0',
    '*',
    'GEO_*',
    'REMOTE_USER',
    'HTTP_PROXY',
    'http_proxy',
    'SCRIPT_FILENAME',
    'SSL_CLIENT_CERT',
  ])('inheritEnvironment: [%j]', (name) => expectRefusal(face, 'inheritEnvironment', [name]));
  test.each([
    'A=B',
    'A B',
    'A\0',
    '**',
    'G*O',
    '*_GEO',
    'GEO_?',
    'HTTP_PROXY',
    'http_proxy',
    'HTTP_*',
    'PATH',
    'SCRIPT_FILENAME',
  ])('passVariables: [%j]', (name) => expectRefusal(face, 'passVariables', [name]));
  test.each(
    each([
      'A',
      5,
      true,
      null,
      [],
      [['A', 'b']],
      { 'A B': 'x' },
      { '': 'x' },
      { HTTP_PROXY: 'x' },
      { http_proxy: 'x' },
      { CONTENT_LENGTH: 5 },
    ]),
  )('env: $value', ({ value }) => expectRefusal(face, 'env', value));

  test.each(switches.flatMap((option) => ['yes', 'no', 1, 0, null, {}].map((value) => [option, value] as const)))(
    '%s: %j',
    (option, value) => expectRefusal(face, option, value),
  );
  test.each(texts.flatMap((option) => [5, true, null, {}, [], '', 'a\0b'].map((value) => [option, value] as const)))(
    '%s: %j',
    (option, value) => expectRefusal(face, option, value),
  );
  test.each(['cgi-bin', '/a?b', '/a#b', 'http://x/'])('mount: %j', (value) => expectRefusal(face, 'mount', value));
  test.each(['a b', 'a\nb', 'ex\u00e4mple.com'])('serverName: %j', (value) => expectRefusal(face, 'serverName', value));
  test.each(functions.flatMap((option) => ['x', 5, true, null, {}].map((value) => [option, value] as const)))(
    '%s: %j',
    (option, value) => expectRefusal(face, option, value),
  );
  test.each(each(['ruby', '', 5, true, {}]))('launcher: $value', ({ value }) => expectRefusal(face, 'launcher', value));

  test('an option that is undefined is not given', () => {
    const all = [
      ...times,
      ...limits,
      ...lists,
      ...switches,
      ...texts,
      ...functions,
      'env',
      'launcher',
      'maxLocalRedirects',
    ];
    const more = ['interpreter', 'interpreters', 'extensions', 'index', 'links'];
    expect(make(face, Object.fromEntries([...all, ...more].map((option) => [option, undefined])))).toBeTypeOf(
      'function',
    );
  });

  test('null is no limit', () => {
    expect(make(face, Object.fromEntries(limits.map((option) => [option, null])))).toBeTypeOf('function');
  });
});

const noInterpreters = [
  '',
  'no-such-interpreter',
  '/no/such/interpreter',
  './php',
  '../bin/sh',
  'bin/sh',
  '/bin',
  5,
  true,
  null,
  [],
  [''],
  [5],
  ['sh', 5],
  {},
  'sh\0',
];

describe('cgiProgram refuses', () => {
  test.each(each(noInterpreters))('interpreter: $value', ({ value }) => {
    expectRefusal('cgiProgram', 'interpreter', value);
  });

  test.each([5, undefined, null, '', 'a\0b'])('the file %j', (file) => {
    const create: unknown = cgi.cgiProgram;
    if (typeof create !== 'function') throw new Error('no function');
    expect(() => create(file)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION', details: expect.objectContaining({ option: 'file' }) }),
    );
  });
});

describe('cgiDirectory refuses', () => {
  test.each(each(noInterpreters))("interpreters: { '.x': $value }", ({ value }) => {
    expectRefusal('cgiDirectory', 'interpreters', { '.x': value });
  });
  test.each(['php', '.', '..', '', '.a/b', '.tar.gz', '.a\0', '.*'])('interpreters: { %j: … }', (extension) => {
    expectRefusal('cgiDirectory', 'interpreters', { [extension]: 'sh' });
  });
  test.each(each(['sh', 5, true, null, [], ['.php']]))('interpreters: $value', ({ value }) => {
    expectRefusal('cgiDirectory', 'interpreters', value);
  });
  test.each(each(['.php', 5, true, null, {}, [5], [''], ['php'], ['.'], ['.a/b'], ['.tar.gz']]))(
    'extensions: $value',
    ({ value }) => {
      expectRefusal('cgiDirectory', 'extensions', value);
    },
  );
  test.each(each(['index.php', 5, true, null, {}, [5], [''], ['a/b'], ['..'], ['.'], ['.htaccess'], ['a\0']]))(
    'index: $value',
    ({ value }) => {
      expectRefusal('cgiDirectory', 'index', value);
    },
  );
  test.each(['all', '', true, null, 5])('links: %j', (value) => expectRefusal('cgiDirectory', 'links', value));

  test.each([5, undefined, null, '', 'a\0b', '/no/such/folder', '/etc/passwd'])('the root %j', (root) => {
    const create: unknown = cgi.cgiDirectory;
    if (typeof create !== 'function') throw new Error('no function');
    expect(() => create(root)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION', details: expect.objectContaining({ option: 'root' }) }),
    );
  });
});

describe('an interpreter', () => {
  test('is looked for in path, and must be executable', () => {
    const folder = writePrograms({ 'my-interpreter': '' });
    writeFileSync(join(folder, 'not-executable'), '');
    mkdirSync(join(folder, 'a-folder'));
    const create = (interpreter: string): unknown => make('cgiProgram', { interpreter, path: `/no/such:${folder}` });
    expect(create('my-interpreter')).toBeTypeOf('function');
    expect(() => create('not-executable')).toThrow(/no such program/);
    expect(() => create('a-folder')).toThrow(/no such program/);
    expect(() => create('sh')).toThrow(/no such program/);
  });

  test('may have arguments', () => {
    expect(make('cgiProgram', { interpreter: ['sh', '-e'] })).toBeTypeOf('function');
    expect(make('cgiDirectory', { interpreters: { '.sh': ['/bin/sh', '-e'] } })).toBeTypeOf('function');
  });
});

test('a program need not be there yet', () => {
  expect(cgi.cgiProgram('/no/such/program')).toBeTypeOf('function');
});

describe('PATH', () => {
  /** What a program is given. */
  async function pathWith(options: cgi.CgiProgramOptions): Promise<string> {
    const file = join(writePrograms({ a: `printf 'A: b\\n\\n'; echo "$PATH"` }), 'a');
    const programs = cgi.cgiProgram(file, { launcher: 'node', ...options });
    const { text } = await inject(programs, { url: '/' });
    programs.close();
    return text.trim();
  }

  test('is the option, else that of this process where programs inherit it, else the usual one', async () => {
    vi.stubEnv('PATH', '/opt/bin:/usr/bin');
    expect(await pathWith({})).toBe('/usr/local/bin:/usr/bin:/bin');
    expect(await pathWith({ inheritEnvironment: ['PATH'] })).toBe('/opt/bin:/usr/bin');
    expect(await pathWith({ inheritEnvironment: ['PATH'], path: '/srv/bin' })).toBe('/srv/bin');
    expect(await pathWith({ inheritEnvironment: ['PATH'], env: { PATH: '/env/bin' } })).toBe('/env/bin');
    vi.unstubAllEnvs();
  });
});
