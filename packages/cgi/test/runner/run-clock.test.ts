// The deadlines of one run.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunDeadlines } from '../../src/runner/run-clock.js';
import { RunClock } from '../../src/runner/run-clock.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(deadlines: Partial<RunDeadlines>): { clock: RunClock; over: string[]; after: (ms: number) => string[] } {
  const over: string[] = [];
  const clock = new RunClock({ timeout: 0, runTimeout: 0, lingerTimeout: 0, ...deadlines }, (option) =>
    over.push(option),
  );
  const after = (ms: number): string[] => {
    vi.advanceTimersByTime(ms);
    return over;
  };
  return { clock, over, after };
}

describe('timeout', () => {
  test('passes when nothing moves', () => {
    const { clock, after } = setUp({ timeout: 100 });
    clock.start();
    expect(after(99)).toEqual([]);
    expect(after(1)).toEqual(['timeout']);
    expect(after(10_000)).toEqual(['timeout']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts from the byte that moved last', () => {
    const { clock, after } = setUp({ timeout: 100 });
    clock.start();
    after(99);
    clock.restart();
    expect(after(99)).toEqual([]);
    expect(after(1)).toEqual(['timeout']);
  });

  test('never passes while bytes move', () => {
    const { clock, after } = setUp({ timeout: 100 });
    clock.start();
    for (let moved = 0; moved < 50; moved += 1) {
      expect(after(60)).toEqual([]);
      clock.restart();
    }
    expect(after(100)).toEqual(['timeout']);
  });

  test('does not count while it is the client that is waited for', () => {
    const { clock, after } = setUp({ timeout: 100 });
    clock.start();
    after(50);
    clock.pause();
    expect(after(5000)).toEqual([]);
    clock.resume();
    expect(after(99)).toEqual([]);
    expect(after(1)).toEqual(['timeout']);
  });

  test('of 0 is none', () => {
    const { clock, after } = setUp({ timeout: 0 });
    clock.start();
    expect(vi.getTimerCount()).toBe(0);
    expect(after(1_000_000)).toEqual([]);
  });
});

describe('runTimeout', () => {
  test('passes whatever moves, and whoever is waited for', () => {
    const { clock, after } = setUp({ timeout: 100, runTimeout: 250 });
    clock.start();
    after(90);
    clock.restart();
    after(90);
    clock.pause();
    expect(after(69)).toEqual([]);
    expect(after(1)).toEqual(['runTimeout']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts from the start, the shorter of both first', () => {
    const { clock, after } = setUp({ timeout: 100, runTimeout: 60 });
    clock.start();
    expect(after(60)).toEqual(['runTimeout']);
  });
});

describe('lingerTimeout', () => {
  test('is all that counts once the answer is whole', () => {
    const { clock, after } = setUp({ timeout: 10, runTimeout: 20, lingerTimeout: 100 });
    clock.start();
    clock.linger();
    expect(after(99)).toEqual([]);
    expect(after(1)).toEqual(['lingerTimeout']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('of 0 is none', () => {
    const { clock } = setUp({ timeout: 10, lingerTimeout: 0 });
    clock.start();
    clock.linger();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a clock that was stopped is silent and holds no timer', () => {
  const { clock, after } = setUp({ timeout: 10, runTimeout: 20, lingerTimeout: 30 });
  clock.start();
  clock.stop();
  clock.stop();
  expect(vi.getTimerCount()).toBe(0);
  clock.restart();
  clock.resume();
  expect(after(1000)).toEqual([]);
});
