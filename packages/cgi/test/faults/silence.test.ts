// Programs that never end: who is ended with them, in what order, and what the client hears.

import { describe, expect, test } from 'vitest';
import type { CgiDirectoryOptions } from '../../src/index.js';
import { variants, withPrograms } from '../support/cgi-server.js';

/** Long enough for a shell to start on a machine that is busy. */
const short: CgiDirectoryOptions = { timeout: 700, lingerTimeout: 700, killTimeout: 1000 };
const head = 'printf "Content-Type: text/plain\\n\\n"';
const until = 'while :; do sleep 0.02; done';

/** Each says how many processes it is, and may say what has become of it. */
const silent: Readonly<Record<string, readonly [source: string, processes: number, said?: string]>> = {
  'ends at SIGTERM': [`trap 'echo TERM ends me >&2; exit' TERM; echo there >&2; ${until}`, 1, 'TERM ends me'],
  'ignores SIGTERM': [`trap 'echo TERM is ignored >&2' TERM; echo there >&2; ${until}`, 1, 'TERM is ignored'],
  'has children and grandchildren': [
    `(sleep 1000 & (sleep 1000 & echo there >&2; wait) & echo there >&2; wait) & echo there >&2; wait`,
    3,
  ],
  'has a child that ignores SIGTERM': [`(trap '' TERM; echo there >&2; ${until}) & echo there >&2; wait`, 2],
  'has ended, but a child holds its output': [`(echo there >&2; exec sleep 1000) &`, 1],
  'is stopped': ['echo there >&2; kill -STOP $$', 1],
};

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a silent program is a 504, and its group is ended: with SIGTERM, then SIGKILL', async () => {
    const names = Object.keys(silent);
    const sources = Object.fromEntries(names.map((name) => [name, silent[name]?.[0] ?? '']));
    const moving = `${head}; for i in 1 2 3; do sleep 0.35; echo $i; done`;
    await withPrograms(variant, { ...sources, moving }, short, async (server) => {
      const asked = names.map((name) => server.ask(`/${encodeURIComponent(name)}`));
      // Beside them one that moves now and then, and has no deadline.
      const moved = server.ask('/moving');
      await server.line(
        'there',
        Object.values(silent).reduce((sum, [, processes]) => sum + processes, 0),
      );
      for (const response of await Promise.all(asked)) {
        expect([response.status, response.body.toString(), response.ended]).toEqual([
          504,
          '504 Gateway Timeout\n',
          'fin',
        ]);
      }
      expect((await moved).body.toString()).toBe('1\n2\n3\n');
      await server.gone();
      expect(server.codes).toEqual(names.map(() => 'ERR_SCGI_PROGRAM_TIMEOUT'));
      expect(server.failures[0]?.details).toEqual({ timeout: 700 });
      expect(server.lines).toEqual(expect.arrayContaining(['TERM ends me', 'TERM is ignored']));
    });
  });

  test('runTimeout ends a program that prints and prints', async () => {
    const source = `${head}; while :; do echo line; sleep 0.02; done`;
    await withPrograms(variant, { a: source }, { runTimeout: 700 }, async (server) => {
      const { status, body, ended } = await server.ask('/a');
      expect([status, ended]).toEqual([200, variant.transport === 'tcp' ? 'reset' : 'fin']);
      expect(body.toString()).toMatch(/^(?:line\n)+$/);
      expect(server.failures.map(({ code, details }) => [code, details])).toEqual([
        ['ERR_SCGI_PROGRAM_TIMEOUT', { runTimeout: 700 }],
      ]);
    });
  });
});

const lasting: Readonly<Record<string, string>> = {
  'closes its output': `${head}; echo hello; exec >&-; trap 'echo TERM ends me >&2; exit' TERM; echo there >&2; ${until}`,
  'has printed its Content-Length': `printf 'Content-Length: 6\n\nhello\n'; echo there >&2; ${until}`,
  'prints on and on behind it': `printf 'Content-Length: 6\n\nhello\n'; echo there >&2; exec yes`,
  'ignores SIGTERM': `${head}; echo hello; exec >&-; trap 'echo TERM is ignored >&2' TERM; echo there >&2; ${until}`,
};

