// Whoever asked goes away, at every stage: the backend hears of it, nothing is left, and the next request is answered.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Script } from '@scgi/testing';
import * as mock from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import { within } from '../support/deadline.js';
import { ownTemporaryFolder, withoutLeaks } from './support/check.js';
import type { Asked, Face, Outcome } from './support/face.js';
import { faces } from './support/faces.js';
import type { Transport } from './support/fault.js';

const temporaryFiles = ownTemporaryFolder();
const get: Asked = { method: 'GET', body: Buffer.alloc(0) };
const upload: Asked = { method: 'POST', body: Buffer.alloc(16_000_000, 'x') };
/** More than the kernel holds on the way: three connections, of up to 36 MiB each (tcp_rmem and tcp_wmem). */
const endless: Asked = { method: 'POST', body: Buffer.alloc(128_000_000) };
const ok: Outcome = { status: 200, body: 'ok', broken: false, codes: [] };

interface Leaving {
  readonly stage: string;
  /** The gate `there` is where the client leaves. */
  readonly script: Script;
  readonly asked: Asked;
}

const stages: readonly Leaving[] = [
  { stage: 'in the upload', script: [mock.receiveBody(1000), mock.gate('there')], asked: endless },
  { stage: 'before the answer', script: [mock.receive(), mock.gate('there')], asked: get },
  { stage: 'before the answer to an upload', script: [mock.receive(), mock.gate('there')], asked: upload },
  {
    stage: 'in the head of the answer',
    script: [mock.receive(), mock.send('Status: 20'), mock.gate('there')],
    asked: get,
  },
  {
    stage: 'in the body of the answer',
    script: [
      mock.receive(),
      mock.send(mock.answerBytes({ body: 'half', lieAboutLength: 100 })),
      mock.gate('seen'),
      mock.gate('there'),
    ],
    asked: get,
  },
  {
    stage: 'in the body of an answer to an upload that goes on',
    script: [
      mock.receiveBody(1000),
      mock.send(mock.answerBytes({ body: 'half', lieAboutLength: 100 })),
      mock.gate('seen'),
      mock.gate('there'),
    ],
    asked: endless,
  },
];

async function leave(face: Face, { script, asked }: Leaving, transport: Transport): Promise<void> {
  const behaviour = mock.perConnection([script, mock.stall()], mock.answer({ body: 'ok' }));
  await using backend = await mock.mockBackend(behaviour, { transport });
  const open = await face.open(backend.target, {});
  try {
    const leaving = new AbortController();
    const onFirstBytes = (): void => backend.openGate('seen');
    const outcome = open.ask({ ...asked, signal: leaving.signal, onFirstBytes });
    await backend.atGate('there');
    // What comes in the same turn as the request might be its own end.
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    leaving.abort();
    expect((await within(outcome, 1000, 'the outcome')).broken).toBe(true);
    backend.openGate('there');
    const connection = await backend.connection(0);
    expect((await connection.closed()).by).toMatch(/fin|reset/);
    if (asked === endless) expect(connection.bodyBytes).toBeLessThan(endless.body.length);
    expect(await within(open.ask(get), 1000, 'the next answer')).toEqual(ok);
  } finally {
    await open.close();
  }
}

/** With one connection and one place in the queue: who waits there and leaves makes room. */
async function leaveTheQueue(face: Face, transport: Transport): Promise<void> {
  const script = [mock.receive(), mock.gate('first'), mock.answer({ body: 'ok' })];
  await using backend = await mock.mockBackend(script, { transport });
  const open = await face.open(backend.target, { maxConcurrent: 1, maxQueued: 1, queueTimeout: 0 });
  try {
    const first = open.ask(get);
    await backend.atGate('first');
    const leaving = new AbortController();
    const waiting = [open.ask({ ...get, signal: leaving.signal }), open.ask({ ...get, signal: leaving.signal })];
    // One of them finds the queue full, which shows that the other one is in it.
    const refused = await within(Promise.race(waiting), 1000, 'the refusal');
    expect(refused.codes).toEqual(['ERR_SCGI_BACKEND_BUSY']);
    leaving.abort();
    await Promise.all(waiting);
    // The gateway hears of it when its client's FIN has come.
    let last = open.ask(get);
    let settled = await Promise.race([last, afterTurns(200)]);
    for (; settled !== undefined; settled = await Promise.race([last, afterTurns(200)])) last = open.ask(get);
    backend.openGate('first');
    expect(await within(Promise.all([first, last]), 2000, 'the answers')).toEqual([ok, ok]);
    // Nobody who left was sent to the backend.
    expect(backend.connections.length).toBe(2);
  } finally {
    await open.close();
  }
}

async function leaveWhileConnecting(face: Face): Promise<void> {
  await using backend = await mock.mockBackend(mock.neverAccept(), { transport: 'tcp' });
  const open = await face.open(backend.target, {});
  const leaving = new AbortController();
  const outcome = open.ask({ ...get, signal: leaving.signal });
  await afterTurns(50);
  leaving.abort();
  expect((await within(outcome, 1000, 'the outcome')).broken).toBe(true);
  await open.close();
}

async function afterTurns(count: number): Promise<undefined> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
  return undefined;
}

describe.each(faces)('a caller of $name leaves', (face) => {
  describe.each(['unix', 'tcp'] as const)('over %s', (transport) => {
    for (const leaving of stages) {
      test(leaving.stage, () => withoutLeaks(temporaryFiles, () => leave(face, leaving, transport)));
    }
  });
  test('while the connection is made', () => withoutLeaks(temporaryFiles, () => leaveWhileConnecting(face)));
});

describe.each(faces.filter(({ perRequest }) => perRequest !== true))('a caller of $name leaves the queue', (face) => {
  test.each(['unix', 'tcp'] as const)('over %s', (transport) => {
    return withoutLeaks(temporaryFiles, () => leaveTheQueue(face, transport));
  });
});
