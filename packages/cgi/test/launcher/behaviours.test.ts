// The same behaviours of everything that starts programs.

import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Launcher } from '../../src/launcher/launcher.js';
import { commandOf, failureOf, launch, run, shell } from '../support/launches.js';
import { until, within } from '../support/within.js';
import { kinds } from './launchers.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scgi-launcher-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The streams that a program writes to. */
const written = [
  { name: 'output', redirection: '' },
  { name: 'errors', redirection: '>&2' },
] as const;

function file(name: string, content: string | Buffer, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe.each(kinds)('$name', ({ create, hasPipes, passesOctets, refusesGarbage }) => {
  let launcher: Launcher;
  beforeAll(() => {
    launcher = create();
  });
  afterAll(() => launcher.close());

  describe('what a program gets', () => {
    test('its arguments, whatever is in them, behind its own path', async () => {
      const args = ['', '-e', 'two words', 'line\nfeed', '"$(id)"', '*', 'ÿ'.repeat(3)];
      const path = file('arguments', '#!/bin/sh\nfor argument in "$0" "$@"; do printf "<%s>" "$argument"; done\n');
      const octets = args.map((argument) => Buffer.from(argument).toString('latin1'));
      const { output } = await run(launcher, commandOf(path, octets));
      expect(output).toBe([path, ...octets].map((argument) => `<${argument}>`).join(''));
    });

    test('the environment it is given and nothing else', async () => {
      const env = ['A', '1', 'EMPTY', '', 'HTTP_X', 'a=b; "c"\n d', '1lower-case.name', 'x'];
      const { output } = await run(launcher, commandOf('/usr/bin/env', ['-0'], { env }));
      expect(output.split('\0').toSorted()).toEqual(
        ['', 'A=1', 'EMPTY=', 'HTTP_X=a=b; "c"\n d', '1lower-case.name=x'].toSorted(),
      );
    });

    test('an empty environment', async () => {
      expect(await run(launcher, commandOf('/usr/bin/env', [], { env: [] }))).toMatchObject({ output: '', code: 0 });
    });

    test('128 KiB of environment', async () => {
      const env = Array.from({ length: 32 }, (_, index) => [`NAME_${index}`, 'v'.repeat(4096)]).flat();
      const { output } = await run(launcher, commandOf('/usr/bin/env', [], { env }));
      expect(output.length).toBeGreaterThan(128 * 1024);
      expect(output).toContain(`NAME_31=${'v'.repeat(4096)}\n`);
    });

    test('its working directory', async () => {
      expect((await run(launcher, shell('pwd -P', { folder: '/usr/bin' }))).output).toBe('/usr/bin\n');
    });

    test('octets that are not UTF-8, by launchers that can', async () => {
      const env = ['NAME', 'caf\xe9'];
      const { output } = await run(launcher, shell('printf "$NAME$0"', { env }));
      const { output: argument } = await run(launcher, commandOf('/bin/echo', ['\xff\xfe']));
      const replacement = Buffer.from('\u{fffd}').toString('latin1');
      expect(output.startsWith(passesOctets ? 'caf\xe9' : `caf${replacement}`)).toBe(true);
      expect(argument).toBe(passesOctets ? '\xff\xfe\n' : `${replacement}${replacement}\n`);
    });

    test('no signal blocked or ignored', async () => {
      const { output } = await run(launcher, commandOf('/bin/grep', ['-E', '^Sig(Blk|Ign):', '/proc/self/status']));
      const [blocked = '', ignored = ''] = output.match(/[0-9a-f]{16}/g) ?? [];
      // 32 and 33 are for the C library's own use; its posix_spawn has them ignored.
      const internal = 0b11n << 31n;
      expect([blocked.length, BigInt(`0x${blocked}`), BigInt(`0x${ignored}`) & ~internal]).toEqual([16, 0n, 0n]);
    });

    test('a process group of its own', async () => {
      const launched = await launch(launcher, commandOf('/bin/cat', ['/proc/self/stat']));
      const [, , group] = (await within('its output', launched.output)).replace(/^.*\) /, '').split(' ');
      expect(Number(group)).toBe(launched.program.pid);
      await within('its end', launched.ending);
    });

    test('streams that it can open by name, by launchers that can', async () => {
      const { output, errors } = await run(launcher, shell('cat /dev/stdin; echo x > /dev/stderr'), 'body');
      expect([output, errors === 'x\n']).toEqual(hasPipes ? ['body', true] : ['', false]);
    });
  });

  describe('its streams', () => {
    test('without input it reads the end of its file at once', async () => {
      const { program, output, ending } = await launch(launcher, commandOf('/bin/cat'));
      expect(program.input).toBeUndefined();
      expect(await within('its end', Promise.all([output, ending]))).toEqual(['', { code: 0, signal: undefined }]);
    });

    test('with an empty input as well', async () => {
      expect(await run(launcher, commandOf('/bin/cat'), '')).toMatchObject({ output: '', code: 0 });
    });

    test('eight megabytes go in and come out again', async () => {
      const body = Buffer.alloc(8 << 20, 'abcdefg');
      expect((await run(launcher, commandOf('/bin/cat'), body)).output === body.toString('latin1')).toBe(true);
    });

    test('output and errors are apart', async () => {
      expect(await run(launcher, shell('echo out; echo err >&2'))).toMatchObject({ output: 'out\n', errors: 'err\n' });
    });

    test('writing to a program that does not read fails with EPIPE', async () => {
      const { program, ending } = await launch(launcher, shell('exec <&-; echo closed', { hasInput: true }));
      const { input } = program;
      const failure = new Promise((resolve) => input?.once('error', resolve));
      input?.write(Buffer.alloc(1 << 20));
      expect(await within('the error', failure)).toMatchObject({ code: 'EPIPE' });
      expect(await within('its end', ending)).toEqual({ code: 0, signal: undefined });
    });

    // A socket whose other end is closed with unread data gives ECONNRESET, perhaps.
    test('a program whose output is closed ends: with SIGPIPE, by launchers that have pipes', async () => {
      const { program, ending } = await launch(launcher, commandOf('/usr/bin/yes'));
      program.output.destroy();
      expect(await within('its end', ending)).toEqual(
        hasPipes ? { code: undefined, signal: 'SIGPIPE' } : expect.anything(),
      );
    });

    describe.each(written)('its $name', ({ name, redirection }) => {
      test.each([1, 65_535, 65_536, 65_537, 5_000_000])('%i octets arrive', async (size) => {
        const result = await run(launcher, shell(`head -c ${size} /dev/zero ${redirection}`));
        expect([result[name].length, result.code]).toEqual([size, 0]);
      });

      test('what is written arrives while the program runs', async () => {
        const script = `echo early ${redirection}; read line`;
        const { program, ending } = await launch(launcher, shell(script, { hasInput: true }));
        const [first] = await within('what is written', once(program[name], 'data'));
        expect(first).toBe('early\n');
        program.input?.end('\n');
        expect(await within('its end', ending)).toEqual({ code: 0, signal: undefined });
      });

      test('a program waits while nobody reads', async () => {
        const { program, ending, ...texts } = await launch(launcher, shell(`head -c 5000000 /dev/zero ${redirection}`));
        program[name].pause();
        let hasEnded = false;
        void ending.then(() => (hasEnded = true));
        await until('our side is full', () => program[name].readableLength >= program[name].readableHighWaterMark);
        expect(hasEnded).toBe(false);
        program[name].resume();
        const [text, { code }] = await within('its end', Promise.all([texts[name], ending]));
        expect([text.length, code]).toEqual([5_000_000, 0]);
      });

      test('what a program has written before its end waits for a reader', async () => {
        const script = `read line; head -c 50000 /dev/zero ${redirection}`;
        const { program, ending, ...texts } = await launch(launcher, shell(script, { hasInput: true }));
        program[name].pause();
        program.input?.end('\n');
        await within('its end', ending);
        expect(program[name].readableEnded).toBe(false);
        program[name].resume();
        expect((await within('its end', texts[name])).length).toBe(50_000);
      });

      test('it lasts until the last process that holds it has ended', async () => {
        const gate = join(folder, `${name}-gate`);
        const waiting = `until [ -e ${gate} ]; do sleep 0.01; done; echo last ${redirection}`;
        const script = `(${waiting}) & echo first ${redirection}; exit 7`;
        const { program, ending, ...texts } = await launch(launcher, shell(script));
        expect(await within('its end', ending)).toEqual({ code: 7, signal: undefined });
        expect([program[name].readableEnded, program.hasGroup()]).toEqual([false, true]);
        writeFileSync(gate, '');
        expect(await within('its end', texts[name])).toBe('first\nlast\n');
        await until('its group is empty', () => !program.hasGroup());
        rmSync(gate);
      });

      test('it may be closed before the program has ended, which then meets that', async () => {
        const script = `read line; head -c 5000000 /dev/zero ${redirection}`;
        const { program, ending } = await launch(launcher, shell(script, { hasInput: true }));
        program[name].destroy();
        await within('its close', once(program[name], 'close'));
        program.input?.end('\n');
        const { signal, code } = await within('the end of the program', ending);
        expect(signal ?? code).not.toBe(0);
      });
    });
  });

  describe('its end', () => {
    test.each([0, 1, 127, 255])('exit status %i is told', async (code) => {
      expect(await run(launcher, shell(`exit ${code}`))).toMatchObject({ code, signal: undefined });
    });

    test.each(['SIGTERM', 'SIGKILL', 'SIGABRT', 'SIGSEGV'])('%s is told', async (signal) => {
      const { code, signal: told } = await run(launcher, shell(`ulimit -c 0; kill -${signal.slice(3)} $$`));
      expect([code, told]).toEqual([undefined, signal]);
    });

    test('a signal reaches all of its group', async () => {
      const { program, output, ending } = await launch(launcher, shell('sleep 1000 & echo ready; sleep 1000; true'));
      await within('its output', new Promise((resolve) => program.output.once('data', resolve)));
      expect(program.hasGroup()).toBe(true);
      program.kill('SIGTERM');
      expect(await within('its end', ending)).toEqual({ code: undefined, signal: 'SIGTERM' });
      await within('the end of its output', output);
      await until('its group is empty', () => !program.hasGroup());
    });

    test('what it leaves behind can be ended after it', async () => {
      const { program, output, ending } = await launch(launcher, shell('sleep 1000 & exit 0'));
      await within('its end', ending);
      expect(program.hasGroup()).toBe(true);
      program.kill('SIGKILL');
      await within('the end of its output', output);
      await until('its group is empty', () => !program.hasGroup());
    });

    test('a signal after the end of all does nothing', async () => {
      const { program, ending } = await launch(launcher, commandOf('/bin/true'));
      await within('its end', ending);
      expect(program.hasGroup()).toBe(false);
      expect(() => program.kill('SIGKILL')).not.toThrow();
    });
  });

  describe('what cannot be started', () => {
    test.each([
      ['a file that is not there', 'ENOENT', () => commandOf(join(folder, 'missing'))],
      ['a file below a file', 'ENOTDIR', () => commandOf('/etc/passwd/x')],
      ['a file that is not executable', 'EACCES', () => commandOf(file('plain', '#!/bin/sh\n', 0o644))],
      ['a folder', 'EACCES', () => commandOf(folder)],
      ['a text without #!', 'ENOEXEC', () => commandOf(file('text', 'echo run by a shell\n'))],
      ['an empty file', 'ENOEXEC', () => commandOf(file('empty', ''))],
      ['a missing interpreter', 'ENOENT', () => commandOf(file('lost', '#!/missing/interpreter\n'))],
      ['a working directory that is not there', 'ENOENT', () => commandOf('/bin/true', [], { folder: '/missing' })],
      ['a file for a working directory', 'ENOTDIR', () => commandOf('/bin/true', [], { folder: '/etc/passwd' })],
      ['an argument beyond bounds', 'E2BIG', () => commandOf('/bin/true', ['x'.repeat(4 << 20)])],
      ['an environment beyond bounds', 'E2BIG', () => commandOf('/bin/true', [], { env: ['A', 'x'.repeat(4 << 20)] })],
      ['a NUL in the file', 'EINVAL', () => commandOf('/bin/true\0')],
      ['a NUL in an argument', 'EINVAL', () => commandOf('/bin/true', ['a\0b'])],
      ['a NUL in a variable', 'EINVAL', () => commandOf('/bin/true', [], { env: ['A', 'a\0B=b'] })],
      ['a NUL in the working directory', 'EINVAL', () => commandOf('/bin/true', [], { folder: '/\0' })],
      // Its lower eight bits are a slash.
      ['a character that is no octet', 'EINVAL', () => commandOf('/bin\u{12f}true')],
      ['a variable without a name', 'EINVAL', () => commandOf('/bin/true', [], { env: ['', 'x'] })],
      ['an equals sign in a name', 'EINVAL', () => commandOf('/bin/true', [], { env: ['LD_PRELOAD=x', 'y'] })],
    ])('%s is %s', async (_, code, command) => {
      expect(await failureOf(launcher, command())).toBe(code);
    });

    test('what is no program at all is refused, by launchers that can', async () => {
      const command = commandOf(file('garbage', Buffer.from([0x7f, 0, 1, 2, 3])));
      const failure = await failureOf(launcher, command);
      expect(failure).toBe(refusesGarbage ? 'ENOEXEC' : 'it was started');
    });

    test('is no hindrance to what comes after it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          index % 2 === 0
            ? failureOf(launcher, commandOf(join(folder, 'missing')))
            : run(launcher, shell(`echo ${index}`)).then(({ output }) => Number(output)),
        ),
      );
      expect(outcomes).toEqual(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'ENOENT' : index)));
    });
  });

  test('starts nothing after close, and what runs goes on', async () => {
    const closing = create();
    const { program, output, ending } = await launch(closing, commandOf('/bin/cat', [], { hasInput: true }));
    closing.close();
    expect(await failureOf(closing, commandOf('/bin/true'))).toBe('ECANCELED');
    program.input?.end('still here');
    expect(await within('its end', Promise.all([output, ending]))).toEqual([
      'still here',
      { code: 0, signal: undefined },
    ]);
  });
});
