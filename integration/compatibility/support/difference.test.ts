import { expect, test } from 'vitest';
import { describeDeviations, expectationAt, type Cell, type Difference } from './difference.js';

const difference: Difference = {
  name: 'drops the body',
  why: 'for this test',
  witness: 'this test',
  where: { behaviours: ['sends text'], ways: ['nginx, TCP'] },
  becomes: (oracle) => ({ ...oracle, body: '' }),
};

const cell: Cell = { kind: 'Koa 3', way: 'nginx, TCP', behaviour: 'sends text' };

test('a difference changes what it names and nothing else', () => {
  const { expected, applied, idle } = expectationAt([difference], cell, { status: 200, body: 'text' });
  expect({ expected, applied, idle }).toEqual({
    expected: { status: 200, body: '' },
    applied: ['drops the body'],
    idle: [],
  });
});

test('a difference that makes none is reported', () => {
  expect(expectationAt([difference], cell, { status: 200, body: '' }).idle).toEqual(['drops the body']);
});

test.each([
  { ...cell, way: 'nginx, Unix' as const },
  { ...cell, behaviour: 'sends JSON' as const },
])('a difference leaves alone what it does not name: $way, $behaviour', (other) => {
  expect(expectationAt([difference], other, { body: 'text' })).toEqual({
    expected: { body: 'text' },
    applied: [],
    idle: [],
  });
});

test('deviations that are the same are one line', () => {
  const expected = { status: 200 };
  const lines = describeDeviations([
    { way: 'nginx, TCP', seen: { status: 502 }, expected },
    { way: 'Apache, TCP', seen: { status: 200 }, expected },
    { way: 'nginx, Unix', seen: { status: 502 }, expected },
  ]);
  expect(lines).toEqual(['nginx, TCP; nginx, Unix: saw {"status":502} instead of {"status":200}']);
});
