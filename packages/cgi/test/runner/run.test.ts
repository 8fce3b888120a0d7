// One run in every order in which start, output, end of output, exit, deadlines and the client's leaving can come.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Slots } from '@scgi/client/exchange';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunSettings } from '../../src/runner/run-settings.js';
import type { RunOrder } from '../../src/runner/run.js';
import { ProgramRun } from '../../src/runner/run.js';
import type { RunHandler } from '../../src/runner/runner.js';
import { FakeLauncher } from '../support/fake-launcher.js';

// Turns of the event loop stay real: streams live on them.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

interface Staged {
  readonly run: ProgramRun;
  readonly launcher: FakeLauncher;
  readonly slots: Slots;
  /** What the handler has heard. */
  readonly heard: string[];
  /** What was logged. */
  readonly logged: string[];
  /** What `onBody` returns. */
  takes: boolean;
}

interface Given extends Partial<RunSettings> {
  readonly order?: Partial<RunOrder>;
  readonly hasInput?: boolean;
  readonly onError?: () => void;
}

function stage(given: Given = {}): Staged {
  const { order, hasInput = false, onError, ...settings } = given;
  const launcher = new FakeLauncher();
  const slots = new Slots({ maxConcurrent: 1, maxQueued: 1, queueTimeout: 0 });
  const heard: string[] = [];
  const logged: string[] = [];
  const staged = { launcher, slots, heard, logged, takes: true };
  const handler: RunHandler = {
    onInput: (input) => heard.push(`input ${input !== undefined}`),
    onHead: (head) => heard.push(`head ${head.status}`),
    onBody: (data) => {
      heard.push(`body ${Buffer.from(data).toString()}`);
      return staged.takes;
    },
    onEnd: () => heard.push('end'),
    onError: (error) => {
      heard.push(error.code);
      onError?.();
    },
  };
  const run = new ProgramRun(
    {
      timeout: 1000,
      runTimeout: 0,
      lingerTimeout: 500,
      killTimeout: 300,
      maxHeadBytes: 1000,
      maxLineBytes: 500,
      maxErrorBytes: 1000,
      slots,
      launcher,
      onErrorOutput: (line, name) => logged.push(`${name}: ${line}`),
      ...settings,
    },
    {
      command: { file: '/no/such/program', args: [], env: [], folder: '/', hasInput },
      file: '/no/such/program',
      method: 'GET',
      isNph: false,
      holdsAnswer: false,
      name: '/cgi/a',
      ...order,
    },
    handler,
  );
  return Object.assign(staged, { run });
}

/** Time for streams to deliver. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

/** That everything is over: the place given back, once, and nothing that waits. */
async function expectAllOver({ launcher, slots }: Staged): Promise<void> {
  await settle();
  expect([slots.taken, slots.queued]).toEqual([0, 0]);
  vi.advanceTimersByTime(10_000);
  await settle();
  expect(vi.getTimerCount()).toBe(0);
  expect([slots.taken, slots.queued]).toEqual([0, 0]);
  for (const { output, errors, input } of launcher.programs) {
    expect([output.closed, errors.closed, input?.closed ?? true]).toEqual([true, true, true]);
  }
}

const whole = ['input false', 'head 200', 'body hello', 'end'];

