// A whole process group: signals to it, and whether it is still there.
//
// Its number is that of its leader. While any process of the group lives, the system gives the number to nobody else.
// Once the leader has been waited for and the group is empty, the number is free: from then on nothing is sent. Between
// the two, a group that lives on without its leader may empty unseen; its number comes again only after the whole range
// has been gone through, and who ends groups does it within seconds.

/** The group of one program. */
export class ProcessGroup {
  readonly #leader: number;
  #isGone: boolean;

  constructor(leader: number) {
    this.#leader = leader;
    this.#isGone = false;
  }

  /** Sends `signal` to every process of it. Nothing happens where it is gone. */
  signal(signal: NodeJS.Signals): void {
    this.#send(signal);
  }

  /** Whether it has any process left, a zombie included. */
  exists(): boolean {
    return this.#send(0);
  }

  /** To be called as soon as the leader has been waited for, if nobody was left then. */
  markGone(): void {
    this.#isGone = true;
  }

  #send(signal: NodeJS.Signals | 0): boolean {
    if (this.#isGone) return false;
    try {
      return process.kill(-this.#leader, signal);
    } catch {
      // ESRCH: nobody is left. EPERM: what is left has become somebody else's (a setuid program), and is not ours to end.
      return false;
    }
  }
}
