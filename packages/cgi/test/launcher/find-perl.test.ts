// Which Perl is trusted.

import { chmodSync, copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLauncher } from '../../src/launcher/create-launcher.js';
import { findPerl } from '../../src/launcher/find-perl.js';
import { NodeLauncher } from '../../src/launcher/node-launcher.js';
import { PerlLauncher } from '../../src/launcher/perl-launcher.js';

const folder = mkdtempSync(join(tmpdir(), 'scgi-perl-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('a program of the system is trusted, and the first of several taken', () => {
    expect(findPerl(['/missing/perl', '/bin/true', '/bin/false'])).toMatch(/^(\/usr)?\/bin\/true$/);
  });

  test('a link is followed to what it leads to, which is what is used', () => {
    symlinkSync('/bin/true', join(folder, 'link'));
    expect(findPerl([join(folder, 'link')])).toMatch(/^(\/usr)?\/bin\/true$/);
  });

  test('a program below a folder that all may write to is not, as anything in /tmp', () => {
    copyFileSync('/bin/true', join(folder, 'perl'));
    chmodSync(join(folder, 'perl'), 0o755);
    expect(findPerl([join(folder, 'perl')])).toBeUndefined();
  });

  test.each([
    ['is not there', '/missing/perl'],
    ['is not executable', '/etc/passwd'],
  ])('a program that %s is none', (_, path) => expect(findPerl([path])).toBeUndefined());
});

describe('the launcher is chosen by name:', () => {
  test("'node'", () => expect(createLauncher('node')).toBeInstanceOf(NodeLauncher));

  test("'auto' takes Perl where there is one", () => {
    expect(createLauncher('auto')).toBeInstanceOf(findPerl() === undefined ? NodeLauncher : PerlLauncher);
  });

  test.skipIf(findPerl() === undefined)("'perl'", () => expect(createLauncher('perl')).toBeInstanceOf(PerlLauncher));
});
