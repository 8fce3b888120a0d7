// When the answer of a function in the place of a CGI program is over, and what it may still do then.

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { CgiFunction } from '../../src/index.js';
import { startFunction } from '../support/function.js';
import { writePrograms } from '../support/programs.js';

const head = 'Content-Type: text/plain\n\n';

const whole: readonly [name: string, program: CgiFunction][] = [
  [
    'a function that returns',
    (_environ, _stdin, stdout) => {
      stdout.write(`${head}al`);
      stdout.write('l');
    },
  ],
  [
    'a promise that resolves',
    async (_environ, _stdin, stdout) => {
      stdout.write(head);
      await setImmediate();
      stdout.write('all');
    },
  ],
  [
    'anything with a then',
    (_environ, _stdin, stdout) => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then(resolve: () => void) {
        stdout.write(`${head}all`);
        resolve();
      },
    }),
  ],
  ['stdout.end()', (_environ, _stdin, stdout) => void stdout.end(`${head}all`)],
  [
    'stdout.end() in a callback, when nothing was written at first',
    (_environ, _stdin, stdout) => void globalThis.setImmediate(() => stdout.end(`${head}all`)),
  ],
  [
    'stdout.end() at the end of the input',
    (_environ, stdin, stdout) => {
      stdout.write(head);
      stdin.on('data', () => {});
      stdin.on('end', () => stdout.end('all'));
    },
  ],
  [
    'the end of what is piped into stdout',
    (_environ, _stdin, stdout) => {
      stdout.write(head);
      Readable.from(['a', 'l', 'l']).pipe(stdout);
    },
  ],
  [
    'the end of what is piped into stdout, in a promise that does not wait for it',
    async (_environ, _stdin, stdout) => {
      stdout.write(head);
      Readable.from(['a', 'l', 'l']).pipe(stdout);
    },
  ],
  [
    'the end of a pipeline into stdout',
    async (_environ, _stdin, stdout) => {
      stdout.write(head);
      await pipeline(Readable.from(['a', 'l', 'l']), stdout);
    },
  ],
  [
    'a promise behind a pipe that does not end stdout',
    async (_environ, _stdin, stdout) => {
      stdout.write(head);
      const source = Readable.from(['a', 'l']);
      source.pipe(stdout, { end: false });
      await once(source, 'end');
      stdout.write('l');
    },
  ],
];

test.each(whole)('the answer ends with %s', async (_name, program) => {
  const { ask, errors } = await startFunction(program);
  expect((await ask()).text).toBe('all');
  expect((await ask({ method: 'POST', body: 'form' })).text).toBe('all');
  expect(errors).toEqual([]);
});

describe('the reading of stdin', () => {
  const bodies = ['', 'x', 'a=1&b=2', 'ä'.repeat(40_000)];
  const readers: readonly [name: string, program: CgiFunction][] = [
    [
      'by events',
      (_environ, stdin, stdout) => {
        let body = '';
        stdin.setEncoding('utf8');
        stdin.on('data', (chunk) => (body += chunk));
        stdin.on('end', () => stdout.end(head + body));
      },
    ],
    [
      'by readable',
      (_environ, stdin, stdout) => {
        const chunks: Buffer[] = [];
        stdin.on('readable', () => {
          for (let chunk = stdin.read(); chunk !== null; chunk = stdin.read()) chunks.push(chunk);
        });
        stdin.on('end', () => stdout.end(Buffer.concat([Buffer.from(head), ...chunks])));
      },
    ],
    [
      'by iteration',
      async (_environ, stdin, stdout) => {
        stdout.write(head);
        for await (const chunk of stdin) stdout.write(chunk);
      },
    ],
    [
      'by a pipe',
      (_environ, stdin, stdout) => {
        stdout.write(head);
        stdin.pipe(stdout);
      },
    ],
    [
      'by a pipeline',
      (_environ, stdin, stdout) => {
        stdout.write(head);
        return pipeline(stdin, stdout);
      },
    ],
    [
      'by CONTENT_LENGTH',
      async (environ, stdin, stdout) => {
        const chunks: Buffer[] = [];
        let left = Number(environ['CONTENT_LENGTH'] ?? 0);
        while (left > 0) {
          const chunk = stdin.read();
          if (chunk === null) await once(stdin, 'readable');
          else chunks.push(chunk);
          left -= chunk?.length ?? 0;
        }
        stdout.write(Buffer.concat([Buffer.from(head), ...chunks]));
      },
    ],
  ];
  test.each(readers)('%s gives exactly the body', async (_name, program) => {
    const { ask, errors } = await startFunction(program);
    for (const body of bodies) expect((await ask({ method: 'POST', body })).text).toBe(body);
    expect((await ask()).text).toBe('');
    expect(errors).toEqual([]);
  });

  test('of a form by URLSearchParams', async () => {
    const { ask } = await startFunction(async (_environ, stdin, stdout) => {
      let body = '';
      for await (const chunk of stdin.setEncoding('utf8')) body += chunk;
      stdout.write(head + new URLSearchParams(body).get('name'));
    });
    expect((await ask({ method: 'POST', body: 'name=Ad%C3%A4+L' })).text).toBe('Adä L');
  });

  test('is not needed: an answer before the end of the input arrives', async () => {
    const { connect } = await startFunction((_environ, _stdin, stdout) => void stdout.write(`${head}early`));
    const socket = await connect();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n');
    socket.write(Buffer.alloc(1_000_000));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    // The rest goes by, and the connection ends in order.
    socket.resume().end(Buffer.alloc(4_000_000));
    await once(socket, 'close');
    expect(socket.errored).toBe(null);
  });
});

