// What a client sees of an answer, and what the probe tells in it, as lines that can be compared. Knows nothing of sockets.

import { createHash } from 'node:crypto';
import { type Answer as HttpAnswer, type Field, parseHttpAnswer, type Ending } from '../../../oracle/support/answer.js';

export type { Field } from '../../../oracle/support/answer.js';

/** Texts are latin1. */
export interface Answer {
  /** 0 where no head has arrived. */
  readonly status: number;
  readonly reason: string;
  /** Without those that only frame the body on its way. In alphabetical order, lower case; the same name in the order sent. */
  readonly fields: readonly Field[];
  readonly body: string;
  /** Octets of the body. */
  readonly length: number;
  /** Whether all of it has come. */
  readonly ended: HttpAnswer['ended'];
  /** What the probe has printed in place of a body. */
  readonly seen: Seen | undefined;
}

/** How a program was called. */
export interface Seen {
  readonly folder: string;
  readonly args: readonly string[];
  /** Sorted. */
  readonly variables: readonly Field[];
  readonly input: string;
}

/** How the connection between client and front end is kept, which differs even between two sites of one front end. */
const framing: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

export function readAnswer(bytes: Buffer, ending: Ending, method: string): Answer {
  const text = bytes
    .toString('latin1')
    .replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
    // A program that speaks HTTP itself may be of an older kind.
    .replace(/^HTTP\/1\.0 /, 'HTTP/1.1 ');
  const received = Buffer.from(text, 'latin1');
  const answer = parseHttpAnswer(received, ending, method);
  const fields = answer.fields
    .map(([name, value]): Field => [name.toLowerCase(), value])
    .filter(([name]) => !framing.has(name))
    .toSorted(byName);
  const { status, reason, ended } = answer;
  const isCounted = fields.some(([name]) => name === 'content-length');
  // What comes behind a body that is long enough is part of what a client gets.
  const body = (isCounted ? received.subarray(received.indexOf('\r\n\r\n') + 4) : answer.body).toString('latin1');
  const isProbe = body !== '' && fields.some(([, value]) => value === 'application/x-probe');
  const seen = isProbe ? readProbe(body) : undefined;
  return { status, reason, fields, body: isProbe ? '' : body, length: body.length, ended, seen };
}

function readProbe(text: string): Seen {
  const end = text.indexOf('input\0');
  const records = text.slice(0, end).split('\0').slice(0, -1);
  const valuesOf = (kind: string): string[] =>
    records.filter((record) => record.startsWith(kind)).map((record) => record.slice(kind.length));
  const variables = valuesOf('variable ').map((variable): Field => {
    const equals = variable.indexOf('=');
    return [variable.slice(0, equals), variable.slice(equals + 1)];
  });
  return {
    folder: valuesOf('folder ').join(),
    args: valuesOf('argument '),
    variables: variables.toSorted(byName),
    input: text.slice(end + 'input\0'.length),
  };
}

/** One fact a line. */
export function render({ status, reason, fields, body, ended, seen }: Answer): string {
  const lines = [status === 0 ? `no answer: ${reason}` : `${status} ${reason}`];
  for (const [name, value] of fields) lines.push(`${name}: ${value}`);
  lines.push(`body: ${renderText(body)}`, `answer ${ended}`);
  if (seen === undefined) return lines.join('\n');
  lines.push(`folder ${seen.folder}`, ...seen.args.map((text) => `argument ${JSON.stringify(text)}`));
  lines.push(
    ...seen.variables.map(([name, value]) => `${name}=${renderText(value)}`),
    `input ${renderText(seen.input)}`,
  );
  return lines.join('\n');
}

function renderText(text: string): string {
  if (text.length <= 400) return JSON.stringify(text);
  return `${text.length} bytes, sha256 ${createHash('sha256').update(text, 'latin1').digest('hex')}`;
}

function byName([a]: Field, [b]: Field): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
