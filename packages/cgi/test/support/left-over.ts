// What a test has left behind: open descriptors, processes, errors that nobody handled. Reads /proc, so only on Linux;
// elsewhere there is nothing to compare.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import { collectUnhandled } from '../../../client/test/support/unhandled.js';
import { until } from './within.js';

/** Sockets, pipes and files that this process has open; not what the runtime has for itself. */
function openDescriptors(): string[] {
  return list('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      const isOurs = /^(?:socket|pipe):/.test(target) || (target.startsWith('/') && !/^\/(?:dev|proc)\//.test(target));
      return isOurs ? [target] : [];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}

/** The processes, zombies included, whose parent is this one. */
export function childrenOfThisProcess(): number[] {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The processes in whose environment `variable` is, wherever they have gone. */
export function processesWith(variable: string): number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        return environment.split('\0').includes(variable) ? [Number(pid)] : [];
      } catch {
        return []; // It has ended meanwhile, or is somebody else's.
      }
    });
}

/** Runs `action`, and fails for what it leaves open, running or unhandled. */
export async function withNothingLeft(action: () => Promise<void>): Promise<void> {
  const descriptors = openDescriptors();
  const children = new Set(childrenOfThisProcess());
  const unhandled = collectUnhandled();
  try {
    await action();
    const newChildren = (): number[] => childrenOfThisProcess().filter((pid) => !children.has(pid));
    await until('its children have ended', () => newChildren().length === 0);
    // Not which, but how many: the runtime may have opened one of its own anew.
    await until('all is closed that it has opened', () => openDescriptors().length <= descriptors.length);
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  } finally {
    unhandled.stop();
  }
  expect(unhandled.errors).toEqual([]);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not Linux.
  }
}
