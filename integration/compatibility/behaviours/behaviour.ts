// What a behaviour is: something a client does, what it sees of it, and what must be so over HTTP for every kind.

import type { KindName } from '../kinds/index.js';
import type { Client, Observation } from '../support/client.js';

export interface Behaviour {
  readonly observe: (client: Client) => Promise<Observation>;
  /** What the oracle must show, whatever the kind: `toMatchObject`. Keeps two wrong answers from being equal. */
  readonly expected: Observation;
  /** Where the HTTP server of a kind does something else. */
  readonly exceptions?: Partial<Record<KindName, Observation>>;
}

/** Name, a sentence, → behaviour. */
export type BehaviourTable = Readonly<Record<string, Behaviour>>;
