// Programs that print without measure: what is held here of it, and who is held back.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encodeRequest } from '@scgi/core/protocol';
import { describe, expect, test } from 'vitest';
import { variants, withPrograms } from '../support/cgi-server.js';
import { until, within } from '../support/within.js';

const MIB = 1 << 20;

/** Prints 64 MiB, 64 KiB at a time, and says on standard error how many of these were taken. */
const counting = `#!/usr/bin/perl
my $piece = "x" x (1 << 16);
$| = 1;
print "A: b\\n\\n";
for my $taken (1 .. 1024) {
  for (my $at = 0; $at < length $piece;) {
    my $written = syswrite STDOUT, $piece, length($piece) - $at, $at;
    exit 1 unless defined $written;
    $at += $written;
  }
  print STDERR "taken $taken\\n";
}
`;
const nphCounting = counting.replace('A: b', 'HTTP/1.0 200 OK');

/** A client that counts what it gets, and keeps none of it. */
class Counter {
  readonly socket: Socket;
  bytes: number;
  readonly ended: Promise<void>;

  constructor(target: string, uri: string) {
    this.socket = target.startsWith('unix:') ? connect(target.slice(5)) : connect(Number(target.split(':')[1]));
    this.bytes = 0;
    this.socket.on('data', (chunk) => (this.bytes += chunk.length));
    this.socket.on('error', () => {});
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve()));
    const variables = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', uri, 'SERVER_PROTOCOL', 'HTTP/1.1', 'HTTP_HOST', 'x'];
    this.socket.write(encodeRequest(variables, 0));
  }
}

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test.each([
    ['a program', 'a'],
    ['an NPH program', 'nph-a'],
  ])('%s that prints faster than its client reads is held back', async (_, name) => {
    await withPrograms(variant, { a: counting, 'nph-a': nphCounting }, { timeout: 2000 }, async (server) => {
      const client = new Counter(server.target, `/${name}`);
      client.socket.once('data', () => client.socket.pause());
      await server.line('taken');
      let last = -1;
      let unchanged = 0;
      await until('the program is held back', () => {
        unchanged = server.lines.length === last ? unchanged + 1 : 0;
        last = server.lines.length;
        return unchanged >= 20;
      });
      // What sockets and streams hold, and no more.
      expect(last).toBeLessThan(128);
      client.socket.resume();
      await within('the end of the answer', client.ended, 20_000);
      expect(client.bytes).toBeGreaterThan(64 * MIB);
      expect(server.codes).toEqual([]);
    });
  });

  test('an endless answer ends with its client', async () => {
    await withPrograms(variant, { a: 'echo A: b; echo; exec cat /dev/zero' }, {}, async (server) => {
      const client = new Counter(server.target, '/a');
      await until('a megabyte has come', () => client.bytes > MIB);
      client.socket.destroy();
      await server.gone();
      expect(server.codes).toEqual([]);
    });
  });

  test('an endless answer to HEAD is dropped until lingerTimeout', async () => {
    const source = 'echo A: b; echo; exec cat /dev/zero';
    await withPrograms(variant, { a: source }, { lingerTimeout: 200 }, async (server) => {
      const connection = await server.open('/a', 'HEAD');
      expect(await connection.closed()).toMatchObject({ status: 200, ended: 'fin', fault: undefined });
      await server.gone();
      expect(server.codes).toEqual([]);
    });
  });
});

test('a gigabyte goes through without being held here', async () => {
  const source = 'printf "A: b\\n\\n"; exec head -c 1073741824 /dev/zero';
  for (const variant of variants.slice(-1)) {
    await withPrograms(variant, { a: source }, {}, async (server) => {
      await server.answers();
      const before = process.memoryUsage.rss();
      let most = before;
      let chunks = 0;
      const client = new Counter(server.target, '/a');
      client.socket.on('data', () => {
        chunks += 1;
        if (chunks % 100 === 0) most = Math.max(most, process.memoryUsage.rss());
      });
      await within('the end of the answer', client.ended, 60_000);
      expect(client.bytes).toBeGreaterThan(1024 * MIB);
      expect((most - before) / MIB).toBeLessThan(150);
    });
  }
}, 60_000);

describe.each(variants)('standard error, with launcher $launcher over $transport:', (variant) => {
  const answer = 'printf "Content-Length: 5\\n\\nhello"';

  test('a flood of it neither holds up the answer nor fills the log', async () => {
    const source = `head -c 50000000 /dev/zero | tr '\\0' x >&2 & yes flood | head -c 50000000 >&2; ${answer}; wait`;
    await withPrograms(variant, { a: source }, { maxErrorBytes: 10_000 }, async (server) => {
      const response = await server.ask('/a');
      expect([response.status, response.body.toString()]).toEqual([200, 'hello']);
      await server.line('…');
      expect(server.lines.join('').length).toBeLessThan(11_000);
      expect(server.lines.at(-1)).toBe('… 99990000 more bytes (maxErrorBytes)');
    });
  }, 30_000);

  test('one that never ends does not hold up the answer, and ends with lingerTimeout', async () => {
    const source = `exec 3>&1; exec >&-; yes >&2 & ${answer} >&3; exec 3>&-; wait`;
    await withPrograms(variant, { a: source }, { maxErrorBytes: 1000, lingerTimeout: 200 }, async (server) => {
      const response = await server.ask('/a');
      expect([response.status, response.body.toString()]).toEqual([200, 'hello']);
      await server.gone();
      await server.line('…');
    });
  });

  test('a last line without its end is logged; nothing in it can pass for another line', async () => {
    const source = `${answer}; printf 'one\\ntwo\\rthree\\033[2J\\nlast' >&2`;
    await withPrograms(variant, { a: source }, {}, async (server) => {
      await server.ask('/a');
      await server.line('last');
      expect(server.lines).toEqual(['one', 'two\\u000dthree\\u001b[2J', 'last']);
    });
  });

  test('what is written before a failure is logged as well', async () => {
    await withPrograms(variant, { a: 'echo cannot open the database >&2; exit 1' }, {}, async (server) => {
      expect((await server.ask('/a')).status).toBe(502);
      await server.line('cannot open the database');
    });
  });
});
