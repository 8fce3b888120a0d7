// What a process still holds: open descriptors, child processes, and errors that nobody handled.
// Reads /proc, so only on Linux; elsewhere the descriptor lists are empty and the comparisons hold trivially.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './deadline.js';

export { collectUnhandled } from '../../packages/client/test/support/unhandled.js';

/** What each open descriptor of a process refers to: `socket:[123]`, `/path/of/file`, `pipe:[45]`. */
export function openDescriptors(pid: number = process.pid): string[] {
  const folder = `/proc/${pid}/fd`;
  return listFolder(folder).flatMap((descriptor) => {
    try {
      return [readlinkSync(join(folder, descriptor))];
    } catch {
      return []; // Closed between the listing and now, as the listing's own descriptor is.
    }
  });
}

/** The child processes of a process. */
export function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // Not Linux, or the process is gone.
  }
}

/**
 * Waits until a process holds no more sockets than before, and rejects with what is left over if that does not come
 * true within `ms`. Sockets of the last requests may take a moment to close, so this asks more than once.
 */
export async function expectNoLeaks(before: readonly string[], pid: number = process.pid, ms = 5_000): Promise<void> {
  const known = new Set(before);
  const left = (): string[] => openDescriptors(pid).filter((target) => isLeakable(target) && !known.has(target));
  const count = (descriptors: readonly string[]): number => descriptors.filter(isLeakable).length;
  await until(
    () => count(openDescriptors(pid)) <= count(before),
    ms,
    () => `descriptors of process ${pid} that were not open before: ${left().join(', ')}; their closing`,
  );
}

/** Pipes, event descriptors and files of the runtime itself come and go; sockets and ordinary files are ours. */
function isLeakable(target: string): boolean {
  return target.startsWith('socket:') || (target.startsWith('/') && !target.startsWith('/dev/'));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not Linux, or the process is gone.
  }
}
