// Chooses what starts programs.

import { LocalProtocolError } from '@scgi/core/protocol';
import type { Launcher } from './launcher.js';
import { NodeLauncher } from './node-launcher.js';

export type LauncherName = 'auto' | 'node' | 'perl';

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for another name */
export function createLauncher(name: LauncherName): Launcher {
  if (name === 'auto' || name === 'node') return new NodeLauncher();
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'launcher', value: String(name) });
}
