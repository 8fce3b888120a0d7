// Walks the tables of both state machines: every row happens, and nothing happens that is not a row.

import { describe, expect, test } from 'vitest';
import {
  RequestDecoder,
  requestTransitions,
  RequestState,
  ResponseDecoder,
  ResponseState,
  responseTransitions,
} from '../../src/protocol/index.js';
import type { RequestInput, ResponseInput, Transition } from '../../src/protocol/index.js';
import { eof, wire } from './drive.js';

/** Text to feed, or `eof`, which no row feeds as text. */
type Step = string;

/** Brings a fresh decoder into each state. */
const requestPaths: Record<keyof typeof RequestState, Step[]> = {
  Start: [],
  Length: ['2'],
  Head: ['24:', 'CONTENT_LENGTH␀2␀SCGI␀1␀'],
  Body: ['24:', 'CONTENT_LENGTH␀2␀SCGI␀1␀', ',', 'a'],
  Done: ['24:', 'CONTENT_LENGTH␀0␀SCGI␀1␀', ','],
  Unused: [eof],
  Failed: ['0'],
};

/** What each input is on the wire, in the state where the row begins. */
const requestInputs: Record<RequestInput, Step> = {
  digit: '4',
  colon: ':',
  'byte of the netstring': 'C',
  'comma after a valid netstring': ',',
  'comma after an invalid netstring': ',',
  'impossible byte': '/',
  'body byte': 'a',
  'whole body delivered': 'b',
  'byte after the body': 'X',
  'end of input': eof,
};

/** Rows that need another way into their state. */
const requestDetours: Partial<Record<string, Step[]>> = {
  'Head byte of the netstring': ['24:'],
  'Head comma after an invalid netstring': ['24:', 'CONTENT_LENGTH␀2␀SCGI␀2␀'],
};

const responsePaths: Record<keyof typeof ResponseState, Step[]> = {
  Start: [],
  Head: ['Status: 200 OK\r\n'],
  CountedBody: ['Content-Length: 2\r\n\r\n', 'a'],
  OpenBody: ['\r\n'],
  Tunnel: ['Status: 101\r\n\r\n'],
  Done: ['Status: 204\r\n\r\n'],
  Failed: [eof],
};

const responseInputs: Record<ResponseInput, Step> = {
  'byte of the head': 'S',
  'empty line at once': '\n',
  'empty line at once, the request being HEAD': '\n',
  'empty line after an interim head': '\n',
  'empty line after a head with a known body length': '\n',
  'empty line after a head without one': '\n',
  'empty line after a 101 head': '\n',
  'empty line after an invalid head': '\n',
  'byte beyond a limit': 'x'.repeat(8193),
  'body byte': 'a',
  'tunnel byte': 'a',
  'whole body delivered': 'b',
  'byte after the body': 'X',
  'end of input': eof,
};

const responseDetours: Partial<Record<string, Step[]>> = {
  'Head empty line after an interim head': ['Status: 103\n'],
  'Head empty line after a head with a known body length': ['Content-Length: 2\n'],
  'Head empty line after a 101 head': ['Status: 101\n'],
  'Head empty line after an invalid head': ['no colon\n'],
};

interface Machine {
  receiveData(chunk: Uint8Array): void;
  receiveEof(): void;
  nextEvent(): unknown;
  readonly state: number;
}

/** Feeds one step and pulls until nothing more comes; returns the states passed on the way. */
function feed(machine: Machine, step: Step): number[] {
  if (step === eof) machine.receiveEof();
  else machine.receiveData(wire(step));
  const passed: number[] = [];
  try {
    while (machine.nextEvent() !== null) passed.push(machine.state);
  } catch {
    // A fault is a state like any other here: Failed.
  }
  passed.push(machine.state);
  return passed;
}

interface Rig {
  /** A machine for a row with this input; without one for any. */
  readonly create: (on?: string) => Machine;
  readonly states: Readonly<Record<string, number>>;
  readonly table: readonly Transition<string, string>[];
  readonly paths: Readonly<Record<string, Step[]>>;
  readonly inputs: Readonly<Record<string, Step>>;
  readonly detours: Partial<Record<string, Step[]>>;
}

const rigs: [string, Rig][] = [
  [
    'RequestDecoder',
    {
      create: () => new RequestDecoder(),
      states: RequestState,
      table: requestTransitions,
      paths: requestPaths,
      inputs: requestInputs,
      detours: requestDetours,
    },
  ],
  [
    'ResponseDecoder',
    {
      create: (on) => new ResponseDecoder({ requestMethod: on?.endsWith('HEAD') ? 'HEAD' : 'GET' }),
      states: ResponseState,
      table: responseTransitions,
      paths: responsePaths,
      inputs: responseInputs,
      detours: responseDetours,
    },
  ],
];

describe.each(rigs)('the transitions of %s', (_, rig) => {
  test.each(rig.table)('lead from $from on $on to $to', ({ from, on, to }) => {
    const machine = rig.create(on);
    for (const step of rig.detours[`${from} ${on}`] ?? rig.paths[from] ?? []) feed(machine, step);
    expect(machine.state, 'the state before').toBe(rig.states[from]);
    expect(feed(machine, rig.inputs[on] ?? '')).toContain(rig.states[to]);
  });

  test('cover every state', () => {
    const mentioned = new Set(rig.table.flatMap(({ from, to }) => [from, to]));
    expect([...mentioned].toSorted()).toEqual(Object.keys(rig.states).toSorted());
  });

  test('name no move twice', () => {
    const moves = rig.table.map(({ from, on }) => `${from} ${on}`);
    expect(new Set(moves).size).toBe(moves.length);
  });

  test('hold every move that single bytes and the end of input make', () => {
    const known = new Set(rig.table.map(({ from, to }) => `${rig.states[from]} ${rig.states[to]}`));
    for (const [state, path] of Object.entries(rig.paths)) {
      if (state === 'Unused' || state === 'Failed') continue; // nothing leads out of these
      for (const step of [eof, ...Array.from({ length: 256 }, (__, octet) => String.fromCharCode(octet))]) {
        const machine = rig.create();
        for (const before of path) feed(machine, before);
        let from = machine.state;
        for (const to of feed(machine, step)) {
          if (to !== from) expect(known, `${state} on ${step}`).toContain(`${from} ${to}`);
          from = to;
        }
      }
    }
  });
});

test.each([
  [new RequestDecoder(), [eof]],
  [new RequestDecoder(), ['0']],
  [new ResponseDecoder(), [eof]],
] as [Machine, Step[]][])('nothing leads out of a final state', (machine, path) => {
  for (const step of path) feed(machine, step);
  const final = machine.state;
  expect(feed(machine, eof)).toEqual([final]);
});
