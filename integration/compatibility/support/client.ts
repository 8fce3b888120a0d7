// The client's side of a behaviour: requests to one origin, and what is seen of the answers, put so that it compares.

import type { Facts } from '../kinds/kind.js';
import { describeBody, type Field } from './answer-reader.js';
import { Exchange, type Answer, type Origin, type RequestParts } from './exchange.js';
import type { Stage } from './stage.js';

/** What was observed: anything that can be compared with `toEqual`. */
export type Observation = Readonly<Record<string, unknown>>;

export class Client {
  readonly stage: Stage;
  /** How long to wait for what may not happen: long, unless it is known that it will not. Milliseconds. */
  readonly patienceMs: number;
  readonly #origin: Origin;

  constructor(origin: Origin, stage: Stage, patienceMs: number) {
    this.#origin = origin;
    this.stage = stage;
    this.patienceMs = patienceMs;
  }

  /** Sends a request and waits for the whole answer. */
  ask(parts: RequestParts): Promise<Answer> {
    return this.start(parts).answer();
  }

  /** Sends a request, or the beginning of one. */
  start(parts: RequestParts): Exchange {
    return new Exchange(this.#origin, parts);
  }

  /** Asks for what the application sees of a request. */
  async facts(parts: RequestParts, pick: (facts: Facts) => unknown): Promise<Observation> {
    const answer = await this.ask({ target: '/facts', ...parts });
    if (answer.status !== 200) return { status: answer.status };
    const facts: Facts = JSON.parse(answer.body.toString());
    return { status: 200, seen: pick(facts) };
  }
}

/** About one connection or one server, and so never the same: RFC 9110 §7.6.1, §6.6.1, §10.2.4. */
const incomparable = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'server']);

/** All that a client sees of an answer. A Content-Length that says what the body says is framing, as chunks are. */
export function view(answer: Answer): Observation {
  const { status, reason, ending, body } = answer;
  return { status: `${status} ${reason}`, fields: comparableFields(answer), body: describeBody(body), ending };
}

function comparableFields({ fields = [], body, ending }: Answer): Readonly<Record<string, string | readonly string[]>> {
  const isFraming = ([name, value]: Field): boolean =>
    name === 'content-length' && value === `${body.length}` && ending === 'whole';
  const kept = fields.filter((field) => !incomparable.has(field[0]) && !isFraming(field));
  const names = [...new Set(kept.map(([name]) => name))].toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const values = kept.filter(([other]) => other === name).map(([, value]) => value);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

/** The values of one field, in order. */
export function valuesOf({ fields = [] }: Answer, wanted: string): readonly string[] {
  return fields.filter(([name]) => name === wanted).map(([, value]) => value);
}
