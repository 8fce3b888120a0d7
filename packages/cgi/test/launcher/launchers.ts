// What starts programs on this machine, and in what they are allowed to differ.

import { isContinuousIntegration, programs } from '../../../../scripts/support/executables.js';
import { findPerl } from '../../src/launcher/find-perl.js';
import type { Launcher } from '../../src/launcher/launcher.js';
import { NodeLauncher } from '../../src/launcher/node-launcher.js';
import { PerlLauncher } from '../../src/launcher/perl-launcher.js';

export interface LauncherKind {
  readonly name: string;
  create(): Launcher;
  /** Texts that are not UTF-8 arrive as they are. Node.js puts U+FFFD in their place. */
  readonly passesOctets: boolean;
  /** Standard streams can be opened by name, as /dev/stdin. Those of Node.js are sockets, which cannot (ENXIO). */
  readonly hasPipes: boolean;
  /** What the system cannot execute is not run at all. libuv has /bin/sh try, if it is no plain text. */
  readonly refusesGarbage: boolean;
}

const perl = findPerl();
// A launcher that is not tested must not pass for one that is.
if (perl === undefined && isContinuousIntegration) {
  throw new Error(`no Perl that can be trusted; install the package "${programs.perl.debianPackage}"`);
}

const nodeKind: LauncherKind = {
  name: 'the launcher of Node.js',
  create: () => new NodeLauncher(),
  passesOctets: false,
  hasPipes: false,
  refusesGarbage: false,
};

const perlKinds: readonly LauncherKind[] =
  perl === undefined
    ? []
    : [
        {
          name: 'the launcher in Perl',
          create: () => new PerlLauncher(perl, failing),
          passesOctets: true,
          hasPipes: true,
          refusesGarbage: true,
        },
      ];

/** In place of the launcher that helps out: here nothing may need it. */
const failing: Launcher = {
  launch: () => {
    throw new Error('the fallback was asked');
  },
  close: () => {},
};

export const kinds: readonly LauncherKind[] = [nodeKind, ...perlKinds];
