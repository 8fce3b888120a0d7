// Turns observations into text that can be compared line by line, the allowed differences taken into account.
// Knows nothing of how an observation was made.
import { createHash } from 'node:crypto';
import { allowedDifferences, type AllowedDifference, type AllowedDifferenceName } from '../allowed-differences.js';
import type { Observation } from './observe.js';

export interface Comparison {
  /** What HTTP showed, rewritten by the allowed differences. */
  readonly expected: string;
  /** What SCGI showed, untouched. */
  readonly actual: string;
  /** The differences that rewrote something. */
  readonly used: readonly AllowedDifferenceName[];
}

/** Renders both observations, the allowed differences carried over. Equal texts mean equal behaviour. */
export function compare(
  http: Observation,
  scgi: Observation,
  extra: readonly AllowedDifferenceName[] = [],
): Comparison {
  const applied = allowedDifferences.filter(({ name, everywhere }) => everywhere === true || extra.includes(name));
  const expected = expectedOf(http, scgi, applied);
  const actual = render(scgi);
  const used = applied.filter(
    (one) =>
      expectedOf(
        http,
        scgi,
        applied.filter((other) => other !== one),
      ) !== expected,
  );
  return { expected, actual, used: used.map(({ name }) => name) };
}

function expectedOf(http: Observation, scgi: Observation, applied: readonly AllowedDifference[]): string {
  return render(applied.reduce((current, difference) => difference.apply(current, scgi), http));
}

/** An observation as text, one fact per line. */
export function render({ answer, log, notes }: Observation): string {
  const lines: string[] = [];
  if (answer !== undefined) {
    for (const status of answer.interim) lines.push(`interim response: ${status}`);
    lines.push(answer.status === 0 ? `no response: ${answer.reason}` : `${answer.status} ${answer.reason}`);
    for (const [name, value] of answer.fields) lines.push(`${name}: ${value}`);
    lines.push(`body: ${renderBody(answer.body)}`);
    for (const [name, value] of answer.trailers) lines.push(`trailer ${name}: ${value}`);
    lines.push(`response ${answer.ended}`);
  }
  lines.push(...log.map((line) => `server: ${line}`), ...notes.map((line) => `client: ${line}`));
  return lines.join('\n');
}

function renderBody(body: Buffer): string {
  if (body.byteLength <= 400) return JSON.stringify(body.toString('latin1'));
  return `${body.byteLength} bytes, sha256 ${createHash('sha256').update(body).digest('hex')}`;
}
