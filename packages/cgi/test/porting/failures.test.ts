// Functions in the place of a CGI program that fail, clients that leave them, and back-pressure both ways.

import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { cgiHandler, type CgiFunction } from '../../src/index.js';
import { startFunction } from '../support/function.js';
import { startStage } from '../support/stage.js';

const head = 'Content-Type: text/plain\n\n';
const bug = new Error('a bug');

const failing: readonly [name: string, fail: CgiFunction][] = [
  [
    'throws',
    () => {
      throw bug;
    },
  ],
  ['rejects', () => Promise.reject(bug)],
  [
    'rejects later',
    async () => {
      await setImmediate();
      throw bug;
    },
  ],
  ['destroys its output', (_environ, _stdin, stdout) => void stdout.destroy(bug)],
  [
    'pipes what fails',
    (_environ, _stdin, stdout) => {
      const source = new Readable({ read() {} });
      source.pipe(stdout);
      source.destroy(bug);
    },
  ],
];

describe.each(failing)('a function that %s', (_name, fail) => {
  test('before its head is a 500 without the reason, which onError hears', async () => {
    const { ask, errors } = await startFunction((...args) => {
      args[2].write('Status: 200 OK\n');
      return fail(...args);
    });
    expect(await ask()).toMatchObject({ status: 500, text: '500 Internal Server Error\n' });
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_FAILED', statusHint: 500, cause: bug }]);
  });

  test('behind its head breaks the answer off', async () => {
    let go = (): void => {};
    const { open, errors } = await startFunction(async (...args) => {
      args[2].write(`${head}half`);
      await new Promise<void>((resolve) => (go = resolve));
      return fail(...args);
    });
    const response = await open();
    await once(response, 'readable');
    go();
    await expect(response.toArray()).rejects.toThrow();
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_FAILED', cause: bug }]);
  });
});

test('a failure reaches the signal and both streams', async () => {
  const seen: unknown[] = [];
  const { ask } = await startFunction(
    (_environ, stdin, stdout, { signal }) => {
      signal.addEventListener('abort', () => seen.push(['signal', signal.reason.code]));
      stdin.on('error', (error) => seen.push(['stdin', 'code' in error && error.code]));
      stdout.on('error', (error) => seen.push(['stdout', 'code' in error && error.code]));
    },
    { timeout: 10 },
  );
  const asked = await ask({ method: 'POST', body: 'x' });
  expect(asked.status).toBe(504);
  await expect.poll(() => seen.length).toBe(3);
  const code = 'ERR_SCGI_PROGRAM_TIMEOUT';
  expect(seen).toEqual([
    ['signal', code],
    ['stdin', code],
    ['stdout', code],
  ]);
});

test('what is thrown goes to console.error where nobody else hears of it', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { ask } = await startStage(
    cgiHandler(() => {
      throw bug;
    }),
  );
  expect((await ask({ path: '/x' })).status).toBe(500);
  expect(log).toHaveBeenCalledWith('GET /x failed:', expect.objectContaining({ cause: bug }));
  log.mockRestore();
});

describe('a deadline', () => {
  test('ends a function that stops behind its head', async () => {
    const { ask, errors } = await startFunction(
      async (_environ, _stdin, stdout, { signal }) => {
        stdout.write(`${head}half`);
        await once(signal, 'abort');
      },
      { timeout: 20 },
    );
    await expect(ask()).rejects.toThrow();
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_TIMEOUT', details: { timeout: 20 } }]);
  });

  test('of the whole call ends one that always moves', async () => {
    const { ask, errors } = await startFunction(
      async (_environ, _stdin, stdout) => {
        stdout.write(head);
        while (!stdout.destroyed) {
          stdout.write('.');
          await setImmediate();
        }
      },
      { runTimeout: 50 },
    );
    await expect(ask()).rejects.toThrow();
    expect(errors).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_TIMEOUT', details: { runTimeout: 50 } }]);
  });

  test('does not run while the client is slow', async () => {
    const { open, errors } = await startFunction(
      (_environ, _stdin, stdout) => {
        stdout.write(head);
        stdout.end(Buffer.alloc(20_000_000));
      },
      { timeout: 30 },
    );
    const response = await open();
    const started = performance.now();
    while (performance.now() - started < 100) await setImmediate();
    let length = 0;
    for await (const chunk of response) length += chunk.length;
    expect([length, errors]).toEqual([20_000_000, []]);
  });

  test.each(['timeout', 'runTimeout', 'lingerTimeout', 'maxHeadBytes', 'maxLineBytes', 'maxLocalRedirects'])(
    'or limit is checked when the handler is made: %s',
    (option) => {
      expect(() => cgiHandler(() => {}, { [option]: -1 })).toThrow(
        expect.objectContaining({ code: 'ERR_SCGI_OPTION' }),
      );
    },
  );
});

