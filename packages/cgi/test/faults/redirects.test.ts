// Local redirects that lead nowhere, in circles, or away from a client that is gone.

import { describe, expect, test } from 'vitest';
import { variants, withPrograms } from '../support/cgi-server.js';

const head = 'printf "Content-Type: text/plain\\n\\n"';
const to = (path: string): string => `printf 'Location: ${path}\\n\\n'`;

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a redirect to a program that fails fails as that program does', async () => {
    const sources = {
      missing: to('/nothing'),
      hidden: to('/.htaccess'),
      above: to('/../fine'),
      folder: to('/'),
      garbage: to('/prints-garbage'),
      dead: to('/dies'),
      'prints-garbage': 'echo garbage; echo',
      dies: 'kill -9 $$',
    };
    await withPrograms(variant, sources, {}, async (server) => {
      const outcomes: Record<string, unknown> = {};
      for (const name of ['missing', 'hidden', 'above', 'folder', 'garbage', 'dead']) {
        const { status, ended } = await server.ask(`/${name}`);
        outcomes[name] = [status, ended, ...server.codes.splice(0)];
      }
      expect(outcomes).toEqual({
        missing: [404, 'fin', 'ERR_SCGI_PROGRAM_NOT_FOUND'],
        hidden: [404, 'fin', 'ERR_SCGI_PROGRAM_NOT_FOUND'],
        above: [404, 'fin', 'ERR_SCGI_PROGRAM_NOT_FOUND'],
        folder: [403, 'fin', 'ERR_SCGI_PROGRAM_FORBIDDEN'],
        garbage: [502, 'fin', 'ERR_SCGI_RESPONSE_HEAD'],
        dead: [502, 'fin', 'ERR_SCGI_PROGRAM_DIED'],
      });
    });
  });

  test('a loop is a 502 after maxLocalRedirects', async () => {
    const sources = { a: `echo there >&2; ${to('/b')}`, b: `echo there >&2; ${to('/a')}` };
    await withPrograms(variant, sources, { maxLocalRedirects: 4, maxConcurrent: 1 }, async (server) => {
      expect(await server.ask('/a')).toMatchObject({ status: 502, ended: 'fin' });
      expect(server.codes).toEqual(['ERR_SCGI_REDIRECT_LOOP']);
      await server.line('there', 5);
      expect(server.lines).toHaveLength(5);
    });
  });

  test('a maxLocalRedirects of 0 follows none', async () => {
    await withPrograms(variant, { a: to('/fine') }, { maxLocalRedirects: 0 }, async (server) => {
      expect((await server.ask('/a')).status).toBe(502);
      expect(server.codes).toEqual(['ERR_SCGI_REDIRECT_LOOP']);
    });
  });

  test('a redirect that dies by a signal is not followed', async () => {
    await withPrograms(variant, { a: `${to('/fine')}; kill -SEGV $$` }, {}, async (server) => {
      expect((await server.ask('/a')).status).toBe(502);
      expect(server.codes).toEqual(['ERR_SCGI_PROGRAM_DIED']);
    });
  });

  test('what is printed behind a redirect is dropped', async () => {
    await withPrograms(variant, { a: `${to('/fine')}; head -c 3000000 /dev/zero` }, {}, async (server) => {
      expect((await server.ask('/a')).body.toString()).toBe('fine');
    });
  });

  test('a redirect after a POST whose body nobody reads is answered, and the body is let by', async () => {
    const sources = { a: to('/b'), b: `${head}; wc -c; echo "$REQUEST_METHOD \${CONTENT_LENGTH-none}"` };
    await withPrograms(variant, sources, {}, async (server) => {
      const response = await server.ask('/a', Buffer.alloc(32 << 20));
      expect(response.body.toString().replace(/^ +/, '')).toBe('0\nGET none\n');
      expect(response.ended).toBe('fin');
      expect(server.codes).toEqual([]);
    });
  });

  test('a redirect before the body has come is answered before it has come', async () => {
    await withPrograms(variant, { a: to('/fine') }, {}, async (server) => {
      const connection = await server.open('/a', 'POST', 100);
      await connection.sees('fine');
      void connection.send('x'.repeat(100));
      expect((await connection.closed()).body.toString()).toBe('fine');
    });
  });

  test('a redirect waits for the place of its own program, even if that one lives on', async () => {
    const sources = { a: `${to('/fine')}; exec >&-; trap 'echo TERM >&2; exit' TERM; while :; do sleep 0.02; done` };
    await withPrograms(variant, sources, { maxConcurrent: 1, lingerTimeout: 200 }, async (server) => {
      expect((await server.ask('/a')).body.toString()).toBe('fine');
      await server.line('TERM');
    });
  });

  test('a redirect that finds neither a place nor room in the queue is a 503', async () => {
    const sources = { a: `${to('/fine')}; exec >&-; read _ < "$GATE"` };
    await withPrograms(variant, sources, { maxConcurrent: 1, maxQueued: 0 }, async (server) => {
      expect((await server.ask('/a')).status).toBe(503);
      expect(server.codes).toEqual(['ERR_SCGI_BACKEND_BUSY']);
      server.openGate();
      await server.gone();
    });
  });

  test.each([
    [
      'while the first program has not ended',
      { a: `${to('/b')}; echo there >&2; exec sleep 1000`, b: 'echo wrong >&2' },
    ],
    ['while the second program runs', { a: to('/b'), b: `echo there >&2; exec sleep 1000` }],
    ['while the second program answers', { a: to('/b'), b: `${head}; echo hello; echo there >&2; exec sleep 1000` }],
  ])('a client that leaves %s ends it', async (_, sources) => {
    await withPrograms(variant, sources, { maxConcurrent: 1 }, async (server) => {
      const connection = await server.open('/a');
      await server.line('there');
      await connection.leave();
      await server.gone();
      expect([server.lines, server.codes]).toEqual([['there'], []]);
    });
  });

  test('a client that leaves while the second program waits for its place has none started', async () => {
    const sources = { a: `${to('/b')}; echo there >&2; read _ < "$GATE"`, b: 'echo wrong >&2' };
    await withPrograms(variant, sources, { maxConcurrent: 1 }, async (server) => {
      // To HEAD an answer is whole with its head.
      const connection = await server.open('/a', 'HEAD');
      await server.line('there');
      await connection.leave();
      server.openGate();
      await server.gone();
      expect([server.lines, server.codes]).toEqual([['there'], []]);
    });
  });
});
