// Bodies of unknown length, in memory and in a file.

import { once } from 'node:events';
import { fstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Spool, type SpoolOptions } from '../src/exchange/spool.js';
import { until, within } from './support/within.js';

function makeSpool(options: SpoolOptions = {}): Spool {
  const spool = new Spool(options);
  onTestFinished(() => {
    spool.destroy();
  });
  return spool;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function fill(spool: Spool, ...chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) spool.write(chunk);
  spool.end();
  await within('the spool to finish', once(spool, 'finish'));
}

async function readAll(readable: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  readable.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  await within('the end of the body', once(readable, 'end'));
  return Buffer.concat(chunks);
}

/** Open files of this process below a folder, those without a name as well. */
function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return '';
      }
    })
    .filter((path) => path.startsWith(folder));
}

/** Of large bodies: a difference need not be shown. */
function expectSame(bytes: Buffer, expected: Buffer): void {
  expect({ length: bytes.length, equal: bytes.equals(expected) }).toEqual({ length: expected.length, equal: true });
}

/** Bytes whose places can be told apart. */
function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let value = seed;
  for (let index = 0; index < length; index += 1) {
    value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[index] = value >> 16;
  }
  return bytes;
}

test('an empty body has length 0', async () => {
  const spool = makeSpool();
  await fill(spool);
  expect(spool.length).toBe(0);
  expect(await readAll(spool.createReadable())).toHaveLength(0);
});

test('a body within maxHeldBody makes no file', async () => {
  const folder = makeFolder();
  const spool = makeSpool({ maxHeldBody: 10_000, spoolFolder: folder });
  const pieces = [pattern(5000), pattern(10), pattern(20), pattern(4970)];
  await fill(spool, ...pieces);
  expect(openFiles(folder)).toEqual([]);
  expect(spool.length).toBe(10_000);
  expectSame(await readAll(spool.createReadable()), Buffer.concat(pieces));
});

test('a body beyond it goes on in a file that has no name', async () => {
  const folder = makeFolder();
  const spool = makeSpool({ maxHeldBody: 1000, spoolFolder: folder });
  const pieces = [pattern(900), pattern(200), pattern(300_000), pattern(1)];
  await fill(spool, ...pieces);
  expect(openFiles(folder)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
  expect(spool.length).toBe(301_101);
  expectSame(await readAll(spool.createReadable()), Buffer.concat(pieces));
});

test('the file is for its owner alone', async () => {
  const folder = makeFolder();
  const spool = makeSpool({ maxHeldBody: 0, spoolFolder: folder });
  await fill(spool, pattern(1));
  const descriptor = readdirSync('/proc/self/fd').find((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder);
    } catch {
      return false;
    }
  });
  expect(fstatSync(Number(descriptor)).mode & 0o777).toBe(0o600);
});

test('a body can be read more than once', async () => {
  const spool = makeSpool({ maxHeldBody: 1000, spoolFolder: makeFolder() });
  const body = pattern(200_000);
  await fill(spool, body);
  const readers = [spool.createReadable(), spool.createReadable()];
  for (const read of await Promise.all(readers.map(readAll))) expectSame(read, body);
});

test('many small pieces are kept together', async () => {
  const spool = makeSpool();
  const body = pattern(100_000);
  for (let index = 0; index < body.length; index += 1) spool.write(body.subarray(index, index + 1));
  spool.end();
  await within('the spool to finish', once(spool, 'finish'));
  const pieces: Buffer[] = [];
  for await (const piece of spool.createReadable()) pieces.push(piece);
  expect(pieces.length).toBeLessThan(10);
  expectSame(Buffer.concat(pieces), body);
});

test('strings are kept as UTF-8', async () => {
  const spool = makeSpool();
  spool.end('ä€');
  await within('the spool to finish', once(spool, 'finish'));
  expect(spool.length).toBe(5);
  expect((await readAll(spool.createReadable())).toString()).toBe('ä€');
});

test.each([
  { maxHeldBody: 100, maxSpooledBody: 200, length: 200, fits: true },
  { maxHeldBody: 100, maxSpooledBody: 200, length: 201, fits: false },
  { maxHeldBody: 100, maxSpooledBody: 100, length: 100, fits: true },
  { maxHeldBody: 100, maxSpooledBody: 0, length: 1, fits: false },
  { maxHeldBody: 0, maxSpooledBody: 0, length: 1, fits: false },
  { maxHeldBody: null, maxSpooledBody: 0, length: 0, fits: true },
  { maxHeldBody: 0, maxSpooledBody: null, length: 5000, fits: true },
])('keeps to its limits: %o', async ({ length, fits, ...limits }) => {
  const folder = makeFolder();
  const spool = makeSpool({ ...limits, spoolFolder: folder });
  const error = await within(
    'the body',
    pipeline([pattern(length)], spool, { end: true }).then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  if (fits) expect(error).toBeUndefined();
  else expect(error).toMatchObject({ name: 'BackendError', code: 'ERR_SCGI_LENGTH_REQUIRED', statusHint: 411 });
  expect(spool.destroyed).toBe(!fits);
  if (!fits) await until('no file is open', () => openFiles(folder).length === 0);
});

test('a folder that cannot be written to is an error with its cause', async () => {
  const spool = makeSpool({ maxHeldBody: 0, spoolFolder: join(makeFolder(), 'missing') });
  spool.write('x');
  const [error]: unknown[] = await within('the error', once(spool, 'error'));
  expect(error).toMatchObject({
    name: 'LocalProtocolError',
    code: 'ERR_SCGI_SPOOL',
    details: { reason: 'ENOENT' },
    cause: { code: 'ENOENT' },
  });
  expect(spool.destroyed).toBe(true);
});

test('tells of its failure by an error event, also when it fails within a write', async () => {
  const spool = makeSpool({ maxHeldBody: 1, maxSpooledBody: 1 });
  const failure = new Promise((resolve) => spool.once('error', resolve));
  spool.write(new Uint8Array(2));
  expect(await within('the error', failure)).toMatchObject({ code: 'ERR_SCGI_LENGTH_REQUIRED' });
});
