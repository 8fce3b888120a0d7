// Orders and reports, cut at every point.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, closeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeOrder, endingOf, ReportReader, reports } from '../../src/launcher/frames.js';
import { commandOf } from '../support/launches.js';
import { until, within } from '../support/within.js';
import { helpers } from './launchers.js';

test('an order is a length and texts with a NUL between them', () => {
  const command = commandOf('/a', ['b', ''], { env: ['N', 'v\xe9'], folder: '/f', hasInput: true });
  const pipes = [
    { read: 5, write: 6 },
    { read: 7, write: 8 },
    { read: 9, write: 10 },
  ];
  const text = '3\x005\x007\x009\0/f\x003\0/a\0b\0\0N=v\xe9';
  expect(encodeOrder(3, command, pipes)).toEqual(
    Buffer.from(`\0\0\0${String.fromCharCode(text.length)}${text}`, 'latin1'),
  );
});

test('without input an order has nothing in the place of its pipe', () => {
  const order = encodeOrder(3, commandOf('/a', [], { env: [] }), [
    { read: 7, write: 8 },
    { read: 9, write: 10 },
  ]);
  expect(order.toString('latin1', 4)).toBe('3\0\x007\x009\0/\x001\0/a');
});

test('reports are read whole wherever they are cut', () => {
  const data = Buffer.alloc(36);
  [1, 5, 6, 2, 4_294_967_295, 70_000, 4, 1, 256].forEach((fact, index) => data.writeUInt32BE(fact, index * 4));
  for (let first = 0; first <= data.length; first++) {
    for (let second = first; second <= data.length; second++) {
      const heard: number[][] = [];
      const reader = new ReportReader((...report) => heard.push(report));
      for (const chunk of [data.subarray(0, first), data.subarray(first, second), data.subarray(second)]) {
        reader.receive(chunk);
      }
      expect(heard).toEqual([
        [1, 5, 6],
        [2, 4_294_967_295, 70_000],
        [4, 1, 256],
      ]);
    }
  }
});

test.each([
  [0x0000, 0, undefined, false],
  [0xff00, 255, undefined, false],
  [0x0009, undefined, 'SIGKILL', false],
  // With a core dump.
  [0x0086, undefined, 'SIGABRT', false],
  [0x0022, undefined, 'SIG34', false],
  [0x10300, 3, undefined, true],
])('the wait status %i is told', (fact, code, signal, groupLives) => {
  expect(endingOf(fact)).toEqual({ code, signal, groupLives });
});

describe.each(helpers)('the helper in $language', ({ file, args }) => {
  test('carries out orders that come octet by octet', async () => {
    const child = spawn(file, args, { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
    const pipes: { read: number; write: number }[] = [];
    const heard: number[][] = [];
    const reader = new ReportReader((kind, read, write) => {
      if (kind === reports.pipe) pipes.push({ read, write });
      else heard.push([kind, read]);
    });
    child.stdout.on('data', (chunk: Buffer) => reader.receive(chunk));
    await until('pipes are there', () => pipes.length === 64);
    const outputs: number[] = [];
    for (let number = 0; number < 3; number++) {
      const [output = { read: 0, write: 0 }, errors = output] = pipes.splice(0, 2);
      outputs.push(openSync(`/proc/${child.pid}/fd/${output.read}`, 'r'));
      for (const octet of encodeOrder(number, commandOf('/bin/echo', [`${number}`]), [output, errors])) {
        await new Promise((resolve) => child.stdin.write(Buffer.from([octet]), resolve));
      }
    }
    await until('all have ended', () => heard.filter(([kind]) => kind === reports.exited).length === 3);
    expect(outputs.map((descriptor) => readFileSync(descriptor, 'latin1'))).toEqual(['0\n', '1\n', '2\n']);
    outputs.forEach(closeSync);
    // As many again as were used.
    expect(pipes).toHaveLength(64);
    child.stdin.end();
    expect(await within('its end', once(child, 'close'))).toEqual([0, null]);
  });
});
