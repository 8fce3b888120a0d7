// A thousand requests at once through ten connections, of which some meet a backend that breaks off.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MockBehaviour } from '@scgi/testing';
import * as mock from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import { within } from '../support/deadline.js';
import { ownTemporaryFolder, withoutLeaks } from './support/check.js';
import { faces } from './support/faces.js';

const REQUESTS = 1000;
const CONNECTIONS = 10;
const temporaryFiles = ownTemporaryFolder();

/** Every seventh connection is broken off inside the head; all wait until the test says so. */
function behaviour(): MockBehaviour {
  const scripts = Array.from({ length: REQUESTS }, (_, number) => [
    mock.receive(),
    mock.gate('all are there'),
    ...(number % 7 === 3 ? [mock.endAt(5)] : []),
    mock.answer({ body: `answer ${number}` }),
  ]);
  return mock.perConnection(...scripts);
}

describe.each(faces.filter(({ perRequest }) => perRequest !== true))('$name', (face) => {
  test(`holds ${CONNECTIONS} connections for ${REQUESTS} requests`, () => {
    return withoutLeaks(temporaryFiles, async () => {
      await using backend = await mock.mockBackend(behaviour());
      const limits = { maxConcurrent: CONNECTIONS, maxQueued: REQUESTS - CONNECTIONS, queueTimeout: 0 };
      const open = await face.open(backend.target, limits);
      try {
        // One more than there is room for: when it is refused, all others are in.
        const asked = Array.from({ length: REQUESTS + 1 }, () => open.ask({ method: 'GET', body: Buffer.alloc(0) }));
        const first = await within(Promise.race(asked), 10_000, 'the refusal');
        expect(first.codes).toContain('ERR_SCGI_BACKEND_BUSY');
        await backend.connection(CONNECTIONS - 1);
        for (let turn = 0; turn < 50; turn += 1) await nextTurn();
        expect(backend.connections.length).toBe(CONNECTIONS);
        backend.openGate('all are there');
        const outcomes = await within(Promise.all(asked), 20_000, 'all answers');
        const whole = outcomes.filter(({ status }) => status === 200);
        const broken = Math.ceil((REQUESTS - 3) / 7);
        expect(new Set(whole.map(({ body }) => body)).size).toBe(REQUESTS - broken);
        expect(outcomes.length - whole.length).toBe(broken + 1);
        expect(backend.connections.length).toBe(REQUESTS);
      } finally {
        await open.close();
      }
    });
  });
});