describe('a client that leaves', () => {
  const left = { code: 'ERR_SCGI_CLIENT_GONE' };

  test('while the function works aborts the signal and destroys stdout, and is nobody’s error', async () => {
    const seen: unknown[] = [];
    const { connect, errors } = await startFunction(async (_environ, _stdin, stdout, { signal }) => {
      seen.push('called');
      await once(signal, 'abort');
      seen.push(signal.reason, stdout.destroyed);
      await finished(stdout); // rejects
    });
    const socket = await connect();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => seen.length).toBe(1);
    socket.destroy();
    await expect.poll(() => seen.length).toBe(3);
    expect(seen).toMatchObject(['called', left, true]);
    expect(errors).toEqual([]);
  });

  test('inside of its upload fails stdin', async () => {
    const seen: unknown[] = [];
    const { connect, errors } = await startFunction(async (_environ, stdin) => {
      try {
        for await (const chunk of stdin) seen.push(chunk.length);
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    const socket = await connect();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab');
    await expect.poll(() => seen).toEqual([2]);
    socket.destroy();
    await expect.poll(() => seen).toMatchObject([2, left]);
    expect(errors).toEqual([]);
  });

  test('inside of a long answer ends a function that looks at stdout.destroyed', async () => {
    let state = 'not called';
    const { open, errors } = await startFunction(async (_environ, _stdin, stdout, { signal }) => {
      state = 'writes';
      stdout.write(head);
      while (!stdout.destroyed) {
        if (!stdout.write(Buffer.alloc(50_000))) await once(stdout, 'drain', { signal }).catch(() => {});
      }
      state = 'over';
    });
    const response = await open();
    await once(response, 'readable');
    response.destroy();
    await expect.poll(() => state).toBe('over');
    expect(errors).toEqual([]);
  });

  test('closes what was piped into stdout', async () => {
    let source: Readable | undefined;
    const { open } = await startFunction((_environ, _stdin, stdout) => {
      stdout.write(head);
      source = new Readable({
        read() {
          this.push(Buffer.alloc(50_000));
        },
      });
      source.pipe(stdout);
    });
    const response = await open();
    await once(response, 'readable');
    response.destroy();
    await expect.poll(() => source?.destroyed).toBe(true);
  });
});

describe('back-pressure', () => {
  /** Counts turns without movement: nothing moves any more. */
  async function standstill(moved: () => number): Promise<number> {
    let last = -1;
    for (let turns = 0; turns < 200; turns = moved() === last ? turns + 1 : 0) {
      last = moved();
      await setImmediate();
    }
    return last;
  }

  test('of a client that does not read reaches the function', async () => {
    let written = 0;
    let stdout: Writable | undefined;
    const total = 64 * 1024 * 1024;
    const { open } = await startFunction(async (_environ, _stdin, output) => {
      stdout = output;
      output.write(head);
      for (; written < total; written += 65_536) {
        if (!output.write(Buffer.alloc(65_536))) await once(output, 'drain');
      }
    });
    const response = await open();
    const atRest = await standstill(() => written);
    expect(stdout?.writableNeedDrain).toBe(true);
    expect(atRest).toBeLessThan(total);
    let length = 0;
    for await (const chunk of response) length += chunk.length;
    expect(length).toBe(total);
  });

  test('of a function that does not read reaches the client', async () => {
    const total = 64 * 1024 * 1024;
    let read = 0;
    let go = (): void => {};
    const { connect } = await startFunction(async (_environ, stdin, stdout) => {
      await new Promise<void>((resolve) => (go = resolve));
      for await (const chunk of stdin) read += chunk.length;
      stdout.write(`${head}${read}`);
    });
    const socket = await connect();
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`);
    socket.write(Buffer.alloc(total));
    const atRest = await standstill(() => socket.bytesWritten - socket.writableLength);
    expect(atRest).toBeLessThan(total);
    go();
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toContain(String(total));
  });

  test('lets a function wait for drain without a promise', async () => {
    const { ask, errors } = await startFunction((_environ, _stdin, stdout) => {
      stdout.write(head);
      if (stdout.write(Buffer.alloc(5_000_000))) throw new Error('the buffer takes too much');
      stdout.once('drain', () => stdout.end('end'));
    });
    expect((await ask()).body.length).toBe(5_000_003);
    expect(errors).toEqual([]);
  });
});
