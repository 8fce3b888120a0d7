// Faults on our own side of the connection: no descriptors, no permission, no address for a name.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import * as mock from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import { within } from '../support/deadline.js';
import { ownTemporaryFolder, withoutLeaks } from './support/check.js';
import { faces } from './support/faces.js';

const temporaryFiles = ownTemporaryFolder();
const program = fileURLToPath(new URL('support/hindered-process.js', import.meta.url));
const isRoot = process.getuid?.() === 0;

/** Runs the program, in a shell that sets its limits, and returns what it printed. */
async function runHindered(target: string, hindrance: 'descriptors' | 'user'): Promise<unknown> {
  const limit = hindrance === 'descriptors' ? 'ulimit -n 60 && ' : '';
  const command = `${limit}exec "$0" "$@"`;
  const child = spawn('sh', ['-c', command, process.execPath, program, target, hindrance], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return JSON.parse(await within(text(child.stdout), 10_000, 'the outcomes'));
  } finally {
    child.kill('SIGKILL');
  }
}

const answered = ['ok', 'ok', '200', '200'];

test.each(['unix', 'tcp'] as const)(
  'a process without descriptors is busy, until it has some again: %s',
  (transport) => {
    return withoutLeaks(temporaryFiles, async () => {
      await using backend = await mock.mockBackend(mock.answer({ body: 'ok' }), { transport });
      const busy = 'ERR_SCGI_BACKEND_BUSY';
      expect(await runHindered(backend.target, 'descriptors')).toEqual([
        answered,
        [busy, busy, `503 ${busy}`, `503 ${busy}`],
        answered,
      ]);
    });
  },
);

const asUser = isRoot ? test : test.skip;

asUser(
  `a socket that may not be connected to cannot be reached${isRoot ? '' : ' (needs root to become somebody else)'}`,
  () => {
    return withoutLeaks(temporaryFiles, async () => {
      await using backend = await mock.mockBackend(mock.answer({ body: 'ok' }), { transport: 'unix' });
      const unreachable = 'ERR_SCGI_BACKEND_UNREACHABLE';
      expect(await runHindered(backend.target, 'user')).toEqual([
        answered,
        [unreachable, unreachable, `502 ${unreachable}`, `502 ${unreachable}`],
      ]);
      expect(backend.connections.length).toBe(4);
    });
  },
);

describe('a name without an address', () => {
  // Longer than a label may be (RFC 1035 §2.3.4), so that no name server is asked.
  const target = `${'a'.repeat(64)}.invalid:4000`;

  test.each(faces)('cannot be reached by $name', (face) => {
    return withoutLeaks(temporaryFiles, async () => {
      const open = await face.open(target, {});
      const outcome = await within(open.ask({ method: 'GET', body: Buffer.alloc(0) }), 3000, 'the outcome');
      expect(outcome.codes).toEqual(['ERR_SCGI_BACKEND_UNREACHABLE']);
      expect(outcome.status).toBe(face.kind === 'client' ? undefined : 502);
      await open.close();
    });
  });
});