describe('an answer is whole', () => {
  test('when the output has ended and then the program', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors, signals } = staged.launcher.program();
    output.end('A: b\n\nhello');
    errors.end();
    await settle();
    expect(staged.heard).toEqual(['input false', 'head 200', 'body hello']);
    staged.launcher.exit();
    expect(staged.heard).toEqual(whole);
    expect(signals).toEqual([]);
    // Nothing waits for anything any more.
    expect(vi.getTimerCount()).toBe(0);
    await expectAllOver(staged);
  });

  test('when the program has ended and then the output', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors, signals } = staged.launcher.program();
    output.write('A: b\n\nhello');
    await settle();
    staged.launcher.exit();
    expect(staged.slots.taken).toBe(1);
    output.end();
    errors.end();
    await settle();
    expect(staged.heard).toEqual(whole);
    expect(signals).toEqual([]);
    await expectAllOver(staged);
  });

  test('soon after the end of the output of a program that lives on; that one has lingerTimeout, then killTimeout', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors, signals } = staged.launcher.program();
    output.end('A: b\n\nhello');
    await settle();
    vi.advanceTimersByTime(100);
    expect(staged.heard).toEqual(whole);
    expect([staged.slots.taken, signals]).toEqual([1, []]);
    vi.advanceTimersByTime(499);
    expect(signals).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(signals).toEqual(['SIGTERM']);
    vi.advanceTimersByTime(300);
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
    errors.end();
    staged.launcher.program().groupLives = false;
    staged.launcher.exit(0, undefined, 'SIGKILL');
    expect(staged.heard).toEqual(whole);
    await expectAllOver(staged);
  });

  test('at its Content-Length, whatever is printed behind', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors } = staged.launcher.program();
    output.write('Content-Length: 5\n\nhello');
    await settle();
    expect(staged.heard).toEqual(whole);
    for (let written = 0; written < 50; written += 1) {
      output.write('x'.repeat(100_000));
      await settle();
      expect(output.readableLength).toBe(0);
    }
    errors.end();
    staged.launcher.exit();
    // A child of the program still prints: nobody reads that.
    await settle();
    expect(output.destroyed).toBe(true);
    expect(staged.heard).toEqual(whole);
    await expectAllOver(staged);
  });

  test('even if the program then dies by a signal, once it was whole', async () => {
    const staged = stage();
    staged.run.start();
    staged.launcher.program().output.write('Content-Length: 5\n\nhello');
    await settle();
    staged.launcher.exit(0, undefined, 'SIGSEGV');
    await settle();
    expect(staged.heard).toEqual(whole);
    await expectAllOver(staged);
  });

  test('when a child has printed the rest after the end of the program', async () => {
    const staged = stage();
    staged.run.start();
    const { output } = staged.launcher.program();
    output.write('A: b\n\nhel');
    await settle();
    staged.launcher.exit();
    await settle();
    expect(staged.slots.taken).toBe(1);
    output.end('lo');
    await settle();
    expect(staged.heard).toEqual(['input false', 'head 200', 'body hel', 'body lo', 'end']);
    await expectAllOver(staged);
  });
});

describe('a program that dies by a signal', () => {
  test.each([
    ['before the output has ended', ['exit', 'end']],
    ['after it', ['end', 'exit']],
  ])('%s fails, whatever it has printed', async (_, order) => {
    const staged = stage();
    staged.run.start();
    const { output } = staged.launcher.program();
    output.write('A: b\n\nhello');
    await settle();
    for (const step of order) {
      if (step === 'exit') staged.launcher.exit(0, undefined, 'SIGSEGV');
      else output.end();
      await settle();
    }
    expect(staged.heard).toEqual(['input false', 'head 200', 'body hello', 'ERR_SCGI_PROGRAM_DIED']);
    await expectAllOver(staged);
  });

  test('leaves nothing behind in its group', async () => {
    const staged = stage();
    staged.run.start();
    const program = staged.launcher.program();
    staged.launcher.exit(0, undefined, 'SIGSEGV');
    program.output.end();
    await settle();
    expect(program.signals).toEqual(['SIGTERM']);
    await expectAllOver(staged);
    expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });
});

describe('a program that prints no answer', () => {
  test.each([
    ['nothing', '', 'ERR_SCGI_RESPONSE_EMPTY'],
    ['half a head', 'A: b\n', 'ERR_SCGI_RESPONSE_HEAD'],
    ['too little', 'Content-Length: 9\n\nhello', 'ERR_SCGI_RESPONSE_TRUNCATED'],
  ])('but %s fails at its end', async (_, text, code) => {
    const staged = stage();
    staged.run.start();
    staged.launcher.program().output.end(text);
    staged.launcher.program().groupLives = false;
    staged.launcher.exit();
    await settle();
    expect(staged.heard.at(-1)).toBe(code);
    expect(staged.launcher.program().signals).toEqual([]);
    await expectAllOver(staged);
  });

  test('but garbage is ended at once, and has its place until then', async () => {
    const staged = stage();
    staged.run.start();
    const program = staged.launcher.program();
    program.output.write('garbage\n\n');
    await settle();
    expect(staged.heard).toEqual(['input false', 'ERR_SCGI_RESPONSE_HEAD']);
    expect([program.signals, program.output.destroyed, staged.slots.taken]).toEqual([['SIGTERM'], true, 1]);
    program.groupLives = false;
    staged.launcher.exit(0, undefined, 'SIGTERM');
    expect(staged.heard).toHaveLength(2);
    await expectAllOver(staged);
    expect(program.signals).toEqual(['SIGTERM']);
  });
});

