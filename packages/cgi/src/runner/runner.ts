// The seam between requests and what answers them as a CGI program does, be it a process or a function of this one. Knows
// neither.

import type { Writable } from 'node:stream';
import type { HttpRequestFacts } from '@scgi/core/env';
import type { ResponseHead, ScgiError } from '@scgi/core/protocol';
import type { MountedTarget } from '@scgi/core/relay';
import type { RedirectOrigin } from './environment.js';

/** One request. */
export interface RunRequest<Incoming> {
  readonly facts: HttpRequestFacts;
  readonly mounted: MountedTarget;
  /** What the front end has sent beside the request's own; undefined where the request did not come over SCGI. */
  readonly scgiEnv: Readonly<Record<string, string | undefined>> | undefined;
  /** What Content-Length says; undefined without one. */
  readonly contentLength: number | undefined;
  readonly redirectedFrom: RedirectOrigin | undefined;
  /** As users' functions get it. */
  readonly incoming: Incoming;
}

/** Makes runs of programs. */
export interface Runner<Incoming> {
  /**
   * Undefined where there is no program for this request.
   * @throws {ScgiError} for a program that must not be run, for what the client sent, for an `env` function that fails
   */
  prepare(request: RunRequest<Incoming>, handler: RunHandler): Promise<Run | undefined>;
  /** Starts no more of them; those that run go on. */
  close(): void;
}

/** One run of a program. */
export interface Run {
  /** Starts the program, at once or when its turn has come. */
  start(): void;
  /** After an `onBody` that returned false. */
  resume(): void;
  /** Bytes have gone to the program's input. */
  noteInput(): void;
  /** Nobody wants the answer any more: ends the program, or the wait for it. Does nothing once the answer is whole. */
  destroy(): void;
}

/** Hears of one run. One of the last two is called, once, unless the run is destroyed before. */
export interface RunHandler {
  /** The program runs; undefined where it was not to have input. Errors of the stream are taken care of. */
  onInput(input: Writable | undefined): void;
  onHead(head: ResponseHead): void;
  /** Returns false to ask for a pause until `resume`. */
  onBody(data: Uint8Array): boolean;
  onEnd(): void;
  onError(error: ScgiError): void;
}
