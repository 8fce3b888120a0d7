// Signals to a whole process group.

/** Sends `signal` to every process of the group that `leader` leads. Nothing happens where the group is gone. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // ESRCH: nobody is left. EPERM: what is left has become somebody else's (a setuid program), and is not ours to end.
  }
}

/** Whether the group that `leader` leads, or has led, has any process left, a zombie included. */
export function groupExists(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}
