// Signals to a whole process group.

/** Sends `signal` to every process of the group that `leader` leads. Nothing happens where the group is gone. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // ESRCH: nobody is left. EPERM: what is left has become somebody else's (a setuid program), and is not ours to end.
  }
}