describe('whoever hears of a failure may throw', () => {
  const onError = (): void => {
    throw new Error('a fault of the user');
  };

  test('and the program is ended all the same', async () => {
    const staged = stage({ onError });
    staged.run.start();
    expect(() => vi.advanceTimersByTime(1000)).toThrow('a fault of the user');
    expect(staged.launcher.program().signals).toEqual(['SIGTERM']);
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
  });

  test('and a program that could not be started leaves its place', async () => {
    const launcher = new FakeLauncher(false);
    const staged = { ...stage({ launcher, onError }), launcher };
    staged.run.start();
    const cause = Object.assign(new Error('x'), { code: 'EAGAIN' });
    expect(() => launcher.launched[0]?.handler.onStartFailed(cause)).toThrow('a fault of the user');
    await expectAllOver(staged);
  });

  test('and a program that has died leaves its place', async () => {
    const staged = stage({ onError });
    staged.run.start();
    staged.launcher.program().output.end('A: b\n\n');
    await settle();
    expect(() => staged.launcher.exit(0, undefined, 'SIGSEGV')).toThrow('a fault of the user');
    await expectAllOver(staged);
  });
});

describe('a program that is silent', () => {
  test.each([
    ['before its head', ''],
    ['inside its head', 'A: b\n'],
    ['inside its body', 'A: b\n\nhello'],
  ])('%s fails after timeout', async (_, text) => {
    const staged = stage();
    staged.run.start();
    const program = staged.launcher.program();
    if (text !== '') program.output.write(text);
    await settle();
    vi.advanceTimersByTime(999);
    expect(program.signals).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(staged.heard.at(-1)).toBe('ERR_SCGI_PROGRAM_TIMEOUT');
    expect([program.signals, staged.slots.taken]).toEqual([['SIGTERM'], 1]);
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
  });

  test('and has ended, while a child holds its output, fails too', async () => {
    const staged = stage();
    staged.run.start();
    const program = staged.launcher.program();
    staged.launcher.exit();
    vi.advanceTimersByTime(1000);
    expect(staged.heard).toEqual(['input false', 'ERR_SCGI_PROGRAM_TIMEOUT']);
    expect(program.signals).toEqual(['SIGTERM']);
    await expectAllOver(staged);
  });

  test('is not while it gets its input', async () => {
    const staged = stage({ hasInput: true });
    staged.run.start();
    for (let moved = 0; moved < 5; moved += 1) {
      vi.advanceTimersByTime(900);
      staged.run.noteInput();
    }
    expect(staged.heard).toEqual(['input true']);
    vi.advanceTimersByTime(1000);
    expect(staged.heard).toEqual(['input true', 'ERR_SCGI_PROGRAM_TIMEOUT']);
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
  });
});

test('runTimeout ends a program that prints and prints', async () => {
  const staged = stage({ runTimeout: 2500 });
  staged.run.start();
  const { output, signals } = staged.launcher.program();
  output.write('A: b\n\n');
  for (let moved = 0; moved < 4; moved += 1) {
    output.write('x');
    await settle();
    vi.advanceTimersByTime(600);
  }
  expect(staged.heard).not.toContain('ERR_SCGI_PROGRAM_TIMEOUT');
  vi.advanceTimersByTime(100);
  expect(staged.heard.at(-1)).toBe('ERR_SCGI_PROGRAM_TIMEOUT');
  expect(signals).toEqual(['SIGTERM']);
  staged.launcher.exit(0, undefined, 'SIGTERM');
  await expectAllOver(staged);
});

