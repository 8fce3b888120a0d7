// What a row of the table of faults says, and the words that several rows share.

import type { ScgiErrorCode } from '@scgi/core/protocol';
import type { AnswerParts, MockBehaviour, Script } from '@scgi/testing';
import * as mock from '@scgi/testing';
import type { Asked, FaceOptions } from './face.js';

export type Transport = 'unix' | 'tcp';

/** What must come of a fault. */
export type Expected =
  /** An error with one of these codes: before the head, or behind it and what came of the body. */
  | { readonly codes: readonly ScgiErrorCode[]; readonly after?: string }
  /** None: an answer that a tolerant reader takes for whole. */
  | { readonly status: number; readonly body: string };

/** One thing to go wrong. */
export interface Fault {
  readonly stage: 'connection' | 'request' | 'head' | 'body' | 'end';
  readonly name: string;
  /** What the first connection meets; where it is a list, later ones are answered. */
  readonly script: Script | MockBehaviour;
  /** Default: both. */
  readonly transports?: readonly Transport[];
  /** Default GET. */
  readonly asks?: Asked['method'];
  /** Of a POST. Default 1,000,000 bytes. */
  readonly bodyBytes?: number;
  readonly options?: FaceOptions;
  readonly expected: Expected | Readonly<Record<Transport, Expected>>;
  /** How the next request comes to be answered. Default: by the next connection. */
  readonly recovers?: 'by listening' | 'never';
}

/** A time limit that a fault is to hit, milliseconds. */
export const short = 70;
/** For a whole request, which the next one has to keep on a busy machine too. */
export const shortTotal = 500;
/** A whole head, to count in. */
export const head: Buffer = mock.answerBytes({ body: '' });
export const half: AnswerParts = { body: 'half', lieAboutLength: 4 };
export const halfOpen: AnswerParts = { body: 'half', contentLength: null };
/** Half an answer, and nothing more until whoever asked has seen it. */
export const seenHalf = (parts: AnswerParts): Script => [
  mock.receive(),
  mock.send(mock.answerBytes(parts)),
  mock.gate('seen'),
];
export const answerOf = (bytes: string): Script => [mock.receive(), mock.send(bytes), mock.end()];
