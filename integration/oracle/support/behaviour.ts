// What a behaviour is: a listener, perhaps a server set-up and a client script, run alike in both worlds.
// Holds types and the two small helpers that let a listener misuse an API on purpose.
import type { ScgiServerOptions } from '@scgi/core';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AllowedDifferenceName } from '../allowed-differences.js';
import type { Answer } from './answer.js';
import type { RawClient } from './client.js';
import type { Recorder } from './recorder.js';
import type { RequestPlan } from './wires.js';

/** What a client script can reach. */
export interface Stage {
  readonly client: RawClient;
  readonly server: Server;
  readonly port: number;
  /** The log of the server's side. */
  readonly log: Recorder;
  /** The log of the client's side: apart, because the order between the two sides is not fixed. */
  readonly notes: Recorder;
  /** Opens a further connection; it is closed when the behaviour is over. */
  connect(plan?: RequestPlan): Promise<RawClient>;
}

/** One observable behaviour of a server. */
export interface Behaviour {
  /** Default: `GET /`. */
  readonly request?: RequestPlan;
  /** For both servers; Node's ignores those of ours. */
  readonly options?: ScgiServerOptions;
  /** Makes the server with `events.captureRejections` on. */
  readonly captureRejections?: boolean;
  /** The listener throws or rejects, and what becomes of that is the subject. */
  readonly failing?: boolean;
  /** Runs alone, because what it observes belongs to the whole process. */
  readonly exclusive?: boolean;
  /** Called before the server listens. */
  readonly setUp?: (server: Server, log: Recorder) => void;
  readonly listener?: (req: IncomingMessage, res: ServerResponse, log: Recorder) => unknown;
  /** Default: send the request, read the answer. */
  readonly client?: (stage: Stage) => Promise<Answer | void>;
  /** Allowed differences beyond those that hold everywhere. */
  readonly allowed?: readonly AllowedDifferenceName[];
  /** Absent, or what this Node must have; the behaviour is skipped, visibly, where it returns false. */
  readonly needs?: { readonly what: string; readonly present: () => boolean };
}

/** Behaviours of one subject, by name. A name is a sentence whose subject is the server or the listener. */
export type BehaviourTable = Readonly<Record<string, Behaviour>>;

/** Calls a method with arguments that its types forbid, or that the oldest supported Node does not have. */
export function invoke(target: object, method: string, ...args: readonly unknown[]): unknown {
  const candidate: unknown = Reflect.get(target, method);
  if (typeof candidate !== 'function') throw new TypeError(`${method} is not a function`);
  return Reflect.apply(candidate, target, args);
}

/** Reads a property that the types do not know. */
export function peek(target: object, property: string): unknown {
  return Reflect.get(target, property);
}

/** Octets that show every shift or loss: a sequence with a period of 251. */
export function pattern(bytes: number): Buffer {
  return Buffer.alloc(bytes, period);
}

const period = Uint8Array.from({ length: 251 }, (_, index) => index);