describe('a reader that asks for a pause', () => {
  test('gets no more until it goes on, and the program is not to blame', async () => {
    const staged = stage();
    staged.run.start();
    const { output } = staged.launcher.program();
    staged.takes = false;
    output.write('A: b\n\none');
    await settle();
    output.write('two');
    await settle();
    expect(staged.heard).toEqual(['input false', 'head 200', 'body one']);
    vi.advanceTimersByTime(100_000);
    expect(staged.heard).toHaveLength(3);
    staged.takes = true;
    staged.run.resume();
    await settle();
    expect(staged.heard.slice(3)).toEqual(['body two']);
    output.end();
    staged.launcher.exit();
    await settle();
    expect(staged.heard.at(-1)).toBe('end');
    await expectAllOver(staged);
  });

  test('gets the rest of a program that has ended meanwhile, whose place goes to the next when it is read', async () => {
    const staged = stage();
    staged.run.start();
    const { output } = staged.launcher.program();
    staged.takes = false;
    output.write('A: b\n\none');
    await settle();
    output.end('two');
    staged.launcher.exit();
    await settle();
    expect(staged.slots.taken).toBe(1);
    staged.takes = true;
    staged.run.resume();
    await settle();
    expect(staged.heard.slice(-2)).toEqual(['body two', 'end']);
    await expectAllOver(staged);
  });
});

describe('who leaves', () => {
  test('before the start: nothing is started', async () => {
    const staged = stage();
    staged.run.destroy();
    expect(staged.launcher.launched).toEqual([]);
    await expectAllOver(staged);
  });

  test('the queue: nothing is started, and the place there is free', async () => {
    const first = stage();
    first.run.start();
    const second = stage({ slots: first.slots, launcher: first.launcher });
    second.run.start();
    expect([first.slots.taken, first.slots.queued]).toEqual([1, 1]);
    second.run.destroy();
    expect(first.slots.queued).toBe(0);
    first.launcher.program().output.end('A: b\n\n');
    first.launcher.exit();
    await expectAllOver(first);
    expect(first.launcher.launched).toHaveLength(1);
    expect(second.heard).toEqual([]);
  });

  test('while the program is being started: it is ended when it runs', async () => {
    const launcher = new FakeLauncher(false);
    const staged = { ...stage({ launcher }), launcher };
    staged.run.start();
    staged.run.destroy();
    expect(staged.slots.taken).toBe(1);
    const { signals } = launcher.start();
    expect(signals).toEqual(['SIGTERM']);
    expect(staged.heard).toEqual([]);
    launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
    expect(staged.heard).toEqual([]);
  });

  test('while the program is being started, which then fails', async () => {
    const launcher = new FakeLauncher(false);
    const staged = { ...stage({ launcher }), launcher };
    staged.run.start();
    staged.run.destroy();
    launcher.launched[0]?.handler.onStartFailed(Object.assign(new Error('x'), { code: 'ENOENT' }));
    expect(staged.heard).toEqual([]);
    await expectAllOver(staged);
  });

  test.each([
    ['before the head', ''],
    ['inside the head', 'A: b\n'],
    ['inside the body', 'A: b\n\nhello'],
  ])('%s: the program is ended, and nobody hears of it', async (_, text) => {
    const staged = stage({ hasInput: true });
    staged.run.start();
    const program = staged.launcher.program();
    if (text !== '') program.output.write(text);
    await settle();
    const heard = [...staged.heard];
    staged.run.destroy();
    staged.run.destroy();
    expect([program.signals, program.output.destroyed, program.input?.destroyed]).toEqual([['SIGTERM'], true, true]);
    expect(staged.slots.taken).toBe(1);
    vi.advanceTimersByTime(300);
    expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
    program.groupLives = false;
    staged.launcher.exit(0, undefined, 'SIGKILL');
    await expectAllOver(staged);
    expect(staged.heard).toEqual(heard);
  });

  test('while a child has the output of a program that has ended', async () => {
    const staged = stage();
    staged.run.start();
    staged.launcher.exit();
    staged.run.destroy();
    expect(staged.launcher.program().signals).toEqual(['SIGTERM']);
    await expectAllOver(staged);
    expect(staged.heard).toEqual(['input false']);
  });

  test('between the end of the output and that of the program', async () => {
    const staged = stage();
    staged.run.start();
    staged.launcher.program().output.end('A: b\n\nhello');
    await settle();
    staged.run.destroy();
    expect(staged.launcher.program().signals).toEqual(['SIGTERM']);
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
    expect(staged.heard).toEqual(['input false', 'head 200', 'body hello']);
  });

  test('when all is said: the program is let be', async () => {
    const staged = stage();
    staged.run.start();
    staged.launcher.program().output.end('A: b\n\nhello');
    await settle();
    vi.advanceTimersByTime(100);
    staged.run.destroy();
    expect([staged.heard, staged.launcher.program().signals]).toEqual([whole, []]);
    staged.launcher.exit();
    await expectAllOver(staged);
  });

  test('while it asks for a pause', async () => {
    const staged = stage();
    staged.run.start();
    const { output } = staged.launcher.program();
    staged.takes = false;
    output.write('A: b\n\none');
    await settle();
    staged.run.destroy();
    staged.run.resume();
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
  });
});

