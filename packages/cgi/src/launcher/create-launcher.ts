// Chooses what starts programs.

import { LocalProtocolError } from '@scgi/core/protocol';
import type { HelperLanguage } from './find-helper.js';
import { findHelper } from './find-helper.js';
import { HelperLauncher } from './helper-launcher.js';
import type { Launcher } from './launcher.js';
import { NodeLauncher } from './node-launcher.js';

export type LauncherName = 'auto' | 'node' | HelperLanguage;

/** In order of preference. */
const languages: Readonly<Record<LauncherName, readonly HelperLanguage[]>> = {
  auto: ['python', 'perl'],
  python: ['python'],
  perl: ['perl'],
  node: [],
};

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for another name, and for a language that is not there or not to be trusted */
export function createLauncher(name: LauncherName): Launcher {
  if (!Object.hasOwn(languages, name)) throw impossible(name);
  const helpers = languages[name].flatMap((language) => findHelper(language) ?? []);
  if (helpers.length === 0 && name !== 'auto' && name !== 'node') {
    throw impossible(name, "install it in /usr/bin, on Linux, or use 'auto'");
  }
  // Where a helper cannot be had after all, the next one serves, and Node.js in the end.
  return helpers.reduceRight<Launcher>((next, helper) => new HelperLauncher(helper, next), new NodeLauncher());
}

function impossible(name: LauncherName, remedy?: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option: 'launcher', value: String(name), remedy });
}
