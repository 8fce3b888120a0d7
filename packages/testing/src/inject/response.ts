// An answer as a test looks at it.

import type { Readable } from 'node:stream';
import type { ResponseHead, ScgiError } from '@scgi/core/protocol';

/** The head of an answer. */
export interface InjectedHead {
  readonly status: number;
  readonly reason: string;
  /** Flat: name, value, name, value … as sent, without Status. */
  readonly fields: readonly string[];
  /** By lower-case names; a repeated field is joined with `, `, Set-Cookie is a list. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** An answer with its whole body. */
export interface InjectedResponse extends InjectedHead {
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
  /** The body as JSON. */
  json(): unknown;
  /** The answer is not whole: the server broke it off, or it does not keep to its Content-Length. */
  readonly broken: boolean;
  /** What a client would report of a broken answer. */
  readonly fault: ScgiError | undefined;
  /** What the application threw or rejected with. */
  readonly errors: readonly unknown[];
}

/** An answer whose body has not come yet. */
export interface StreamedResponse extends InjectedHead {
  /** Not reading it holds the application back; destroying it is a client that leaves. Errors where the answer breaks off. */
  readonly body: Readable;
  /** What the application has thrown or rejected with so far. */
  readonly errors: readonly unknown[];
}

/** Makes of a decoded head what tests read. */
export function toInjectedHead(head: ResponseHead): InjectedHead {
  const { status, reason, fields } = head;
  return { status, reason, fields, headers: toHeaders(fields) };
}

function toHeaders(fields: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] ?? '').toLowerCase();
    const value = fields[index + 1] ?? '';
    const known = headers[name];
    if (name === 'set-cookie') headers[name] = Array.isArray(known) ? [...known, value] : [value];
    else headers[name] = known === undefined ? value : `${known.toString()}, ${value}`;
  }
  return headers;
}
