// More requests than programs may run, and more than the system lets us start.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variants, withPrograms } from '../support/cgi-server.js';
import { until } from '../support/within.js';

const head = 'printf "Content-Type: text/plain\\n\\n"';

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('200 requests at once are all answered, by 8 programs at a time', async () => {
    // Each says how many it has seen, itself included; the first ones wait until there are as many as there can be.
    const count = `mkdir -p running; : > running/$$; echo there >&2; until [ -e all ]; do sleep 0.02; done`;
    const source = `${count}; ${head}; ls running | wc -l; rm running/$$`;
    await withPrograms(variant, { a: source }, { maxConcurrent: 8 }, async (server) => {
      const asked = Promise.all(Array.from({ length: 200 }, () => server.ask('/a')));
      await server.line('there', 8);
      writeFileSync(join(server.folder, 'all'), '');
      const seen = (await asked).map(({ status, body }) => (status === 200 ? Number(body.toString()) : -1));
      expect(Math.min(...seen)).toBeGreaterThan(0);
      expect(Math.max(...seen)).toBe(8);
      expect(server.codes).toEqual([]);
    });
  }, 30_000);

  test('requests beyond the queue are refused at once, the others are answered in time', async () => {
    const source = `echo there >&2; read _ < "$GATE"; ${head}; echo hello`;
    await withPrograms(variant, { a: source }, { maxConcurrent: 2, maxQueued: 3 }, async (server) => {
      const asked = Array.from({ length: 10 }, () => server.ask('/a'));
      const refused: string[] = [];
      for (const answer of asked)
        void answer.then(({ status, body }) => status === 503 && refused.push(body.toString()));
      // All of these while nobody has been answered yet.
      await until('five are refused', () => refused.length === 5);
      expect(refused).toEqual(Array.from({ length: 5 }, () => '503 Service Unavailable\n'));
      for (let answered = 0; answered < 5; answered += 1) server.openGate();
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 200, 503, 503, 503, 503, 503]);
      expect(server.codes).toEqual(Array.from({ length: 5 }, () => 'ERR_SCGI_BACKEND_BUSY'));
    });
  });

  test('a request that waits for longer than queueTimeout is a 503', async () => {
    const source = `echo there >&2; read _ < "$GATE"; ${head}; echo hello`;
    await withPrograms(variant, { a: source }, { maxConcurrent: 1, queueTimeout: 100 }, async (server) => {
      const first = server.ask('/a');
      await server.line('there');
      expect((await server.ask('/a')).status).toBe(503);
      server.openGate();
      expect((await first).status).toBe(200);
      expect(server.codes).toEqual(['ERR_SCGI_BACKEND_BUSY']);
      expect(server.lines).toEqual(['there']);
    });
  });

  test.skipIf(process.platform !== 'linux')(
    'no room for another descriptor, or for some, is a 503, and passes',
    async () => {
      await withPrograms(variant, { a: `read line; ${head}; echo "$line"` }, {}, async (server) => {
        // What starts programs is there already, and the connections are open.
        expect(await server.answers()).toBe(true);
        using descriptors = new Descriptors();
        const statuses: unknown[] = [];
        // With room for its three sockets but not for two descriptors more, Node.js leaves the sockets open for ever
        // (lib/internal/child_process.js, `spawn`, returns early on EMFILE).
        const rooms = variant.launcher === 'node' ? [0, 0, 1, 2, 3, 4, 5] : [0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        for (const room of rooms) {
          const connection = await server.connect();
          descriptors.leave(room);
          await connection.sendHead(server.variables('/a', 'POST', 6), 6);
          await connection.send('hello\n');
          const { status } = await connection.closed();
          descriptors.leave(Infinity);
          expect(server.codes.splice(0)).toEqual(status === 200 ? [] : ['ERR_SCGI_BACKEND_BUSY']);
          await server.gone();
          statuses.push(status);
        }
        expect(statuses.slice(0, 3)).toEqual([503, 503, 503]);
        expect((await server.ask('/a', 'hello\n')).body.toString()).toBe('hello\n');
      });
    },
  );
});

/** Takes the descriptors of this process away, but for some. */
class Descriptors {
  readonly #limit: string;
  readonly #taken: number[];

  constructor() {
    this.#limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? '';
    this.#taken = [];
    const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
    setLimit(String(highest + 50));
  }

  /** Takes all but so many; `Infinity` gives all back. */
  leave(room: number): void {
    for (const descriptor of this.#taken.splice(0)) closeSync(descriptor);
    if (room === Infinity) return;
    try {
      for (;;) this.#taken.push(openSync('/dev/null', 'r'));
    } catch {
      // EMFILE: that was the last one.
    }
    for (const descriptor of this.#taken.splice(0, room)) closeSync(descriptor);
  }

  [Symbol.dispose](): void {
    this.leave(Infinity);
    setLimit(this.#limit);
  }
}

function setLimit(limit: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:`]);
}

describe.each(variants)('close(), with launcher $launcher over $transport', (variant) => {
  test('lets programs run to their end, and refuses who waits and who comes', async () => {
    const source = `echo there >&2; ${head}; echo hel; read _ < "$GATE"; echo lo`;
    const { launcher } = variant;
    await withPrograms(variant, { a: source }, { maxConcurrent: 1, maxQueued: 1, launcher }, async (server) => {
      const running = server.ask('/a');
      await server.line('there');
      const waiting = server.ask('/a');
      expect((await server.ask('/a')).status).toBe(503);
      server.programs.close();
      server.isClosed = true;
      expect((await waiting).status).toBe(503);
      expect((await server.ask('/a')).status).toBe(503);
      server.openGate();
      expect((await running).body.toString()).toBe('hel\nlo\n');
      expect(server.lines).toEqual(['there']);
      expect(server.codes).toEqual(['ERR_SCGI_BACKEND_BUSY', 'ERR_SCGI_SERVER_CLOSING', 'ERR_SCGI_SERVER_CLOSING']);
    });
  });
});
