// Clients that leave, at every stage: the program is ended or never started, its place is given back, nobody is blamed.

import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RawConnection } from '@scgi/testing';
import { describe, expect, test } from 'vitest';
import type { CgiServer } from '../support/cgi-server.js';
import { everyVariant, variants, withPrograms } from '../support/cgi-server.js';
import { until } from '../support/within.js';

const head = 'printf "Content-Type: text/plain\\n\\n"';
const wait = `trap 'echo TERM >&2; exit' TERM; echo there >&2; while :; do sleep 0.02; done`;

/** What the program does, what the client sends, and when it leaves. */
interface Stage {
  readonly source: string;
  readonly body?: readonly [length: number, sent: string];
  readonly until?: string;
}

const stages: Readonly<Record<string, Stage>> = {
  'during the upload': { source: wait, body: [100, 'half'] },
  'during an upload that is answered already': {
    source: `${head}; echo hello; ${wait}`,
    body: [100, 'half'],
    until: 'hello',
  },
  'between upload and head': { source: `cat; ${wait}`, body: [4, 'full'] },
  'before the head': { source: wait },
  'inside the head': { source: `echo 'A: b'; ${wait}` },
  'inside the body': { source: `${head}; echo hello; ${wait}`, until: 'hello' },
  'inside a body with a length': { source: `printf 'Content-Length: 100\\n\\nhello'; ${wait}`, until: 'hello' },
  'between the end of the output and that of the program': { source: `${head}; exec >&-; ${wait}` },
};

async function leaveAt(
  server: CgiServer,
  name: string,
  { body, until: text }: Stage,
  how: 'leaves' | 'resets',
): Promise<void> {
  server.lines.length = 0;
  const connection = await server.open(`/${encodeURIComponent(name)}`, body === undefined ? 'GET' : 'POST', body?.[0]);
  if (body !== undefined) void connection.send(body[1]);
  await server.line('there');
  if (text !== undefined) await connection.sees(text);
  await end(connection, how);
  await server.gone();
}

async function end(connection: RawConnection, how: 'leaves' | 'resets'): Promise<void> {
  if (how === 'resets') connection.reset();
  else await connection.leave();
}

describe.each(everyVariant)('with launcher $launcher over $transport', (variant) => {
  test.each(['leaves', 'resets'] as const)('a client %s and its program is ended', async (how) => {
    const sources = Object.fromEntries(Object.entries(stages).map(([name, { source }]) => [name, source]));
    const options = { maxConcurrent: 1, killTimeout: 20_000, lingerTimeout: 200 };
    await withPrograms(variant, sources, options, async (server) => {
      for (const [name, stage] of Object.entries(stages)) {
        await leaveAt(server, name, stage, how);
        await server.line('TERM');
      }
      expect(server.codes).toEqual([]);
    });
  });
});

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a client that leaves once it has its answer does not end the program', async () => {
    const source = `printf 'Content-Length: 5\\n\\nhello'; exec >&-; echo there >&2; read _ < "$GATE"; echo done >&2`;
    await withPrograms(variant, { a: source }, {}, async (server) => {
      expect((await server.ask('/a')).body.toString()).toBe('hello');
      await server.line('there');
      server.openGate();
      await server.line('done');
    });
  });

  test('a client that leaves an upload which nobody reads is noticed at timeout', async () => {
    // Nobody reads, so nobody sees the end.
    await withPrograms(variant, { a: wait }, { timeout: 700 }, async (server) => {
      const connection = await server.open('/a', 'POST', 32 << 20);
      void connection.send(Buffer.alloc(16 << 20));
      await server.line('there');
      await connection.leave();
      await server.line('TERM');
      await server.gone();
    });
  });

  test('a client that leaves the queue has no program started', async () => {
    const source = `echo there >&2; read _ < "$GATE"; ${head}`;
    await withPrograms(variant, { a: source }, { maxConcurrent: 1, maxQueued: 1 }, async (server) => {
      const first = server.ask('/a');
      await server.line('there');
      const second = await server.open('/a');
      // One that finds the queue full shows that the second is in it.
      expect((await server.ask('/a')).status).toBe(503);
      await second.leave();
      let third = server.ask('/a');
      // Until its leaving has been noticed.
      for (let status = await statusSoon(third); status === 503; status = await statusSoon(third))
        third = server.ask('/a');
      server.openGate();
      await first;
      await server.line('there', 2);
      server.openGate();
      expect((await third).status).toBe(200);
      expect(server.lines).toEqual(['there', 'there']);
      expect(new Set(server.codes)).toEqual(new Set(['ERR_SCGI_BACKEND_BUSY']));
    });
  });

  test('a client that leaves in any turn of the event loop leaves nothing behind', async () => {
    await withPrograms(
      variant,
      { a: `echo there >&2; ${head}; exec sleep 1000` },
      { maxConcurrent: 2 },
      async (server) => {
        for (let turns = 0; turns < 60; turns += 1) {
          await leaveAfter(server, '/a', turns / 2);
        }
        await server.gone();
        expect(server.codes).toEqual([]);
      },
    );
  });

  test('programs that nobody waits for any more are all ended when the server closes', async () => {
    await withPrograms(variant, { a: wait }, { killTimeout: 20_000 }, async (server) => {
      const connections = await Promise.all(Array.from({ length: 5 }, () => server.open('/a')));
      await server.line('there', 5);
      server.server.closeAllConnections();
      await Promise.all(connections.map((connection) => connection.closed()));
      await server.gone();
      expect(server.codes).toEqual([]);
    });
  });
});

/** Sends a request whose connection is gone so many turns of the event loop after the server has its head. */
async function leaveAfter(server: CgiServer, uri: string, turns: number): Promise<void> {
  const left = new Promise<void>((resolve) => {
    server.server.once('request', (request: IncomingMessage) => void destroyAfter(request, turns).then(resolve));
  });
  await Promise.all([left, server.open(uri)]);
}

async function destroyAfter(request: IncomingMessage, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
  request.socket.destroy();
}

/** The status of an answer that comes at once; undefined for none. */
async function statusSoon(answer: Promise<{ readonly status: number | undefined }>): Promise<number | undefined> {
  let status: number | undefined;
  let turns = 0;
  void answer.then((response) => (status = response.status));
  await until('it is refused, or waits', () => status !== undefined || ++turns > 10);
  return status;
}
