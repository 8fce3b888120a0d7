// Responses that come bit by bit. The second part is written when the client has the first, or has waited in vain.

import { valuesOf } from '../support/client.js';
import type { Behaviour } from './behaviour.js';

const inTwo = (path: string, first: string, second: string): Behaviour => ({
  observe: async (client) => {
    const id = client.stage.nextId();
    const exchange = client.start({ target: `${path}?id=${id}` });
    const early = await exchange.sees(({ bodyLength }) => bodyLength >= first.length, client.patienceMs);
    const before = exchange.text();
    client.stage.note(id, 'open');
    const { status, body, ending } = await exchange.answer();
    return { early, before: early ? before : '', status, body: body.toString(), ending };
  },
  expected: { early: true, before: first, status: 200, body: first + second, ending: 'whole' },
});

export const streams = {
  'sends what is written before the rest is there': inTwo('/chunks', 'first\n', 'second\n'),
  'sends at once what must not be buffered': inTwo('/unbuffered', 'first\n', 'second\n'),
  'sends one event after the other': inTwo('/events', 'data: 1\n\n', 'data: 2\n\n'),
  'keeps the type of an event stream': {
    observe: async (client) => {
      const id = client.stage.nextId();
      client.stage.note(id, 'open');
      const answer = await client.ask({ target: `/events?id=${id}` });
      return { type: valuesOf(answer, 'content-type').map((type) => type.split(';')[0]) };
    },
    expected: { type: ['text/event-stream'] },
  },
} satisfies Record<string, Behaviour>;
