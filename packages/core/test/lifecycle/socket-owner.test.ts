// Account names to numbers, from files in the format of passwd(5) and group(5).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveGroup, resolveUser, unchanged } from '../../src/lifecycle/socket-owner.js';
import { failureOf, temporaryFolder } from './support.js';

function accountFile(): string {
  const file = join(temporaryFolder(), 'accounts');
  writeFileSync(
    file,
    'root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken\nwww-data:x:33:33::/var/www:/bin/false\n+::::::\n',
  );
  return file;
}

test('finds a user and a group by name', () => {
  const file = accountFile();
  expect(resolveUser('www-data', file)).toBe(33);
  expect(resolveGroup('root', file)).toBe(0);
});

test('takes a number as it is, whether the account exists or not', () => {
  expect(resolveUser(12_345, accountFile())).toBe(12_345);
});

test('means "leave it" when nothing is given', () => {
  expect(resolveUser(undefined)).toBe(unchanged);
  expect(resolveGroup(undefined)).toBe(unchanged);
});

test.each(['nobody-here', 'broken', '+', 'www'])('refuses the unknown group %s and says so', async (name) => {
  const error = await failureOf(() => resolveGroup(name, accountFile()));
  expect(error.code).toBe('ERR_SCGI_BIND');
  expect(error.message).toContain(`group "${name}"`);
  expect(error.message).toContain('there is no such group');
  expect(error.message).toContain('give its number');
});

test.each([-1, 1.5, 2 ** 32 - 1, Number.NaN])('refuses the account number %d', async (id) => {
  const error = await failureOf(() => resolveUser(id));
  expect(error.message).toContain('not an account number');
});

test('knows no names where there is no such file', async () => {
  const error = await failureOf(() => resolveUser('root', join(temporaryFolder(), 'missing')));
  expect(error.message).toContain('there is no such user');
});
