// What an allowed difference is, and the small changes that they are made of.

import { STATUS_CODES } from 'node:http';
import type { Answer, Field, Seen } from '../support/answer.js';
import type { Case, FrontEnd } from '../support/case.js';

/** Rewrites what Apache has shown into what we must show. What we show is never rewritten. */
export interface AllowedDifference {
  readonly name: string;
  /** Applies to every case, not only to those that name it. */
  readonly everywhere?: boolean;
  /** Behind this front end alone. */
  readonly behind?: FrontEnd;
  readonly why: string;
  /** The rule, or the front end, that makes the difference right. */
  readonly witness: string;
  /** May look at what we have shown where there is more than one right answer. */
  readonly apply: (cgid: Answer, ours: Answer, request: Case) => Answer;
}

type Change = (answer: Answer) => Answer;

/** One change after the other. */
export function changes(...all: readonly Change[]): Change {
  return (answer) => all.reduce((current, change) => change(current), answer);
}

/** Changes what the probe has seen; any other answer stays as it is. */
export function seeing(change: (seen: Seen) => Partial<Seen>): Change {
  return (answer) =>
    answer.seen === undefined ? answer : { ...answer, seen: { ...answer.seen, ...change(answer.seen) } };
}

/** Takes variables away. */
export function withoutVariables(names: RegExp): Change {
  return seeing(({ variables }) => ({ variables: variables.filter(([name]) => !names.test(name)) }));
}

/** Rewrites the values of a variable that is there. */
export function rewriteVariable(name: string, rewrite: (value: string) => string): Change {
  return seeing(({ variables }) => ({
    variables: variables.map((variable) => (variable[0] === name ? [name, rewrite(variable[1])] : variable)),
  }));
}

/** Sets a variable, whether it is there or not. */
export function setVariable(name: string, value: string): Change {
  return seeing(({ variables }) => ({
    variables: sorted([...variables.filter((each) => each[0] !== name), [name, value]]),
  }));
}

/** Takes the arguments away, as the probe sees and counts them. */
export const withoutArguments: Change = changes(
  seeing(({ args }) => ({ args: args.slice(0, 1) })),
  (answer) => (fieldOf(answer, 'x-arguments') === undefined ? answer : setField('x-arguments', '1')(answer)),
);

/** Sets a field of the answer, or takes it away. */
export function setField(name: string, ...values: readonly string[]): Change {
  return (answer) => {
    const others = answer.fields.filter((field) => field[0] !== name);
    return { ...answer, fields: sorted([...others, ...values.map((value): Field => [name, value])]) };
  };
}

export function fieldOf({ fields }: Answer, name: string): string | undefined {
  return fields.find((field) => field[0] === name)?.[1];
}

export function withStatus(status: number, reason: string = STATUS_CODES[status] ?? ''): Change {
  return (answer) => ({ ...answer, status, reason });
}

/** A body of a type; undefined for none. */
export function withBody(body: string, type?: string): Change {
  return (answer) => ({
    ...setField('content-type', ...(type === undefined ? [] : [type]))(answer),
    body,
    length: body.length,
    ended: 'complete',
    seen: undefined,
  });
}

/** What is no answer of any program: date and server alone. */
const bare: Change = (answer) => ({
  ...answer,
  fields: answer.fields.filter(([name]) => name === 'date' || name === 'server'),
});

/** An answer of the runner itself: a status, and nothing of the reason. */
export function refusal(status: number): Change {
  const body = `${status} ${STATUS_CODES[status] ?? ''}\n`;
  return changes(bare, withStatus(status), withBody(body, 'text/plain'), setField('content-length', `${body.length}`));
}

/** A redirect that is left to the client, with nothing but where it leads. */
export function clientRedirect(location: string): Change {
  return changes(bare, withStatus(302), withBody(''), setField('location', location));
}

function sorted(fields: readonly Field[]): readonly Field[] {
  return fields.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
