// The bytes of a file on their way: whole, or an error; and the file closed in any case.

import {
  appendFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { chunkBytes, FileContent } from '../../src/files/file-content.js';
import { folderWith, openCount, showsDescriptors } from '../support/files.js';

const length = 3 * chunkBytes + 5;
const bytes = Buffer.alloc(length, 'the quick brown fox jumps over the lazy dog ');
const failure = (fault: string): object =>
  expect.objectContaining({
    code: 'ERR_SCGI_SENDFILE',
    details: expect.objectContaining({ fault: expect.stringContaining(fault) }),
  });

function prepare(start = 0, end = length): { path: string; content: FileContent } {
  const path = join(folderWith({ file: bytes }), 'file');
  return { path, content: new FileContent(path, statSync(path, { bigint: true }), start, end) };
}

async function collect(content: FileContent): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('the bytes of a file', () => {
  it.each([
    [0, length],
    [0, 1],
    [chunkBytes, 2 * chunkBytes],
    [chunkBytes - 1, 2 * chunkBytes + 1],
    [length - 1, length],
    [7, 7],
  ])('from %i to %i come as they are, all at once or in pieces', async (start, end) => {
    const { path, content } = prepare(start, end);
    expect(content.length).toBe(end - start);
    expect(bytes.subarray(start, end).equals(await content.readWhole())).toBe(true);
    expect(bytes.subarray(start, end).equals(await collect(content))).toBe(true);
    if (showsDescriptors) expect(openCount(path)).toBe(0);
  });

  it('are read no faster than they are taken', async () => {
    const { content } = prepare();
    let taken = 0;
    let most = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length;
        most = Math.max(most, chunk.length);
        setImmediate(done);
      },
    });
    await pipeline(content.stream(), slow);
    expect({ taken, most }).toEqual({ taken: length, most: chunkBytes });
  });

  it.each<[string, (path: string) => void, string]>([
    ['is shorter by then', (path) => truncateSync(path, 5), 'changed'],
    ['is longer by then', (path) => appendFileSync(path, 'x'), 'changed'],
    ['was touched', (path) => utimesSync(path, 1, 1), 'changed'],
    [
      'is another one of the same length',
      (path) => (writeFileSync(`${path}2`, bytes), renameSync(`${path}2`, path)),
      'changed',
    ],
    ['is gone', (path) => rmSync(path), 'opened'],
    ['has become a link', (path) => (renameSync(path, `${path}2`), symlinkSync(`${path}2`, path)), 'opened'],
  ])('are an error where the file %s', async (_name, change, fault) => {
    const { path, content } = prepare();
    change(path);
    await expect(content.readWhole()).rejects.toEqual(failure(fault));
    await expect(collect(content)).rejects.toEqual(failure(fault));
    if (showsDescriptors) expect(openCount(path)).toBe(0);
  });

  it('are an error, behind what was there, where the file shrinks meanwhile', async () => {
    const { path, content } = prepare();
    const chunks = content.chunks();
    expect((await chunks.next()).value).toHaveLength(chunkBytes);
    truncateSync(path, chunkBytes + 3);
    expect((await chunks.next()).value).toHaveLength(3);
    await expect(chunks.next()).rejects.toEqual(failure('shorter'));
    if (showsDescriptors) expect(openCount(path)).toBe(0);
  });

  it('end where they were said to end where the file grows meanwhile', async () => {
    const { path, content } = prepare();
    const chunks = content.chunks();
    let total = (await chunks.next()).value?.length ?? 0;
    appendFileSync(path, 'more');
    for await (const chunk of chunks) total += chunk.length;
    expect(total).toBe(length);
  });
});

describe.skipIf(!showsDescriptors)('the file', () => {
  it('is not open before the first byte is wanted', async () => {
    const { path, content } = prepare();
    const stream = content.stream();
    expect(openCount(path)).toBe(0);
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    expect(openCount(path)).toBe(0);
  });

  it('is closed when nobody wants more', async () => {
    const { path, content } = prepare();
    for await (const chunk of content.chunks()) {
      expect({ open: openCount(path), length: chunk.length }).toEqual({ open: 1, length: chunkBytes });
      break;
    }
    expect(openCount(path)).toBe(0);
  });
});
