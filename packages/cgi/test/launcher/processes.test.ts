// What needs a process of its own: its death, its descriptors, its idleness.

import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { HelperCommand } from '../../src/launcher/find-helper.js';
import type { Command } from '../../src/launcher/launcher.js';
import { commandOf, shell } from '../support/launches.js';
import { helpersOf, isAlive } from '../support/processes.js';
import { until, within } from '../support/within.js';
import { helpers } from './launchers.js';

const fixture = 'launching-process.mjs';
let compiled = '';

// Node 20 cannot run TypeScript, and the built package may be older than the sources.
beforeAll(async () => {
  compiled = mkdtempSync(join(tmpdir(), 'scgi-compiled-'));
  const source = fileURLToPath(new URL('../../src', import.meta.url));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const options = ['--ignoreConfig', '--noCheck', '--module', 'nodenext', '--target', 'es2023', '--rootDir', source];
  writeFileSync(join(compiled, 'package.json'), '{ "type": "module" }');
  const file = join(source, 'launcher/helper-launcher.ts');
  await promisify(execFile)(process.execPath, [compiler, ...options, '--outDir', join(compiled, 'dist'), file]);
  copyFileSync(new URL(fixture, import.meta.url), join(compiled, fixture));
}, 60_000);

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Settings {
  readonly helper: HelperCommand;
  readonly commands: readonly Command[];
  /** When all of them are started, or have failed to be. */
  readonly afterwards?: 'exit' | 'end inputs';
  /** Once all of them have ended. */
  readonly later?: readonly Command[];
}

interface Event {
  readonly event: 'start' | 'output' | 'failed' | 'exit' | 'answered' | 'fallback';
  readonly pid?: number;
  readonly text?: string;
  readonly code?: string | number;
}

interface Launching {
  readonly child: ChildProcess;
  readonly events: readonly Event[];
  readonly exit: Promise<unknown>;
}

/**
 * @param limit of open descriptors
 * @param inherited a descriptor that the process gets from 3 up to this place
 */
function start(
  settings: Settings,
  limit?: number,
  inherited?: { readonly at: number; readonly file: number },
): Launching {
  const script = [process.execPath, join(compiled, fixture), JSON.stringify(settings)];
  const [file = '', ...args] =
    limit === undefined ? script : ['/bin/sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...script];
  const more = inherited === undefined ? [] : Array.from({ length: inherited.at - 2 }, () => inherited.file);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit', ...more] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const events: Event[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => events.push(JSON.parse(line)));
  return { child, events, exit: once(child, 'close') };
}

function of(events: readonly Event[], event: Event['event']): readonly Event[] {
  return events.filter((entry) => entry.event === event);
}

function answered(events: readonly Event[]): Promise<void> {
  return until('all launches are answered', () => of(events, 'answered').length === 1, 30_000);
}

/** Ignores SIGTERM, as does the process that it starts and whose number it prints. */
const stubborn = shell("trap '' TERM; sleep 1000 & echo $!; wait");

describe.each(helpers)('a process that launches programs in $language', { timeout: 60_000 }, (helper) => {
  test('ends by itself when the programs have, and the helper with it', async () => {
    const gate = join(compiled, `gate-${helper.language}`);
    const { child, events, exit } = start({ helper, commands: [shell(`until [ -e ${gate} ]; do sleep 0.01; done`)] });
    await until('it is started', () => of(events, 'start').length === 1, 30_000);
    const [helperPid = 0] = helpersOf(child.pid ?? 0);
    expect(isAlive(helperPid)).toBe(true);
    writeFileSync(gate, '');
    expect(await within('its end', exit, 30_000)).toEqual([0, null]);
    expect(of(events, 'exit')).toEqual([{ event: 'exit', code: 0 }]);
    await until('the helper is gone', () => !isAlive(helperPid));
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('takes the programs along when it dies of %s', async (signal) => {
    const commands = [stubborn, commandOf('/bin/sleep', ['1000'])];
    const { child, events, exit } = start({ helper, commands });
    await answered(events);
    await until('the program has told its child', () => of(events, 'output').length === 1);
    const [helperPid = 0] = helpersOf(child.pid ?? 0);
    const grandchild = Number(of(events, 'output')[0]?.text);
    const pids = [helperPid, grandchild, ...of(events, 'start').map(({ pid = 0 }) => pid)];
    expect(pids.map(isAlive)).toEqual([true, true, true, true]);
    child.kill(signal);
    await within('its end', exit);
    await until('all are gone', () => !pids.some(isAlive));
  });

  test('takes them along at process.exit()', async () => {
    const { events, exit } = start({ helper, commands: [commandOf('/bin/sleep', ['1000'])], afterwards: 'exit' });
    expect(await within('its end', exit, 30_000)).toEqual([0, null]);
    const [program] = of(events, 'start');
    await until('the program is gone', () => !isAlive(program?.pid ?? 0));
  });

  test('leaves alone what a program that has ended has left behind', async () => {
    const { child, events, exit } = start({
      helper,
      commands: [shell('sleep 1000 > /dev/null 2>&1 & echo $!'), commandOf('/bin/sleep', ['1000'])],
    });
    await until('the first one has ended', () => of(events, 'exit').length === 1, 30_000);
    await until('its output is there', () => of(events, 'output').length === 1);
    const left = Number(of(events, 'output')[0]?.text);
    const [helperPid = 0] = helpersOf(child.pid ?? 0);
    child.kill('SIGKILL');
    await within('its end', exit);
    await until('the helper is gone', () => !isAlive(helperPid));
    expect(isAlive(left)).toBe(true);
    process.kill(left);
  });

  test('passes on none of its descriptors, nor those that it was given itself', async () => {
    const file = openSync('/etc/passwd', 'r');
    const { events, exit } = start({ helper, commands: [commandOf('/bin/ls', ['/proc/self/fd'])] }, undefined, {
      at: 40,
      file,
    });
    await within('its end', exit, 30_000);
    closeSync(file);
    // The fourth is the folder that is listed.
    expect(of(events, 'output').map(({ text }) => text)).toEqual(['0\n1\n2\n3\n']);
  });

  test('that is out of descriptors hears of EMFILE, and goes on when some are free', async () => {
    const { events, exit } = start(
      {
        helper,
        commands: Array.from({ length: 40 }, () => commandOf('/bin/cat', [], { hasInput: true })),
        afterwards: 'end inputs',
        later: [commandOf('/bin/echo', ['again'])],
      },
      64,
    );
    expect(await within('its end', exit, 30_000)).toEqual([0, null]);
    const failures = of(events, 'failed');
    expect(failures.length).toBeGreaterThan(0);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['EMFILE']));
    const { length: started } = of(events, 'start');
    expect([started + failures.length, of(events, 'exit').length]).toEqual([41, started]);
    expect(of(events, 'output')).toEqual([{ event: 'output', text: 'again\n' }]);
    expect(of(events, 'fallback')).toEqual([]);
  });
});
