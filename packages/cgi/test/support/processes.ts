// Processes of this machine as /proc shows them. Linux only.

import { readFileSync, readdirSync } from 'node:fs';

/** The child processes of a process, zombies included. */
export function childrenOf(pid: number | 'self'): number[] {
  // A child belongs to the thread that forked it.
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1');
    return children.split(' ').filter(Boolean).map(Number);
  });
}

/** The helpers among the children. */
export function helpersOf(pid: number | 'self'): number[] {
  return childrenOf(pid).filter((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('/launcher/launcher.p');
    } catch {
      return false; // It has just ended.
    }
  });
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** How many descriptors a process has open. */
export function countDescriptors(pid: number | 'self'): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
