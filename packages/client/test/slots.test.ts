// Connections at once, and the queue for them.

import { expect, test } from 'vitest';
import { Slots, type SlotSettings, type SlotUser } from '../src/exchange/slots.js';
import { turns, until } from './support/within.js';

const defaults: SlotSettings = { maxConcurrent: 2, maxQueued: 3, queueTimeout: 0 };

class User implements SlotUser {
  readonly name: string;
  readonly log: string[];
  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }
  onSlot(): void {
    this.log.push(this.name);
  }
  onNoSlot(error: { code: string }): void {
    this.log.push(`${this.name} ${error.code}`);
  }
}

function setUp(settings: Partial<SlotSettings> = {}): { slots: Slots; log: string[]; take: (name: string) => User } {
  const slots = new Slots({ ...defaults, ...settings });
  const log: string[] = [];
  const take = (name: string): User => {
    const user = new User(name, log);
    slots.take(user);
    return user;
  };
  return { slots, log, take };
}

test('slots are given at once while there are some, then in the order of arrival', () => {
  const { slots, log, take } = setUp();
  for (const name of 'abcde') take(name);
  expect(log).toEqual(['a', 'b']);
  expect([slots.taken, slots.queued]).toEqual([2, 3]);
  slots.release();
  slots.release();
  expect(log).toEqual(['a', 'b', 'c', 'd']);
  expect([slots.taken, slots.queued]).toEqual([2, 1]);
});

test('more than maxQueued are refused at once', () => {
  const { take } = setUp();
  for (const name of 'abcde') take(name);
  expect(() => take('f')).toThrow(
    expect.objectContaining({
      code: 'ERR_SCGI_BACKEND_BUSY',
      statusHint: 503,
      details: { maxConcurrent: 2, maxQueued: 3 },
    }),
  );
});

test('0 means zero: nobody waits, or nobody gets anything', () => {
  const { take } = setUp({ maxQueued: 0 });
  take('a');
  take('b');
  expect(() => take('c')).toThrow('no connection');
  const none = setUp({ maxConcurrent: 0 });
  none.take('a');
  expect([none.log, none.slots.queued]).toEqual([[], 1]);
});

test('who leaves the queue gets nothing, and its place is free', () => {
  const { slots, log, take } = setUp();
  take('a');
  take('b');
  const c = take('c');
  take('d');
  slots.leave(c);
  slots.leave(c);
  slots.release();
  expect(log).toEqual(['a', 'b', 'd']);
  expect(slots.queued).toBe(0);
});

test('queueTimeout ends the waiting', async () => {
  const { slots, log, take } = setUp({ queueTimeout: 20 });
  for (const name of 'abc') take(name);
  await until('the time is over', () => log.length === 3);
  expect(log[2]).toBe('c ERR_SCGI_BACKEND_BUSY');
  expect(slots.queued).toBe(0);
  slots.release();
  expect(slots.taken).toBe(1);
});

test('closing tells all who wait, and nobody twice', async () => {
  const { slots, log, take } = setUp({ queueTimeout: 5 });
  for (const name of 'abcd') take(name);
  slots.close();
  expect(log).toEqual(['a', 'b', 'c ERR_SCGI_CLIENT_CLOSED', 'd ERR_SCGI_CLIENT_CLOSED']);
  await turns(50);
  expect(log).toHaveLength(4);
});

test('a user that gives its slot back at once does not disturb the order', () => {
  const { slots, log, take } = setUp({ maxConcurrent: 1, maxQueued: 10_000 });
  class Hasty extends User {
    override onSlot(): void {
      super.onSlot();
      slots.release();
    }
  }
  take('first');
  for (let index = 0; index < 5000; index += 1) slots.take(new Hasty(`${index}`, log));
  slots.release();
  expect(log).toEqual(['first', ...Array.from({ length: 5000 }, (_, index) => `${index}`)]);
  expect([slots.taken, slots.queued]).toEqual([0, 0]);
});

test('a user that throws leaves the others their turns', () => {
  const { slots, log, take } = setUp({ maxConcurrent: 1 });
  take('a');
  slots.take({
    onSlot: () => {
      throw new Error('its own fault');
    },
    onNoSlot: () => {},
  });
  take('c');
  expect(() => slots.release()).toThrow('its own fault');
  slots.release();
  expect(log).toEqual(['a', 'c']);
});

test('nobody gets a slot after close, though some are free', () => {
  const { slots, log, take } = setUp();
  take('a');
  slots.close();
  expect(() => take('b')).toThrow(expect.objectContaining({ code: 'ERR_SCGI_CLIENT_CLOSED', statusHint: 503 }));
  slots.release();
  expect(() => take('c')).toThrow(expect.objectContaining({ code: 'ERR_SCGI_CLIENT_CLOSED' }));
  expect(log).toEqual(['a']);
  expect([slots.taken, slots.queued]).toEqual([0, 0]);
});
