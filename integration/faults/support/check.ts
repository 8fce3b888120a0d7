// One fault, one way of calling, one transport: asks, compares, asks again, and looks for what is left over.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorCatalogue } from '@scgi/core/protocol';
import type { MockBehaviour } from '@scgi/testing';
import { answer, mockBackend, perConnection } from '@scgi/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { within } from '../../support/deadline.js';
import { collectUnhandled, expectNoLeaks, openDescriptors } from '../../support/leaks.js';
import type { Face, FaceOptions, Outcome } from './face.js';
import type { Expected, Fault, Transport } from './fault.js';

/** So ample that only the limit of the fault counts. */
const ample: FaceOptions = { connectTimeout: 5000, firstByteTimeout: 5000, idleTimeout: 5000 };
/** Beyond the time limit that applies. */
const GRACE_MS = 1500;

/** Temporary files of this process, and nobody else's, from now to the end of the file's tests. */
export function ownTemporaryFolder(): () => readonly string[] {
  const given = process.env['TMPDIR'];
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'scgi-faults-'));
    process.env['TMPDIR'] = folder;
  });
  afterAll(() => {
    if (given === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = given;
    rmSync(folder, { recursive: true, force: true });
  });
  return () => readdirSync(folder);
}

/** Runs `action` and fails for what it leaves open, unhandled or on the disk. */
export async function withoutLeaks(
  temporaryFiles: () => readonly string[],
  action: () => Promise<void>,
): Promise<void> {
  const before = openDescriptors();
  const unhandled = collectUnhandled();
  try {
    await action();
    // Most sockets close within these turns; the look below comes again only after 10 ms.
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    await expectNoLeaks(before, process.pid, 3000);
  } finally {
    unhandled.stop();
  }
  expect(unhandled.errors).toEqual([]);
  expect(temporaryFiles()).toEqual([]);
}

/** Checks one row of the table. */
export async function check(face: Face, fault: Fault, transport: Transport): Promise<void> {
  await using backend = await mockBackend(behaviourOf(fault), { transport });
  const { options = {}, asks: method = 'GET', bodyBytes = 1_000_000 } = fault;
  const open = await face.open(backend.target, { ...ample, ...options });
  try {
    const { connectTimeout = 0, firstByteTimeout = 0, idleTimeout = 0, totalTimeout = 0 } = options;
    const longest = Math.max(connectTimeout, firstByteTimeout, idleTimeout, totalTimeout);
    const onFirstBytes = (): void => backend.openGate('seen');
    const asked = open.ask({ method, body: Buffer.alloc(bodyBytes, 'x'), onFirstBytes });
    const outcome = await within(asked, longest + GRACE_MS, `the outcome of ${fault.name}`);
    compare(outcome, 'tcp' in fault.expected ? fault.expected[transport] : fault.expected, face);
    if (fault.recovers === 'never') return;
    if (fault.recovers === 'by listening') await backend.listen();
    const next = await within(open.ask({ method: 'GET', body: Buffer.alloc(0) }), GRACE_MS, 'the next answer');
    expect(next).toEqual({ status: 200, body: 'ok', broken: false, codes: [] });
  } finally {
    await open.close();
  }
}

function behaviourOf({ script }: Fault): MockBehaviour {
  return 'be' in script ? script : perConnection(script, answer({ body: 'ok' }));
}

function compare(outcome: Outcome, expected: Expected, { kind }: Face): void {
  if ('status' in expected) {
    expect(outcome).toEqual({ ...expected, broken: false, codes: [] });
    return;
  }
  const [code, ...more] = outcome.codes;
  expect(more).toEqual([]);
  expect(expected.codes).toContain(code);
  if (expected.after !== undefined) {
    expect(outcome).toMatchObject({ status: 200, broken: true });
    expect(outcome.body.slice(0, expected.after.length)).toBe(expected.after);
  } else if (kind === 'client') {
    expect(outcome).toMatchObject({ status: undefined, body: '', broken: true });
  } else {
    const known = expected.codes.find((one) => one === code);
    expect(outcome).toMatchObject({ status: known && errorCatalogue[known].statusHint, broken: false });
    // The status phrase, and nothing of the cause.
    expect(outcome.body).toMatch(/^5\d\d [A-Z][A-Za-z ]+\n$/);
  }
}
