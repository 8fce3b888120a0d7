// Chooses what starts programs.

import { LocalProtocolError } from '@scgi/core/protocol';
import { findPerl } from './find-perl.js';
import type { Launcher } from './launcher.js';
import { NodeLauncher } from './node-launcher.js';
import { PerlLauncher } from './perl-launcher.js';

export type LauncherName = 'auto' | 'node' | 'perl';

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for another name, and for 'perl' where there is none to be trusted */
export function createLauncher(name: LauncherName): Launcher {
  const perl = name === 'node' ? undefined : findPerl();
  if (name === 'node' || (name === 'auto' && perl === undefined)) return new NodeLauncher();
  if ((name === 'auto' || name === 'perl') && perl !== undefined) return new PerlLauncher(perl);
  const remedy = name === 'perl' ? "install it as /usr/bin/perl on Linux, or use 'auto'" : undefined;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'launcher', value: String(name), remedy });
}