describe('a program that cannot be started', () => {
  test.each([
    ['EAGAIN', 'ERR_SCGI_BACKEND_BUSY'],
    ['ENOMEM', 'ERR_SCGI_BACKEND_BUSY'],
    ['EMFILE', 'ERR_SCGI_BACKEND_BUSY'],
    ['ENFILE', 'ERR_SCGI_BACKEND_BUSY'],
    ['EACCES', 'ERR_SCGI_PROGRAM_FORBIDDEN'],
    ['EPERM', 'ERR_SCGI_PROGRAM_FORBIDDEN'],
    ['ENOENT', 'ERR_SCGI_PROGRAM_NOT_FOUND'],
  ])('for %s fails with %s, and leaves its place to the next', async (code, expected) => {
    const launcher = new FakeLauncher(false);
    const staged = { ...stage({ launcher }), launcher };
    staged.run.start();
    launcher.launched[0]?.handler.onStartFailed(Object.assign(new Error(code), { code }));
    expect(staged.heard).toEqual([expected]);
    await expectAllOver(staged);
  });
});

describe('the queue', () => {
  test('is full: the run fails at once', () => {
    const first = stage();
    const shared = { slots: first.slots, launcher: first.launcher };
    first.run.start();
    stage(shared).run.start();
    const third = stage(shared);
    third.run.start();
    expect(third.heard).toEqual(['ERR_SCGI_BACKEND_BUSY']);
    expect(first.launcher.launched).toHaveLength(1);
  });

  test('moves up when a program has ended, not when its answer is whole', async () => {
    const first = stage();
    first.run.start();
    const second = stage({ slots: first.slots, launcher: first.launcher });
    second.run.start();
    first.launcher.program().output.write('Content-Length: 0\n\n');
    await settle();
    expect(first.heard.at(-1)).toBe('end');
    expect(first.launcher.launched).toHaveLength(1);
    first.launcher.exit();
    expect(first.launcher.launched).toHaveLength(2);
    first.launcher.program(1).output.end('A: b\n\nhello');
    first.launcher.exit(1);
    await settle();
    expect(second.heard).toEqual(whole);
    await expectAllOver(first);
  });

  test('is closed: who waits fails, and who comes later', () => {
    const first = stage();
    const shared = { slots: first.slots, launcher: first.launcher };
    first.run.start();
    const second = stage(shared);
    second.run.start();
    first.slots.close();
    expect(second.heard).toEqual(['ERR_SCGI_SERVER_CLOSING']);
    const third = stage(shared);
    third.run.start();
    expect(third.heard).toEqual(['ERR_SCGI_SERVER_CLOSING']);
    expect(first.launcher.launched).toHaveLength(1);
    first.run.destroy();
  });
});

describe('standard error', () => {
  test('is logged in lines under the name of the program', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors } = staged.launcher.program();
    errors.write('one\ntw');
    await settle();
    expect(staged.logged).toEqual(['/cgi/a: one']);
    errors.end('o');
    output.end('A: b\n\n');
    staged.launcher.exit();
    await expectAllOver(staged);
    expect(staged.logged).toEqual(['/cgi/a: one', '/cgi/a: two']);
  });

  test('is read on when the answer is whole, and for a while when the program has ended', async () => {
    const staged = stage();
    staged.run.start();
    const { output, errors } = staged.launcher.program();
    output.end('A: b\n\n');
    await settle();
    staged.launcher.exit();
    expect(staged.slots.taken).toBe(0);
    errors.write('late\n');
    await settle();
    expect(staged.logged).toEqual(['/cgi/a: late']);
    vi.advanceTimersByTime(999);
    expect(errors.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(errors.destroyed).toBe(true);
    await expectAllOver(staged);
  });

  test('is read while nobody reads the answer', async () => {
    const staged = stage({ maxErrorBytes: 10 });
    staged.run.start();
    const { output, errors } = staged.launcher.program();
    staged.takes = false;
    output.write('A: b\n\none');
    for (let written = 0; written < 50; written += 1) {
      errors.write('x'.repeat(100_000));
      await settle();
      expect(errors.readableLength).toBe(0);
    }
    staged.run.destroy();
    errors.end();
    staged.launcher.exit(0, undefined, 'SIGTERM');
    await expectAllOver(staged);
    expect(staged.logged).toEqual(['/cgi/a: xxxxxxxxxx', '/cgi/a: … 4999990 more bytes (maxErrorBytes)']);
  });
});

