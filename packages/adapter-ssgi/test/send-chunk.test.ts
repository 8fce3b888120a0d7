// sendChunk(): a body of known length in pieces, which ends itself.

import { describe, expect, test } from 'vitest';
import { ask, askOnce, http, open, rejectionOf, serve, signal, within } from './support/stage.js';

describe('sendChunk', () => {
  test('states the length with the first chunk and ends with the last', async () => {
    const results: unknown[] = [];
    const { bytes, ended } = await askOnce(async (res) => {
      results.push(await res.sendChunk('abc', 6), await res.sendChunk(Buffer.from('def'), 6));
    });
    expect(bytes.toString()).toBe('Status: 200 OK\r\nContent-Length: 6\r\n\r\nabcdef');
    expect(results).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(ended).toBe('fin');
  });

  test('counts bytes, not characters', async () => {
    const { text, fault } = await askOnce((res) => res.sendChunk('ü☕', 5));
    expect([text, fault]).toEqual(['ü☕', undefined]);
  });

  test('leaves a Content-Length alone that is there', async () => {
    const { fields } = await askOnce(async (res) => {
      res.sendHeaders([['content-length', '3']]);
      await res.sendChunk('abc', 3);
    });
    expect(fields).toEqual(['content-length', '3']);
  });

  test('ends at once for a total of 0', async () => {
    const results: unknown[] = [];
    const { headers } = await askOnce(async (res) => {
      results.push(await res.sendChunk('', 0));
    });
    expect([results, headers['content-length']]).toEqual([[[true, true]], '0']);
  });

  test('goes on behind send', async () => {
    const { text } = await askOnce(async (res) => {
      res.sendHeaders([['Content-Length', 4]]);
      res.send('ab', true);
      await res.sendChunk('cd', 4);
    });
    expect(text).toBe('abcd');
  });

  test('cuts what goes beyond the total, and the application hears of it', async () => {
    const results: unknown[] = [];
    const { text, fault, ended, errors } = await askOnce(async (res) => {
      results.push(await res.sendChunk('abc', 5), await res.sendChunk('defg', 5));
    });
    expect([text, fault, ended]).toEqual(['abcde', undefined, 'fin']);
    expect(results).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH', details: { totalSize: 5, excess: 2 } }]);
  });

  test('resolves when the client takes more', async () => {
    const done: number[] = [];
    const { address } = await serve(
      http(async (res) => {
        for (let count = 1; count <= 5; count += 1) {
          await res.sendChunk(Buffer.alloc(4_000_000), 20_000_000);
          done.push(count);
        }
      }),
    );
    const client = await open(address);
    client.pause();
    const stuck = new Promise<void>((resolve) => setImmediate(resolve));
    await stuck;
    expect(done.length).toBeLessThan(5);
    client.resume();
    await client.closed();
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });

  test('says that it is over when the client is gone', async () => {
    const results: unknown[] = [];
    const over = signal();
    const { address, errors } = await serve(
      http(async (res) => {
        const chunk = Buffer.alloc(4_000_000);
        for (let done = false; !done;) {
          const result = await res.sendChunk(chunk, 1_000_000_000_000);
          results.push(result);
          [, done] = result;
        }
        results.push(await res.sendChunk(chunk, 1_000_000_000_000));
        over.resolve();
      }),
    );
    const client = await open(address);
    await client.sees('Content-Length: 1000000000000');
    await client.leave();
    await within(over.promise, 'the end of the handler');
    expect(results.slice(-2)).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(errors).toEqual([]);
  });

  test('sends no body for HEAD, and ends all the same', async () => {
    const { bytes } = await askOnce((res) => res.sendChunk('abc', 3), { method: 'HEAD' });
    expect(bytes.toString()).toBe('Status: 200 OK\r\nContent-Length: 3\r\n\r\n');
  });

  test.each([-1, 1.5, NaN, Infinity])('refuses %d for a total', async (total) => {
    const errors: unknown[] = [];
    await askOnce(async (res) => {
      errors.push(await rejectionOf(res.sendChunk('a', total)));
      res.send('x');
    });
    expect(errors).toMatchObject([{ name: 'LocalProtocolError', code: 'ERR_SCGI_OPTION' }]);
  });

  test('is broken off if the response ends before its total', async () => {
    const { address, errors } = await serve(
      http(async (res) => {
        await res.sendChunk('abc', 6);
        res.send('d');
      }),
    );
    expect((await ask(address)).fault).toMatchObject({ code: 'ERR_SCGI_RESPONSE_TRUNCATED' });
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' }]);
  });
});