describe('a function that has answered', () => {
  test('may go on reading until its promise resolves', async () => {
    let read = 0;
    const { connect } = await startFunction(async (_environ, stdin, stdout) => {
      stdout.end(`Content-Length: 2\n\nok`);
      for await (const chunk of stdin) read += chunk.length;
    });
    const socket = await connect();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n');
    socket.write(Buffer.alloc(3_000_000));
    await once(socket, 'data');
    await expect.poll(() => read).toBe(3_000_000);
  });

  test('is told when it goes on for longer than lingerTimeout', async () => {
    const reasons: unknown[] = [];
    const { ask, errors } = await startFunction(
      async (_environ, _stdin, stdout, { signal }) => {
        stdout.end(head);
        await once(signal, 'abort');
        reasons.push(signal.reason);
      },
      { lingerTimeout: 10 },
    );
    await ask();
    await expect.poll(() => reasons.length).toBe(1);
    expect(reasons).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_TIMEOUT', details: { lingerTimeout: 10 } }]);
    expect(errors).toEqual([]);
  });

  test('and fails then is reported, and its answer stays whole', async () => {
    const { ask, errors } = await startFunction(async (_environ, _stdin, stdout) => {
      stdout.end(`${head}all`);
      await setImmediate();
      throw new Error('cleaning up');
    });
    expect((await ask()).text).toBe('all');
    await expect.poll(() => errors.length).toBe(1);
    expect(errors[0]).toMatchObject({ code: 'ERR_SCGI_PROGRAM_FAILED', cause: new Error('cleaning up') });
  });
});

test('a function that writes when it has returned and answered is reported, with what to do', async () => {
  const { ask, errors } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write(`${head}half`);
    void setTimeout(1).then(() => stdout.write('the rest'));
  });
  expect((await ask()).text).toBe('half');
  await expect.poll(() => errors.length).toBe(1);
  const remedy = 'return a promise, or call stdout.end()';
  expect(errors[0]).toMatchObject({ code: 'ERR_SCGI_PROGRAM_FAILED', details: { remedy } });
});

test('a function that writes behind an end that has not gone out yet breaks its answer off', async () => {
  const { ask, errors } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write(head);
    stdout.write(Buffer.alloc(200_000), () => stdout.write('more'));
  });
  await expect(ask()).rejects.toThrow();
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_PROGRAM_FAILED']);
});

test('a function that neither writes nor returns a promise, and never ends, runs into timeout, with what to do', async () => {
  const { ask, errors } = await startFunction(() => {}, { timeout: 20 });
  expect((await ask()).status).toBe(504);
  const details = { timeout: 20, remedy: 'return a promise, or call stdout.end()' };
  expect(errors).toMatchObject([{ code: 'ERR_SCGI_PROGRAM_TIMEOUT', details }]);
});

test('a promise that resolves without a word is a 502, as a program that prints nothing', async () => {
  const { ask, errors } = await startFunction(async () => {});
  expect((await ask()).status).toBe(502);
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SCGI_RESPONSE_EMPTY']);
});

test('a file that is piped into stdout arrives', async () => {
  const folder = writePrograms({ file: 'x'.repeat(300_000) });
  const { ask } = await startFunction((_environ, _stdin, stdout) => {
    stdout.write(head);
    createReadStream(join(folder, 'file')).pipe(stdout);
  });
  expect((await ask()).body.length).toBe(300_000 + '#!/bin/sh\n'.length);
});
