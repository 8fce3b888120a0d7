// The end of a process group: first politely, then not, and never a stranger's.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GroupEnd } from '../../src/runner/group-end.js';
import { FakeProgram } from '../support/fake-launcher.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('SIGTERM comes first, SIGKILL after killTimeout', () => {
  const program = new FakeProgram();
  new GroupEnd(program).begin(3000);
  expect(program.signals).toEqual(['SIGTERM']);
  vi.advanceTimersByTime(2999);
  expect(program.signals).toEqual(['SIGTERM']);
  vi.advanceTimersByTime(1);
  expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
  expect(vi.getTimerCount()).toBe(0);
});

test('with a killTimeout of 0 there is nothing but SIGKILL', () => {
  const program = new FakeProgram();
  new GroupEnd(program).begin(0);
  expect(program.signals).toEqual(['SIGKILL']);
  expect(vi.getTimerCount()).toBe(0);
});

test('begins once', () => {
  const program = new FakeProgram();
  const end = new GroupEnd(program);
  end.begin(3000);
  end.begin(3000);
  expect(program.signals).toEqual(['SIGTERM']);
  expect(vi.getTimerCount()).toBe(1);
});

describe('when the leader has ended', () => {
  test('and nobody else is left, nothing more is sent', () => {
    const program = new FakeProgram();
    const end = new GroupEnd(program);
    end.begin(3000);
    program.groupLives = false;
    end.onLeaderExit();
    expect(vi.getTimerCount()).toBe(0);
    expect(program.signals).toEqual(['SIGTERM']);
  });

  test('what it has forked is killed all the same', () => {
    const program = new FakeProgram();
    const end = new GroupEnd(program);
    end.begin(3000);
    end.onLeaderExit();
    vi.advanceTimersByTime(3000);
    expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('what it has forked is ended when the time for that has come', () => {
    const program = new FakeProgram();
    const end = new GroupEnd(program);
    end.onLeaderExit();
    end.begin(3000);
    expect(program.signals).toEqual(['SIGTERM']);
  });

  test('a group that was gone then is never looked for again: its number may have become a stranger’s', () => {
    const program = new FakeProgram();
    const end = new GroupEnd(program);
    program.groupLives = false;
    end.onLeaderExit();
    program.groupLives = true;
    end.begin(3000);
    vi.advanceTimersByTime(3000);
    expect(program.signals).toEqual([]);
  });
});