describe.each(variants)(
  'what goes on when the answer is whole, with launcher $launcher over $transport:',
  (variant) => {
    test('a program has lingerTimeout, then SIGTERM, then SIGKILL', async () => {
      await withPrograms(variant, lasting, short, async (server) => {
        const asked = Object.keys(lasting).map((name) => server.ask(`/${encodeURIComponent(name)}`));
        for (const response of await Promise.all(asked)) {
          expect([response.status, response.body.toString(), response.ended]).toEqual([200, 'hello\n', 'fin']);
        }
        // The answers did not wait for it.
        expect(server.lines.filter((line) => line.startsWith('TERM'))).toEqual([]);
        await server.line('there', asked.length);
        await server.gone();
        expect(server.lines).toEqual(expect.arrayContaining(['TERM ends me', 'TERM is ignored']));
        expect(server.codes).toEqual([]);
      });
    });

    test('it keeps its place until then', async () => {
      const sources = {
        a: `printf 'Content-Length: 2\\n\\nok'; exec >&-; echo there >&2; read _ < "$GATE"; echo over >&2`,
      };
      await withPrograms(variant, sources, { maxConcurrent: 1 }, async (server) => {
        expect((await server.ask('/a')).body.toString()).toBe('ok');
        await server.line('there');
        const second = server.ask('/a');
        for (let asked = 0; asked < 10; asked += 1) await new Promise((resolve) => setImmediate(resolve));
        expect(server.lines).toEqual(['there']);
        server.openGate();
        expect((await second).body.toString()).toBe('ok');
        await server.line('there', 2);
        expect(server.lines).toEqual(['there', 'over', 'there']);
        server.openGate();
        await server.line('over', 2);
      });
    });

    test('a child in the background goes on, and holds neither the answer nor a place', async () => {
      const source = `${head}; echo hello; (exec < /dev/null > /dev/null 2>&1; read _ < "$GATE"; echo x > gate-was-open) &`;
      await withPrograms(variant, { a: source }, { ...short, maxConcurrent: 1 }, async (server) => {
        expect((await server.ask('/a')).body.toString()).toBe('hello\n');
        expect(await server.answers()).toBe(true);
        // The program that answered last may be about to end.
        await expect.poll(() => server.processes()).toHaveLength(1);
        server.openGate();
        await server.gone();
      });
    });

    test('a daemon that has forked twice goes on, and holds neither the answer nor a place', async () => {
      const source = `${head}; echo hello; (setsid sh -c 'exec < /dev/null > /dev/null 2>&1; read _ < "$GATE"' &)`;
      await withPrograms(variant, { a: source }, { ...short, maxConcurrent: 1 }, async (server) => {
        expect((await server.ask('/a')).body.toString()).toBe('hello\n');
        expect(await server.answers()).toBe(true);
        expect(server.processes().length).toBeGreaterThan(0);
        server.openGate();
        await server.gone();
      });
    });

    test('a child that holds only the standard error holds neither the answer nor a place', async () => {
      const source = `${head}; echo hello; (exec > /dev/null; read _ < "$GATE") &`;
      await withPrograms(variant, { a: source }, { ...short, maxConcurrent: 1 }, async (server) => {
        expect((await server.ask('/a')).body.toString()).toBe('hello\n');
        expect(await server.answers()).toBe(true);
        server.openGate();
        await server.gone();
      });
    });

    test('a child that holds the output prints the rest of the answer', async () => {
      const source = `${head}; echo hello; (read _ < "$GATE"; echo world) & echo left >&2`;
      await withPrograms(variant, { a: source }, {}, async (server) => {
        const connection = await server.open('/a');
        await connection.sees('hello');
        await server.line('left');
        server.openGate();
        expect((await connection.closed()).body.toString()).toBe('hello\nworld\n');
        expect(server.codes).toEqual([]);
      });
    });
  },
);
