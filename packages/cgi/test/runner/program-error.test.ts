// What it means when the system cannot start a program: to the client, and to the one who reads the log.

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/launcher/launcher.js';
import { NodeLauncher } from '../../src/launcher/node-launcher.js';
import { toOctets } from '../../src/octets.js';
import { startError } from '../../src/runner/program-error.js';
import { writePrograms } from '../support/programs.js';

/** Really starts it, and hears why not. */
async function failureOf(file: string, more: Partial<Command> = {}): Promise<ReturnType<typeof startError>> {
  const program = toOctets(file);
  const command = { file: program, args: [], env: [], folder: '/', hasInput: false, ...more };
  const cause = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
    new NodeLauncher().launch(command, {
      onStart: () => reject(new Error('it runs')),
      onStartFailed: resolve,
      onExit: () => {},
    });
  });
  return startError(command, program, cause);
}

test('a program that is gone is not found', async () => {
  const folder = writePrograms({});
  expect(await failureOf(join(folder, 'a'))).toMatchObject({
    code: 'ERR_SCGI_PROGRAM_NOT_FOUND',
    statusHint: 404,
    details: { system: 'ENOENT' },
  });
});

test('a program that is gone is not found, though its interpreter is there', async () => {
  const folder = writePrograms({});
  const failure = await failureOf(join(folder, 'gone/a.php'), { file: '/bin/sh', folder: join(folder, 'gone') });
  expect(failure).toMatchObject({ code: 'ERR_SCGI_PROGRAM_NOT_FOUND', statusHint: 404 });
});

test('an interpreter that is gone is our failure: the program is there', async () => {
  const folder = writePrograms({ 'a.php': '<?php ?>' });
  const interpreter = join(folder, 'php-cgi');
  expect(await failureOf(join(folder, 'a.php'), { file: interpreter })).toMatchObject({
    code: 'ERR_SCGI_PROGRAM_START',
    statusHint: 500,
    details: { problem: 'its interpreter is missing', interpreter, file: join(folder, 'a.php') },
  });
});

test.each([
  ['without the right to execute it', 0o644],
  ['without any right', 0],
])('a program %s is refused, and the log says what to do', async (_, mode) => {
  const folder = writePrograms({ a: '' });
  chmodSync(join(folder, 'a'), mode);
  const failure = await failureOf(join(folder, 'a'));
  expect(failure).toMatchObject({ code: 'ERR_SCGI_PROGRAM_FORBIDDEN', statusHint: 403, details: { system: 'EACCES' } });
  expect(failure.message).toMatch(/chmod \+x/);
});

test('a folder is refused', async () => {
  const folder = writePrograms({});
  mkdirSync(join(folder, 'a'));
  expect(await failureOf(join(folder, 'a'))).toMatchObject({ code: 'ERR_SCGI_PROGRAM_FORBIDDEN', statusHint: 403 });
});

describe('a program that the system cannot run is our failure, and the log says why:', () => {
  test.each([
    ['without #! line', 'echo hello\n', 'ENOEXEC', { problem: 'no #! line' }],
    ['empty', '', 'ENOEXEC', { problem: 'no #! line' }],
    [
      'with the interpreter of another system',
      '#!/usr/local/bin/no-such-perl -w\n',
      'ENOENT',
      { problem: 'the interpreter of its #! line is missing', interpreter: '/usr/local/bin/no-such-perl -w' },
    ],
    [
      'with lines of Windows',
      '#!/bin/sh\r\necho hello\r\n',
      'ENOENT',
      { problem: 'its #! line ends with CR LF', interpreter: '/bin/sh' },
    ],
    ['that are data of another kind', '\x7fELF\x02\x01\x01garbage', 'ENOEXEC', { problem: 'no #! line' }],
  ])('%s', async (_, source, system, explanation) => {
    const folder = writePrograms({ other: '#!' });
    const file = join(folder, 'a');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, source, { mode: 0o755 });
    expect(await failureOf(file)).toMatchObject({
      code: 'ERR_SCGI_PROGRAM_START',
      statusHint: 500,
      details: { file, system, ...explanation },
    });
  });
});

describe('the system', () => {
  test.each(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'])('that says %s may have room again: 503', (code) => {
    const cause = Object.assign(new Error(code), { code });
    const failure = startError({ file: '/bin/sh' }, '/bin/sh', cause);
    expect(failure).toMatchObject({ code: 'ERR_SCGI_BACKEND_BUSY', statusHint: 503, details: { system: code }, cause });
  });

  test('that says something unheard of has failed us', () => {
    const cause = Object.assign(new Error('?'), { code: 'ESTALE' });
    expect(startError({ file: '/bin/sh' }, '/bin/sh', cause)).toMatchObject({ code: 'ERR_SCGI_PROGRAM_START', cause });
    expect(startError({ file: '/bin/sh' }, '/bin/sh', new Error('?'))).toMatchObject({
      code: 'ERR_SCGI_PROGRAM_START',
    });
  });
});

test('a variable that no process can have is our failure', async () => {
  const folder = writePrograms({ a: '' });
  const failure = await failureOf(join(folder, 'a'), { env: ['A', 'b\0c'] });
  expect(failure).toMatchObject({ code: 'ERR_SCGI_PROGRAM_START', statusHint: 500 });
});

test('an environment that is larger than the system allows is our failure', async () => {
  const folder = writePrograms({ a: '' });
  const failure = await failureOf(join(folder, 'a'), { env: ['A', 'x'.repeat(1_000_000)] });
  expect(failure).toMatchObject({ code: 'ERR_SCGI_PROGRAM_START', statusHint: 500, details: { system: 'E2BIG' } });
});

test('of a long path the end is kept', () => {
  const cause = Object.assign(new Error('x'), { code: 'EAGAIN' });
  const file = `/${'x'.repeat(5000)}/end`;
  expect(String(startError({ file }, file, cause).details['file'])).toMatch(/^x+\/end$/);
});
