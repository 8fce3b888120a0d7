// One request and the program it is for: what is asked of Apache and of us alike.

import type { AllowedDifferenceName } from '../allowed-differences.js';
import type { Field } from './answer.js';

/** Default: a GET of the probe. Texts are latin1. */
export interface Case {
  readonly method?: string;
  /** Sent as it is. `PROGRAM` in it stands for the program that the case brings. Default `/cgi-bin/probe`, or that program. */
  readonly target?: string;
  readonly protocol?: 'HTTP/1.0' | 'HTTP/1.1';
  /** Sent after Host and Connection, as they are. */
  readonly fields?: readonly Field[];
  /** Instead of `example.test` with the port. */
  readonly host?: string;
  /** Sent with its Content-Length unless the fields say how it is sent. */
  readonly body?: string | Buffer;
  readonly tls?: boolean;
  /** A program of the case's own, which prints this and does nothing else. */
  readonly prints?: string;
  /** Any other file of its own, as it is. */
  readonly file?: string;
  /** Of that file. Default 0o755. */
  readonly mode?: number;
  /** What the file's name begins or ends with. */
  readonly prefix?: string;
  readonly suffix?: string;
  /** The differences that occur in it, by front end; a list stands for both. */
  readonly allowed?: readonly AllowedDifferenceName[] | Partial<Record<FrontEnd, readonly AllowedDifferenceName[]>>;
}

/** What stands before our server. */
export type FrontEnd = 'nginx' | 'apache';

/** Cases by their names, which are sentences. */
export type Cases = Readonly<Record<string, Case>>;

export function allowedBehind({ allowed = [] }: Case, frontEnd: FrontEnd): readonly AllowedDifferenceName[] {
  return 'length' in allowed ? allowed : (allowed[frontEnd] ?? []);
}
