// Programs that print no answer, a broken one, or too much of one.

import { describe, expect, test } from 'vitest';
import { everyVariant, variants, withPrograms } from '../support/cgi-server.js';

const noAnswers: Readonly<Record<string, readonly [source: string, code: string]>> = {
  nothing: [':', 'ERR_SCGI_RESPONSE_EMPTY'],
  'nothing, and exits with 1': ['exit 1', 'ERR_SCGI_RESPONSE_EMPTY'],
  'nothing, and is killed': ['kill -9 $$', 'ERR_SCGI_PROGRAM_DIED'],
  'nothing, and crashes': ['kill -SEGV $$', 'ERR_SCGI_PROGRAM_DIED'],
  garbage: ['echo "Hello, world!"; echo; echo', 'ERR_SCGI_RESPONSE_HEAD'],
  'random bytes': ['head -c 100000 /dev/urandom | tr -d ":\\n"', 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
  'half a head': ['printf "Content-Type: text/plain\\r\\n"', 'ERR_SCGI_RESPONSE_HEAD'],
  'half a head, and exits with 3': ['printf "Content-Type: te"; exit 3', 'ERR_SCGI_RESPONSE_HEAD'],
  'half a head, and is killed': ['printf "Content-Type: te"; kill -9 $$', 'ERR_SCGI_PROGRAM_DIED'],
  'a head of 1 MiB': ['echo A: b; exec head -c 1048576 /dev/zero', 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
  'a head without end': ['exec yes A: b', 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'],
  'a status that is none': ['printf "Status: OK\\n\\n"', 'ERR_SCGI_RESPONSE_STATUS'],
  'a switch of protocols': ['printf "Status: 101\\n\\n"; exec cat /dev/zero', 'ERR_SCGI_RESPONSE_STATUS'],
  'chunks of HTTP': ['printf "Transfer-Encoding: chunked\\n\\n0\\r\\n\\r\\n"', 'ERR_SCGI_RESPONSE_FRAMING'],
};

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a program that prints no answer is a 502', async () => {
    const sources = Object.fromEntries(Object.entries(noAnswers).map(([name, [source]]) => [name, source]));
    await withPrograms(variant, sources, {}, async (server) => {
      const outcomes: Record<string, unknown> = {};
      for (const name of Object.keys(noAnswers)) {
        const { status, body, ended } = await server.ask(`/${encodeURIComponent(name)}`);
        outcomes[name] = [status, body.toString(), ended, ...server.codes.splice(0)];
      }
      // The status phrase, and nothing of the cause.
      const expected = Object.entries(noAnswers).map(([name, [, code]]) => [
        name,
        [502, '502 Bad Gateway\n', 'fin', code],
      ]);
      expect(outcomes).toEqual(Object.fromEntries(expected));
    });
  });

  test('a program that prints half a head and hangs is a 504, and is ended', async () => {
    await withPrograms(variant, { a: 'printf "A: b\\n"; exec sleep 1000' }, { timeout: 150 }, async (server) => {
      expect(await server.ask('/a')).toMatchObject({ status: 504, ended: 'fin' });
      expect(server.codes).toEqual(['ERR_SCGI_PROGRAM_TIMEOUT']);
    });
  });

  test('an exit status other than 0 does not spoil a whole answer', async () => {
    await withPrograms(variant, { a: 'printf "A: b\\n\\nhello"; exit 7' }, {}, async (server) => {
      const response = await server.ask('/a');
      expect([response.status, response.body.toString(), server.codes]).toEqual([200, 'hello', []]);
    });
  });

  test('what is printed behind a Content-Length is dropped', async () => {
    const source = 'printf "Content-Length: 5\\n\\nhello and more"; head -c 3000000 /dev/zero; echo done >&2';
    await withPrograms(variant, { a: source }, {}, async (server) => {
      const response = await server.ask('/a');
      expect([response.status, response.body.toString(), server.codes]).toEqual([200, 'hello', []]);
      // It was not ended for it, nor left to wait for a reader.
      await server.line('done');
    });
  });

  test('an NPH program that prints garbage is a 502', async () => {
    await withPrograms(variant, { 'nph-a': 'echo Hello' }, {}, async (server) => {
      expect(await server.ask('/nph-a')).toMatchObject({ status: 502 });
      expect(server.codes).toEqual(['ERR_SCGI_RESPONSE_HEAD']);
    });
  });
});

const brokenAnswers: Readonly<Record<string, readonly [source: string, code: string]>> = {
  'shorter than its length': ['printf "Content-Length: 9\\n\\nhello"; read _ < "$GATE"', 'ERR_SCGI_RESPONSE_TRUNCATED'],
  killed: ['printf "Content-Length: 9\\n\\nhello"; read _ < "$GATE"; kill -9 $$', 'ERR_SCGI_PROGRAM_DIED'],
  crashed: ['printf "Content-Length: 9\\n\\nhello"; read _ < "$GATE"; kill -SEGV $$', 'ERR_SCGI_PROGRAM_DIED'],
  hanging: ['printf "Content-Length: 9\\n\\nhello"; read _ < "$GATE"; exec sleep 1000', 'ERR_SCGI_PROGRAM_TIMEOUT'],
  'killed, without a length': ['printf "A: b\\n\\nhello"; read _ < "$GATE"; kill -9 $$', 'ERR_SCGI_PROGRAM_DIED'],
  'crashed, without a length': ['printf "A: b\\n\\nhello"; read _ < "$GATE"; kill -SEGV $$', 'ERR_SCGI_PROGRAM_DIED'],
  'hanging, without a length': [
    'printf "A: b\\n\\nhello"; read _ < "$GATE"; exec sleep 1000',
    'ERR_SCGI_PROGRAM_TIMEOUT',
  ],
  'nph-chunks': [
    'printf "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhello\\r\\n"; read _ < "$GATE"',
    'ERR_SCGI_RESPONSE_TRUNCATED',
  ],
};

describe.each(everyVariant)('with launcher $launcher over $transport', (variant) => {
  test('an answer that breaks off does not look whole, where anything can show it', async () => {
    const sources = Object.fromEntries(Object.entries(brokenAnswers).map(([name, [source]]) => [name, source]));
    // Long enough for a shell to print its first line on a machine that is busy.
    await withPrograms(variant, sources, { timeout: 700 }, async (server) => {
      const outcomes: Record<string, unknown> = {};
      for (const name of Object.keys(brokenAnswers)) {
        const connection = await server.open(`/${encodeURIComponent(name)}`);
        await connection.sees('hello');
        server.openGate();
        const { status, body, fault, ended } = await connection.closed();
        outcomes[name] = [status, body.toString(), fault?.code, ended, ...server.codes.splice(0)];
        await server.gone();
      }
      // A Unix socket cannot be reset: there a Content-Length is all that shows it.
      const ended = variant.transport === 'tcp' ? 'reset' : 'fin';
      const expected = Object.entries(brokenAnswers).map(([name, [source, code]]) => {
        const fault = source.includes('Content-Length') ? 'ERR_SCGI_RESPONSE_TRUNCATED' : undefined;
        return [name, [200, 'hello', fault, ended, code]];
      });
      expect(outcomes).toEqual(Object.fromEntries(expected));
    });
  });
});
