// Which helper is trusted, and which launcher is chosen.

import { chmodSync, copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLauncher } from '../../src/launcher/create-launcher.js';
import { findHelper } from '../../src/launcher/find-helper.js';
import { HelperLauncher } from '../../src/launcher/helper-launcher.js';
import { NodeLauncher } from '../../src/launcher/node-launcher.js';
import { helpers } from './launchers.js';

const folder = mkdtempSync(join(tmpdir(), 'scgi-perl-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('a program of the system is trusted, and the first of several taken', () => {
    expect(findHelper('perl', ['/missing/perl', '/bin/true', '/bin/false'])?.file).toMatch(/^(\/usr)?\/bin\/true$/);
  });

  test('a link is followed to what it leads to, which is what is used', () => {
    symlinkSync('/bin/true', join(folder, 'link'));
    expect(findHelper('perl', [join(folder, 'link')])?.file).toMatch(/^(\/usr)?\/bin\/true$/);
  });

  test('a program below a folder that all may write to is not, as anything in /tmp', () => {
    copyFileSync('/bin/true', join(folder, 'perl'));
    chmodSync(join(folder, 'perl'), 0o755);
    expect(findHelper('perl', [join(folder, 'perl')])).toBeUndefined();
  });

  test.each([
    ['is not there', '/missing/perl'],
    ['is not executable', '/etc/passwd'],
  ])('a program that %s is none', (_, path) => expect(findHelper('perl', [path])).toBeUndefined());
});

describe('the launcher is chosen by name:', () => {
  test("'node'", () => expect(createLauncher('node')).toBeInstanceOf(NodeLauncher));

  test("'auto' takes a helper where there is one", () => {
    expect(createLauncher('auto')).toBeInstanceOf(helpers.length === 0 ? NodeLauncher : HelperLauncher);
  });

  test.each(helpers)("'$language'", ({ language }) => {
    expect(createLauncher(language)).toBeInstanceOf(HelperLauncher);
  });

  test.each(['ruby', 'toString', ''])('%j is impossible', (name) => {
    expect(() => Reflect.apply(createLauncher, undefined, [name])).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION' }),
    );
  });
});
