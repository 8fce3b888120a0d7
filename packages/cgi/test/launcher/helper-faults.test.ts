// What happens when a helper dies, is silent, or cannot be had.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { HelperCommand } from '../../src/launcher/find-helper.js';
import { HelperLauncher } from '../../src/launcher/helper-launcher.js';
import type { Command, Launcher } from '../../src/launcher/launcher.js';
import { commandOf, failureOf, launch, run, shell } from '../support/launches.js';
import { writePrograms } from '../support/programs.js';
import { childrenOf, helpersOf, isAlive } from '../support/processes.js';
import { until, within } from '../support/within.js';
import { helpers } from './launchers.js';

/** Stands in for the launcher that helps out, and notes what it is asked for. */
class Fallback implements Launcher {
  readonly commands: Command[] = [];
  launch(command: Command, handler: Parameters<Launcher['launch']>[1]): void {
    this.commands.push(command);
    handler.onStartFailed(Object.assign(new Error('asked the fallback'), { code: 'FALLBACK' }));
  }
  close(): void {}
}

describe.each(helpers)('the helper in $language', (command) => {
  const launchers: Launcher[] = [];
  afterEach(() => {
    vi.useRealTimers();
    launchers.splice(0).forEach((launcher) => launcher.close());
  });

  function create(helper: HelperCommand = command): { launcher: Launcher; fallback: Fallback } {
    const fallback = new Fallback();
    const launcher = new HelperLauncher(helper, fallback);
    launchers.push(launcher);
    return { launcher, fallback };
  }

  /** The process of the only launcher that there is in this test. */
  async function findHelper(launcher: Launcher): Promise<number> {
    await run(launcher, commandOf('/bin/true'));
    // Those of tests before may be just ending.
    await until('there is one helper', () => helpersOf('self').length === 1);
    return helpersOf('self')[0] ?? 0;
  }

  test('is not started before there is something to do', async () => {
    await until('the helpers of other tests are gone', () => helpersOf('self').length === 0);
    const { launcher } = create();
    expect(helpersOf('self')).toEqual([]);
    await run(launcher, commandOf('/bin/true'));
    expect(helpersOf('self')).toHaveLength(1);
  });

  test('ends after close, once the last program has', async () => {
    const { launcher } = create();
    const helper = await findHelper(launcher);
    const { program, ending } = await launch(launcher, commandOf('/bin/cat', [], { hasInput: true }));
    launcher.close();
    expect(isAlive(helper)).toBe(true);
    program.input?.end();
    await within('its end', ending);
    await until('the helper has ended', () => !isAlive(helper));
  });

  test('may be killed: programs live on, with their streams, and nobody knows how they end', async () => {
    const { launcher, fallback } = create();
    const helper = await findHelper(launcher);
    const { program, output, ending } = await launch(launcher, commandOf('/bin/cat', [], { hasInput: true }));
    process.kill(helper, 'SIGKILL');
    expect(await within('the news', ending)).toEqual({ code: undefined, signal: undefined });
    expect(program.hasGroup()).toBe(true);
    program.input?.end('after its death');
    expect(await within('the output', output)).toBe('after its death');
    await until('the program has ended', () => !isAlive(program.pid));
    expect(fallback.commands).toEqual([]);
  });

  test('may be killed: programs can still be ended', async () => {
    const { launcher } = create();
    const helper = await findHelper(launcher);
    const { program, output, ending } = await launch(launcher, shell('sleep 1000'));
    process.kill(helper, 'SIGKILL');
    await within('the news', ending);
    program.kill('SIGKILL');
    await within('the end of its output', output);
    await until('it has ended', () => !isAlive(program.pid));
  });

  test('may be killed with orders before it: those that it has got fail, the others go to the next one', async () => {
    const { launcher, fallback } = create();
    const helper = await findHelper(launcher);
    process.kill(helper, 'SIGSTOP');
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      run(launcher, commandOf('/bin/echo', [`${index}`])).then(
        ({ output }) => output,
        (error: NodeJS.ErrnoException) => error.code,
      ),
    );
    process.kill(helper, 'SIGKILL');
    const settled = await within('all outcomes', Promise.all(outcomes));
    const failures = settled.filter((outcome) => outcome === 'EPIPE');
    // It had 64 pipes ready, and a program without input takes two.
    expect(failures).toHaveLength(32);
    expect(settled.slice(32)).toEqual(Array.from({ length: 68 }, (_, index) => `${index + 32}\n`));
    expect(fallback.commands).toEqual([]);
  });

  test('may die five times in a minute, then another launcher does the work', async () => {
    const { launcher, fallback } = create();
    for (let death = 0; death < 5; death++) {
      const helper = await findHelper(launcher);
      process.kill(helper, 'SIGKILL');
      await until('it is gone', () => !isAlive(helper));
    }
    expect(await failureOf(launcher, commandOf('/bin/true'))).toBe('FALLBACK');
    expect(fallback.commands.map(({ file }) => file)).toEqual(['/bin/true']);
  });

  test('that was never ready is tried again after a minute', async () => {
    const { path, countStarts } = writeDummy('exit 0');
    vi.useFakeTimers({ toFake: ['performance'] });
    const { launcher } = create({ file: path, args: [] });
    for (const starts of [1, 1, 2]) {
      expect(await failureOf(launcher, commandOf('/bin/true'))).toBe('FALLBACK');
      expect(countStarts()).toBe(starts);
      vi.advanceTimersByTime(30_001);
    }
  });

  test.each(['/bin/false', '/missing/perl', '/etc/passwd', '/bin/true'])(
    'that is really %s is no hindrance: another launcher does the work',
    async (path) => {
      const { launcher, fallback } = create({ file: path, args: [] });
      const codes = await Promise.all(Array.from({ length: 10 }, () => failureOf(launcher, commandOf('/bin/true'))));
      expect(codes).toEqual(Array.from({ length: 10 }, () => 'FALLBACK'));
      expect(fallback.commands).toHaveLength(10);
    },
  );

  test('that owes answers is killed once it has been silent for 20 seconds', async () => {
    const { path, countStarts } = writeDummy('exec sleep 1000');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { launcher, fallback } = create({ file: path, args: [] });
    launcher.launch(commandOf('/bin/true'), { onStart: fail, onStartFailed: () => {}, onExit: fail });
    await until('it has been started', () => countStarts() === 1);
    const [helper = 0] = childrenOf('self');
    vi.advanceTimersByTime(19_999);
    expect(isAlive(helper)).toBe(true);
    vi.advanceTimersByTime(1);
    await until('it is gone', () => !isAlive(helper));
    await until('the fallback is asked', () => fallback.commands.length === 1);
  });
});

/** A program in place of Perl: what it does after it has noted that it was started. */
function writeDummy(script: string): { readonly path: string; countStarts(): number } {
  const folder = writePrograms({});
  const path = join(folder, 'dummy');
  const notes = join(folder, 'starts');
  writeFileSync(notes, '');
  writeFileSync(path, `#!/bin/sh\necho >> ${notes}\n${script}\n`, { mode: 0o755 });
  return { path, countStarts: () => readFileSync(notes).length };
}

function fail(): void {
  throw new Error('a program was started');
}
