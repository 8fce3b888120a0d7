import { describe, expect, it } from 'vitest';
import type { Answer } from './answer.js';
import { compare } from './compare.js';
import type { Observation } from './observe.js';

function observation(change: Partial<Answer> = {}, log: readonly string[] = []): Observation {
  const answer: Answer = {
    interim: [],
    status: 200,
    reason: 'OK',
    fields: [],
    body: Buffer.from('body'),
    trailers: [],
    ended: 'complete',
    ...change,
  };
  return { answer, log, notes: [] };
}

describe('compare', () => {
  it('finds equal observations equal', () => {
    const { expected, actual, used } = compare(observation({}, ['res finish']), observation({}, ['res finish']));
    expect(actual).toBe(expected);
    expect(used).toEqual([]);
  });

  it.each([
    ['status', observation({ status: 404 })],
    ['reason', observation({ reason: 'Fine' })],
    ['a field', observation({ fields: [['X-A', '1']] })],
    ['the body', observation({ body: Buffer.from('bodY') })],
    ['the end of the body', observation({ ended: 'truncated' })],
    ['an event', observation({}, ['res close'])],
  ])('shows a difference in %s', (_what, other) => {
    const { expected, actual } = compare(observation(), other);
    expect(actual).not.toBe(expected);
  });

  it('shows a different order of fields and of events', () => {
    const http = observation(
      {
        fields: [
          ['A', '1'],
          ['B', '2'],
        ],
      },
      ['finish', 'close'],
    );
    const fields = compare(
      http,
      observation(
        {
          fields: [
            ['B', '2'],
            ['A', '1'],
          ],
        },
        ['finish', 'close'],
      ),
    );
    const events = compare(
      http,
      observation(
        {
          fields: [
            ['A', '1'],
            ['B', '2'],
          ],
        },
        ['close', 'finish'],
      ),
    );
    expect(fields.actual).not.toBe(fields.expected);
    expect(events.actual).not.toBe(events.expected);
  });

  it('allows HTTP its hop-by-hop fields, and SCGI none', () => {
    const chunked = observation({ fields: [['Transfer-Encoding', 'chunked']] });
    const allowed = compare(chunked, observation());
    expect(allowed.actual).toBe(allowed.expected);
    expect(allowed.used).toEqual(['hop-by-hop response fields']);
    const refused = compare(chunked, chunked);
    expect(refused.actual).not.toBe(refused.expected);
  });

  it('allows a Content-Length that HTTP did not send only if it is right', () => {
    const right = compare(observation(), observation({ fields: [['Content-Length', '4']] }));
    const wrong = compare(observation(), observation({ fields: [['Content-Length', '5']] }));
    expect(right.actual).toBe(right.expected);
    expect(wrong.actual).not.toBe(wrong.expected);
  });

  it('allows a named difference only where it is named', () => {
    const http = observation({ interim: ['103 Early Hints'] });
    const named = compare(http, observation(), ['interim responses']);
    const unnamed = compare(http, observation());
    expect(named.actual).toBe(named.expected);
    expect(unnamed.actual).not.toBe(unnamed.expected);
  });
});
