// What Linux says about a process: CPU time and memory. All threads of it, so garbage collection counts.

import { readdirSync, readFileSync } from 'node:fs';

/** Unit of the times in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time that the process has used, in seconds, to the precision of 0.01. */
export function cpuSeconds(pid) {
  return secondsOf(pid, 11, 12);
}

/** The same for a process, all that it has started, and all of these that have ended. */
export function treeCpuSeconds(pid) {
  return childrenOf(pid).reduce((sum, child) => sum + treeCpuSeconds(child), secondsOf(pid, 11, 12, 13, 14));
}

/** Fields behind the name: user time, system time, and both of children that have ended. */
function secondsOf(pid, ...indexes) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in parentheses and may hold blanks: utime and stime are the 12th and 13th behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return indexes.reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_PER_SECOND;
}

/** Process ids of the children of a process. */
export function childrenOf(pid) {
  // Of each thread: any of them may have forked.
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Resident memory now and its highest value so far, in MiB. */
export function memoryMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) / 1024;
  return { current: field('VmRSS'), peak: field('VmHWM') };
}
