// Paths at which no Unix socket can be made, and the longest at which one can.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureOf, greeter, greetingFrom, maxPathBytes, openUnix, temporaryFolder } from './support.js';

describe('a path that cannot be', () => {
  const pathOf = (folder: string, bytes: number): string => join(folder, 'x'.repeat(bytes - folder.length - 1));

  test('may have every byte that a socket address holds', async () => {
    const path = pathOf(temporaryFolder(), maxPathBytes);
    await openUnix(greeter('hello'), path);
    expect(await greetingFrom({ path })).toBe('hello');
  });

  test('is refused with one byte more', async () => {
    const folder = temporaryFolder();
    const error = await failureOf(() => openUnix(greeter(), pathOf(folder, maxPathBytes + 1)));
    expect(error.code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(error.message).toContain(`it takes ${maxPathBytes + 1} bytes, a socket address holds ${maxPathBytes}`);
    expect(error.message).toContain('choose a shorter path');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is measured in bytes, not in characters', async () => {
    const folder = temporaryFolder();
    const name = 'ü'.repeat(Math.ceil((maxPathBytes - folder.length) / 2));
    const error = await failureOf(() => openUnix(greeter(), join(folder, name)));
    expect(error.message).toContain('choose a shorter path');
  });

  test('needs room for a name of four bytes, however short its own is', async () => {
    const folder = temporaryFolder();
    const deep = pathOf(folder, maxPathBytes - '/.x/s'.length);
    mkdirSync(deep);
    const { path } = await openUnix(greeter('hello'), join(deep, 'a'));
    expect(await greetingFrom({ path })).toBe('hello');
    mkdirSync(`${deep}y`);
    const error = await failureOf(() => openUnix(greeter(), join(`${deep}y`, 'a')));
    expect(error.message).toContain('choose a shorter path');
  });

  test('has a folder that does not exist', async () => {
    const folder = join(temporaryFolder(), 'missing');
    const server = greeter();
    const error = await failureOf(() => openUnix(server, join(folder, 'app.sock')));
    expect(error.code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(error.message).toContain(`the folder ${folder} does not exist`);
    expect(error.message).toContain(`mkdir -p ${folder}`);
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
    expect(server.listening).toBe(false);
  });

  test('has a file for a folder', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const error = await failureOf(() => openUnix(greeter(), join(file, 'app.sock')));
    expect(error.message).toContain(`${file} is not a folder`);
  });
});
