// A disk that fills up while a body is kept.

import { once } from 'node:events';
import fs, { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Spool } from '../src/exchange/spool.js';
import { until, within } from './support/within.js';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;
type Write = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  done: Done,
) => void;

/** Stands in for a write that goes to the disk itself, for one test. */
const disk: { write: ((real: Write) => Write) | undefined } = { write: undefined };
const realWrite = fs.write;

beforeAll(() => {
  const plain: Write = (descriptor, bytes, offset, length, position, done) =>
    realWrite(descriptor, bytes, offset, length, position, done);
  const write: Write = (...args) => (disk.write?.(plain) ?? plain)(...args);
  replaceWrite(write);
});

afterEach(() => {
  disk.write = undefined;
});

afterAll(() => replaceWrite(realWrite));

/** For everybody who has imported it. */
function replaceWrite(write: unknown): void {
  Object.assign(fs, { write });
  syncBuiltinESMExports();
}

function makeSpool(): { spool: Spool; openFiles: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-spool-'));
  const spool = new Spool({ maxHeldBody: 0, spoolFolder: folder });
  onTestFinished(() => {
    spool.destroy();
    rmSync(folder, { recursive: true, force: true });
  });
  const isOpen = (descriptor: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  };
  return { spool, openFiles: () => readdirSync('/proc/self/fd').filter(isOpen).length };
}

test('a write that takes a part is gone on with', async () => {
  disk.write = (real) => (descriptor, bytes, offset, length, position, done) =>
    real(descriptor, bytes, offset, Math.min(length, 7), position, done);
  const { spool } = makeSpool();
  spool.end('a text that is longer than seven bytes');
  await within('the finish', once(spool, 'finish'));
  const [chunk]: unknown[] = await within('the body', once(spool.createReadable(), 'data'));
  expect(String(chunk)).toBe('a text that is longer than seven bytes');
});

test('a disk that is full is an error, and frees what there is', async () => {
  disk.write = () => (_descriptor, _bytes, _offset, _length, _position, done) => {
    setImmediate(done, Object.assign(new Error('full'), { code: 'ENOSPC' }), 0);
  };
  const { spool, openFiles } = makeSpool();
  spool.write('x');
  const [error]: unknown[] = await within('the error', once(spool, 'error'));
  expect(error).toMatchObject({ code: 'ERR_SCGI_SPOOL', details: { reason: 'ENOSPC' }, cause: { code: 'ENOSPC' } });
  await until('the file is closed', () => openFiles() === 0);
});

test('a file is closed once nothing is under way in it', async () => {
  let finish = (): void => {};
  const { spool, openFiles } = makeSpool();
  disk.write =
    (real) =>
    (...args) => {
      finish = () => real(...args);
    };
  spool.write('x');
  await until('the file is open', () => openFiles() === 1);
  spool.destroy();
  await within('the close', once(spool, 'close'));
  expect(openFiles()).toBe(1);
  finish();
  await until('the file is closed', () => openFiles() === 0);
});
