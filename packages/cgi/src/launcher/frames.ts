// What is said to and by the helpers, launcher.py and launcher.pl: orders as text between NULs behind a length, reports as three numbers. Bytes only.

import { constants } from 'node:os';
import type { Command } from './launcher.js';

/** Descriptors, in the helper, of the two ends of a pipe. */
export interface HelperPipe {
  readonly read: number;
  readonly write: number;
}

/** What a report is about. The helpers have the same numbers. */
export const reports = { pipe: 1, started: 2, failed: 3, exited: 4 } as const;

const REPORT_BYTES = 12;
const LENGTH_BYTES = 4;
/** Above the 16 bits of a wait status. */
const GROUP_LIVES = 1 << 16;

/**
 * An order to start a program. The command must have passed `refusalOf`: texts are latin1, without NUL.
 * @param pipes the input's, where it has one, the output's and the errors'
 */
export function encodeOrder(number: number, command: Command, pipes: readonly HelperPipe[]): Buffer {
  const { file, args, env, folder, hasInput } = command;
  let text = hasInput ? `${number}` : `${number}\0`;
  for (const { read } of pipes) text += `\0${read}`;
  text += `\0${folder}\0${args.length + 1}\0${file}`;
  for (const argument of args) text += `\0${argument}`;
  for (let index = 0; index < env.length; index += 2) text += `\0${env[index]}=${env[index + 1]}`;
  const order = Buffer.allocUnsafe(LENGTH_BYTES + text.length);
  order.writeUInt32BE(text.length);
  order.write(text, LENGTH_BYTES, 'latin1');
  return order;
}

/** Puts reports together from whatever arrives. */
export class ReportReader {
  readonly #onReport: (kind: number, first: number, second: number) => void;
  #rest: Buffer;

  constructor(onReport: (kind: number, first: number, second: number) => void) {
    this.#onReport = onReport;
    this.#rest = Buffer.alloc(0);
  }

  receive(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = data.length - (data.length % REPORT_BYTES);
    this.#rest = data.subarray(end);
    for (let at = 0; at < end; at += REPORT_BYTES) {
      this.#onReport(data.readUInt32BE(at), data.readUInt32BE(at + 4), data.readUInt32BE(at + 8));
    }
  }
}

/** How a program ended, from the second fact of `exited`. */
export interface Ending {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** Processes of its group are left. */
  readonly groupLives: boolean;
}

export function endingOf(fact: number): Ending {
  const groupLives = (fact & GROUP_LIVES) !== 0;
  const signal = fact & 0x7f;
  if (signal === 0) return { code: (fact >> 8) & 0xff, signal: undefined, groupLives };
  return { code: undefined, signal: signalNames.get(signal) ?? `SIG${signal}`, groupLives };
}

/** Of two names for one number, as SIGABRT and SIGIOT, the first. */
const signalNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .map(([name, number]): [number, string] => [number, name])
    .toReversed(),
);
