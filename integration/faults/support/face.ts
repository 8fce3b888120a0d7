// The ways by which somebody calls an SCGI backend, each behind the same few words: what was asked, what came of it.

import type { ScgiErrorCode } from '@scgi/core/protocol';
import type { GatewayOptions } from '@scgi/gateway';

/** What is asked of the backend. */
export interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** For POST. */
  readonly body: Uint8Array;
  /** Lets whoever asks leave. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the first bytes of the answer's body are there. */
  readonly onFirstBytes?: (() => void) | undefined;
}

/** What came of it. */
export interface Outcome {
  /** Undefined if no head came. */
  readonly status: number | undefined;
  readonly body: string;
  /** The answer is not whole, as far as whoever asked can see. */
  readonly broken: boolean;
  /** The codes of the errors that were reported. */
  readonly codes: readonly string[];
}

/** An opened way to a backend. */
export interface OpenFace {
  ask(asked: Asked): Promise<Outcome>;
  /** Stops what was opened; what is under way breaks off. */
  close(): Promise<void>;
}

/** Times and limits that all of them have. */
export type FaceOptions = Pick<
  GatewayOptions,
  | 'connectTimeout'
  | 'firstByteTimeout'
  | 'idleTimeout'
  | 'totalTimeout'
  | 'maxHeadBytes'
  | 'maxResponseSize'
  | 'maxConcurrent'
  | 'maxQueued'
  | 'queueTimeout'
>;

/** One way. */
export interface Face {
  readonly name: string;
  /** Before the head, a gateway answers with the status that fits the error; a client throws the error itself. */
  readonly kind: 'client' | 'gateway';
  /** Every request has limits of its own: there is no queue. */
  readonly perRequest?: boolean;
  open(target: string, options: FaceOptions): Promise<OpenFace>;
}

/** The code of whatever was thrown, for comparison. */
export function codeOf(error: unknown): ScgiErrorCode | string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return String(error);
}
