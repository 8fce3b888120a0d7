// The two streams of a function in the place of a CGI program, for themselves.

import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { ProgramStdin } from '../../src/porting/program-stdin.js';
import { ProgramStdout } from '../../src/porting/program-stdout.js';

/** A reader that takes pieces when it is told to. */
class Reader {
  readonly heard: string[] = [];
  readonly pieces: Uint8Array[] = [];
  takes = true;
  ended = false;

  receive(piece: Uint8Array): boolean {
    this.pieces.push(piece);
    return this.takes;
  }

  end(): void {
    this.ended = true;
  }

  onWrite(): void {}

  onBroken(cause: Error): void {
    this.heard.push(`broken: ${cause.message}`);
  }

  onLateWrite(): void {
    this.heard.push('late');
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }
}

function stdoutTo(reader: Reader): ProgramStdout {
  return new ProgramStdout(reader, reader);
}

describe('stdout', () => {
  test('lets whoever has written use the buffer again once the write is done', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    const buffer = Buffer.from('first');
    await new Promise((resolve) => stdout.write(buffer, resolve));
    buffer.write('other');
    expect(reader.text).toBe('first');
  });

  test('waits for a reader that asks for a pause, and says so to whoever writes', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    reader.takes = false;
    const size = stdout.writableHighWaterMark;
    expect(stdout.write(Buffer.alloc(size))).toBe(false);
    expect(stdout.write(Buffer.alloc(size))).toBe(false);
    expect([reader.pieces.length, stdout.writableNeedDrain]).toEqual([1, true]);
    reader.takes = true;
    stdout.resume();
    await finished(stdout.end());
    expect([reader.pieces.length, reader.ended]).toEqual([2, true]);
  });

  test('drains when the reader goes on', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    reader.takes = false;
    stdout.write(Buffer.alloc(stdout.writableHighWaterMark));
    const drained = new Promise((resolve) => stdout.once('drain', resolve));
    stdout.resume();
    await drained;
  });

  test('says what is written behind its end, once, before and after the end has gone out', async () => {
    for (const wait of [false, true]) {
      const reader = new Reader();
      const stdout = stdoutTo(reader);
      stdout.end('x');
      if (wait) await finished(stdout);
      stdout.write('y');
      stdout.write('z');
      await new Promise(setImmediate);
      expect([wait, reader.heard]).toEqual([wait, ['late']]);
    }
  });

  test('fails the writes that wait when it is destroyed', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    reader.takes = false;
    const results = ['a', 'b'].map(
      (text) => new Promise<unknown>((resolve) => stdout.write(text, (error) => resolve(error))),
    );
    stdout.destroy();
    for (const result of results) expect(await result).toBeInstanceOf(Error);
    expect(reader.heard).toEqual([expect.stringContaining('stdout was destroyed')]);
  });

  test('destroys what is piped into it when it is destroyed', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    reader.takes = false;
    const source = new Readable({ read() {} });
    source.push('a');
    source.pipe(stdout);
    await expect.poll(() => reader.pieces.length).toBe(1);
    stdout.destroy(new Error('gone'));
    await new Promise((resolve) => source.once('close', resolve));
    expect(reader.heard).toEqual(['broken: gone']);
  });

  test('takes the failure of what is piped into it for its own', async () => {
    const reader = new Reader();
    const source = new Readable({ read() {} });
    source.pipe(stdoutTo(reader));
    source.destroy(new Error('no such file'));
    await expect.poll(() => reader.heard[0]).toBe('broken: no such file');
  });

  test('takes a source that closes before its end for broken', async () => {
    const reader = new Reader();
    const source = new Readable({ read() {} });
    source.pipe(stdoutTo(reader));
    source.destroy();
    await expect.poll(() => reader.heard[0]).toContain('closed before its end');
  });

  test('lets a source alone that is no longer piped into it', async () => {
    const reader = new Reader();
    const stdout = stdoutTo(reader);
    const source = new Readable({ read() {} });
    source.pipe(stdout);
    expect(stdout.isPiped).toBe(true);
    source.unpipe(stdout);
    expect(stdout.isPiped).toBe(false);
    source.on('error', () => {});
    source.destroy(new Error('later'));
    await new Promise((resolve) => source.once('close', resolve));
    expect(reader.heard).toEqual([]);
  });

  test('is ended by a pipeline, and destroyed by one that fails', async () => {
    const reader = new Reader();
    await pipeline(Readable.from(['a', 'b']), stdoutTo(reader));
    expect([reader.text, reader.ended, reader.heard]).toEqual(['ab', true, []]);
    const failing = new Reader();
    const source = async function* (): AsyncGenerator<string> {
      yield 'a';
      throw new Error('half');
    };
    await expect(pipeline(source, stdoutTo(failing))).rejects.toThrow('half');
    expect([failing.ended, failing.heard]).toEqual([false, ['broken: half']]);
  });
});

describe('stdin', () => {
  test('is what is written to its source, to the end', async () => {
    const stdin = new ProgramStdin();
    stdin.source.write('a');
    stdin.source.end('b');
    expect(Buffer.concat(await stdin.toArray()).toString()).toBe('ab');
  });

  test('holds its source back while nobody reads, within two buffers', async () => {
    const stdin = new ProgramStdin();
    const { source } = stdin;
    let written = 0;
    while (source.write(Buffer.alloc(1024))) written += 1024;
    expect(written).toBeLessThanOrEqual(stdin.readableHighWaterMark + source.writableHighWaterMark);
    expect(stdin.readableLength).toBeLessThanOrEqual(stdin.readableHighWaterMark);
    const drained = new Promise((resolve) => source.once('drain', resolve));
    stdin.resume();
    await drained;
  });

  test('closes its source when it is destroyed', async () => {
    const stdin = new ProgramStdin();
    const closed = new Promise((resolve) => stdin.source.once('close', resolve));
    stdin.destroy(new Error('enough'));
    await closed;
    expect(stdin.source.writable).toBe(false);
  });

  test.each<[string, (stdin: ProgramStdin) => unknown]>([
    ['data', (stdin) => stdin.on('data', () => {})],
    ['readable', (stdin) => stdin.on('readable', () => {})],
    ['end', (stdin) => stdin.on('end', () => {})],
    ['a pipe', (stdin) => stdin.pipe(stdoutTo(new Reader()))],
    ['iteration', (stdin) => stdin[Symbol.asyncIterator]().next()],
  ])('knows a reader by %s', (_name, read) => {
    const stdin = new ProgramStdin();
    stdin.setEncoding('utf8');
    expect(stdin.hasReader).toBe(false);
    read(stdin);
    expect(stdin.hasReader).toBe(true);
  });
});
