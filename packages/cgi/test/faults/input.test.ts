// Programs and the body of a request that they do not read, or not as it comes.

import { describe, expect, test } from 'vitest';
import type { CgiServer } from '../support/cgi-server.js';
import { variants, withPrograms } from '../support/cgi-server.js';
import { until } from '../support/within.js';

const MIB = 1 << 20;
const head = 'printf "Content-Type: text/plain\\n\\n"';

/** How much of an upload has left the client, when that has come to a halt. */
async function halted(socket: { readonly bytesWritten: number; readonly writableLength: number }): Promise<number> {
  let last = -1;
  let unchanged = 0;
  await until('the upload halts', () => {
    const sent = socket.bytesWritten - socket.writableLength;
    unchanged = sent === last ? unchanged + 1 : 0;
    last = sent;
    return unchanged >= 20;
  });
  return last;
}

async function expectHello(server: CgiServer, path: string, body: Uint8Array): Promise<void> {
  const response = await server.ask(path, body);
  expect([response.status, response.body.toString(), server.codes]).toEqual([200, 'hello\n', []]);
}

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a program that reads nothing of 64 MiB answers', async () => {
    await withPrograms(variant, { a: `${head}; echo hello` }, {}, async (server) => {
      await expectHello(server, '/a', Buffer.alloc(64 * MIB));
    });
  });

  test('a program that reads half of it, or closes its input, answers', async () => {
    const sources = {
      half: `head -c ${4 * MIB} > /dev/null; ${head}; echo hello`,
      line: `read line; ${head}; echo "$line"`,
      closes: `exec <&-; ${head}; echo hello`,
    };
    await withPrograms(variant, sources, {}, async (server) => {
      await expectHello(server, '/half', Buffer.alloc(8 * MIB));
      await expectHello(server, '/closes', Buffer.alloc(8 * MIB));
      await expectHello(server, '/line', Buffer.concat([Buffer.from('hello\n'), Buffer.alloc(8 * MIB)]));
    });
  });

  test('a program that does not read holds its client back, and gets all when it does', async () => {
    const source = `echo there >&2; read _ < "$GATE"; ${head}; wc -c`;
    await withPrograms(variant, { a: source }, {}, async (server) => {
      const connection = await server.open('/a', 'POST', 64 * MIB);
      await server.line('there');
      void connection.send(Buffer.alloc(64 * MIB));
      // What two sockets hold, and what core and the stream take in ahead.
      expect(await halted(connection.socket)).toBeLessThan(8 * MIB);
      server.openGate();
      expect((await connection.closed()).body.toString().trim()).toBe(String(64 * MIB));
      expect(server.codes).toEqual([]);
    });
  });

  test('a program that never reads is a 504, and the client is let go', async () => {
    await withPrograms(variant, { a: 'exec sleep 1000' }, { timeout: 300 }, async (server) => {
      const response = await server.ask('/a', Buffer.alloc(16 * MIB));
      expect([response.status, server.codes]).toEqual([504, ['ERR_SCGI_PROGRAM_TIMEOUT']]);
    });
  });

  test('a program that crashes over its input is a 502, and the client is let go', async () => {
    await withPrograms(variant, { a: 'read line; kill -SEGV $$' }, {}, async (server) => {
      const response = await server.ask('/a', Buffer.alloc(16 * MIB, 'x\n'));
      expect([response.status, server.codes]).toEqual([502, ['ERR_SCGI_PROGRAM_DIED']]);
    });
  });

  test('a program that prints garbage over its input is a 502, and the client is let go', async () => {
    await withPrograms(variant, { a: 'echo garbage; echo; read _ < "$GATE"' }, {}, async (server) => {
      const response = await server.ask('/a', Buffer.alloc(16 * MIB));
      expect([response.status, server.codes]).toEqual([502, ['ERR_SCGI_RESPONSE_HEAD']]);
    });
  });

  test('each piece arrives when it comes, and each answer to it goes out at once', async () => {
    const source = `${head}; while read line; do echo "got $line"; done`;
    await withPrograms(variant, { a: source }, {}, async (server) => {
      const connection = await server.open('/a', 'POST', 12);
      for (const piece of ['one', 'two', 'six']) {
        await connection.send(`${piece}\n`);
        await connection.sees(`got ${piece}`);
      }
      expect((await connection.closed()).body.toString()).toBe('got one\ngot two\ngot six\n');
    });
  });

  test('eight megabytes come back as they went', async () => {
    await withPrograms(variant, { a: `${head}; exec cat` }, {}, async (server) => {
      const body = Buffer.from(Array.from({ length: 8 * MIB }, (_, index) => (index * 7) % 251));
      const response = await server.ask('/a', body);
      expect(response.body.equals(body)).toBe(true);
    });
  });

  test('without a body a program reads the end at once', async () => {
    await withPrograms(variant, { a: `${head}; wc -c; echo "\${CONTENT_LENGTH-none}"` }, {}, async (server) => {
      expect((await server.ask('/a')).body.toString()).toMatch(/^ *0\n(?:none|0)\n$/);
    });
  });

  test('a child that holds the input of a program that has ended holds nobody up', async () => {
    const source = `exec 3<&0; (exec > /dev/null 2>&1; read _ < "$GATE") & ${head}; echo hello`;
    await withPrograms(variant, { a: source }, {}, async (server) => {
      await expectHello(server, '/a', Buffer.alloc(16 * MIB));
      server.openGate();
    });
  });
});