describe('input', () => {
  test('that the program does not read breaks nothing', async () => {
    const staged = stage({ hasInput: true });
    staged.run.start();
    const { input, output } = staged.launcher.program();
    input?.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    output.end('A: b\n\nhello');
    staged.launcher.exit();
    await settle();
    expect(staged.heard).toEqual(['input true', 'head 200', 'body hello', 'end']);
    await expectAllOver(staged);
  });

  test('is closed with the end of the program, whoever else holds its other end', async () => {
    const staged = stage({ hasInput: true });
    staged.run.start();
    const { input, output } = staged.launcher.program();
    input?.write('x');
    output.end('A: b\n\nhello');
    await settle();
    staged.launcher.exit();
    expect(input?.destroyed).toBe(true);
    await expectAllOver(staged);
  });
});

describe('an NPH program', () => {
  const order = { isNph: true };

  test('answers in HTTP', async () => {
    const staged = stage({ order });
    staged.run.start();
    staged.launcher.program().output.end('HTTP/1.0 200 OK\r\n\r\nhello');
    await settle();
    staged.launcher.exit();
    await settle();
    expect(staged.heard).toEqual(whole);
    await expectAllOver(staged);
  });

  test('that dies by a signal fails', async () => {
    const staged = stage({ order });
    staged.run.start();
    staged.launcher.program().output.end('HTTP/1.0 200 OK\r\n\r\nhello');
    await settle();
    staged.launcher.exit(0, undefined, 'SIGSEGV');
    await settle();
    expect(staged.heard.at(-1)).toBe('ERR_SCGI_PROGRAM_DIED');
    await expectAllOver(staged);
  });

  test('that prints nothing fails', async () => {
    const staged = stage({ order });
    staged.run.start();
    staged.launcher.program().output.end();
    staged.launcher.exit();
    await settle();
    expect(staged.heard).toEqual(['input false', 'ERR_SCGI_RESPONSE_EMPTY']);
    await expectAllOver(staged);
  });

  test.each(['', 'HTTP/1.0 200', 'HTTP/1.0 200 OK\r\n\r\nhello'])(
    'that hangs behind %j fails after timeout',
    async (text) => {
      const staged = stage({ order });
      staged.run.start();
      if (text !== '') staged.launcher.program().output.write(text);
      await settle();
      vi.advanceTimersByTime(1000);
      await settle();
      expect(staged.heard.at(-1)).toBe('ERR_SCGI_PROGRAM_TIMEOUT');
      expect(staged.launcher.program().signals).toEqual(['SIGTERM']);
      staged.launcher.exit(0, undefined, 'SIGTERM');
      await expectAllOver(staged);
    },
  );

  test('that the reader holds back has no deadline, and nothing of it piles up here', async () => {
    const staged = stage({ order });
    staged.run.start();
    const { output } = staged.launcher.program();
    staged.takes = false;
    output.write('HTTP/1.0 200 OK\r\n\r\none');
    await settle();
    for (let written = 0; written < 20; written += 1) {
      output.write('x'.repeat(100_000));
      await settle();
    }
    expect(output.readableLength + output.writableLength).toBeGreaterThan(1_000_000);
    vi.advanceTimersByTime(100_000);
    expect(staged.heard.slice(0, 3)).toEqual(['input false', 'head 200', 'body one']);
    staged.takes = true;
    staged.run.resume();
    output.end();
    staged.launcher.exit();
    await settle();
    expect(staged.heard.at(-1)).toBe('end');
    await expectAllOver(staged);
  });
});
