// What starts programs on this machine, and in what they are allowed to differ.

import { isContinuousIntegration, programs } from '../../../../scripts/support/executables.js';
import type { HelperCommand, HelperLanguage } from '../../src/launcher/find-helper.js';
import { findHelper } from '../../src/launcher/find-helper.js';
import { HelperLauncher } from '../../src/launcher/helper-launcher.js';
import type { Launcher } from '../../src/launcher/launcher.js';
import { NodeLauncher } from '../../src/launcher/node-launcher.js';

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

const languages: readonly HelperLanguage[] = ['python', 'perl'];

/** The helpers that this machine can run. */
export const helpers: readonly (HelperCommand & { readonly language: HelperLanguage })[] = languages.flatMap(
  (language) => {
    const command = findHelper(language);
    if (command !== undefined) return [{ language, ...command }];
    // A launcher that is not tested must not pass for one that is.
    if (isContinuousIntegration) throw new Error(`install the package "${programs[language].debianPackage}"`);
    return [];
  },
);

/** In place of the launcher that helps out: here nothing may need it. */
const failing: Launcher = {
  launch: () => {
    throw new Error('the fallback was asked');
  },
  close: () => {},
};

export const kinds: readonly LauncherKind[] = [
  {
    name: 'the launcher of Node.js',
    create: () => new NodeLauncher(),
    passesOctets: false,
    hasPipes: false,
    refusesGarbage: false,
  },
  ...helpers.map((command) => ({
    name: `the launcher in ${command.language}`,
    create: () => new HelperLauncher(command, failing),
    passesOctets: true,
    hasPipes: true,
    refusesGarbage: true,
  })),
];
